"""Raw rows in, sales and rejects out: every row becomes exactly one of the two; a reject has a reason."""

from t3lib.cleaning.reasons import FLAGS, REASONS, flag_names
from t3lib.cleaning.rows import Cleaned, clean
from t3lib.cleaning.truck_facts import TruckFacts

__all__ = ["FLAGS", "REASONS", "Cleaned", "TruckFacts", "clean", "flag_names"]
