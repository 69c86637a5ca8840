"""The staff dashboard and the operations page, as Voilà serves them from their notebooks."""

from t3lib.dashboard.operations import operations
from t3lib.dashboard.page import dashboard

__all__ = ["dashboard", "operations"]
