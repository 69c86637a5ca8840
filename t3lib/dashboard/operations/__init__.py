"""The operations page: what is running, waiting and failed, which files arrived, what to decide. For operators only."""

from t3lib.dashboard.operations.page import Operations, operations

__all__ = ["Operations", "operations"]
