"""Matching sales, providers and bank: a pure function over frames. The same books give the same proof."""

from t3lib.settlements.matching.books import OPEN, Books, Decision, Payout, Proof, Row
from t3lib.settlements.matching.match import match

__all__ = ["OPEN", "Books", "Decision", "Payout", "Proof", "Row", "match"]
