"""Raw rows in, sales and rejects out: every row lands in exactly one of the two, with its reason."""

from t3lib.cleaning.reasons import FLAGS, REASONS, flag_names
from t3lib.cleaning.rows import Cleaned, clean
from t3lib.cleaning.truck_facts import Rules

__all__ = ["FLAGS", "REASONS", "Cleaned", "Rules", "clean", "flag_names"]
