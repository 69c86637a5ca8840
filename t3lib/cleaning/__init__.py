"""Raw rows in, sales and rejects out: the rules of a notebook, applied to every row of a batch."""

from t3lib.cleaning.frames import Frames
from t3lib.cleaning.outcome import Cleaned
from t3lib.cleaning.rulebook import Rulebook
from t3lib.cleaning.rules import RuleError, Rules
from t3lib.cleaning.truck_facts import TruckFacts

__all__ = ["Cleaned", "Frames", "RuleError", "Rulebook", "Rules", "TruckFacts"]
