"""The operations page: what runs, waits and failed; which files came; what to decide. For operators only."""

from t3lib.dashboard.operations.page import Operations, operations

__all__ = ["Operations", "operations"]
