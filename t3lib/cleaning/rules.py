"""Rules of cleaning, as the cells of `2_clean` state them: which rows are no sales, which are odd, how a text is read."""

import html
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from t3lib.cleaning.frames import Frames
from t3lib.cleaning.truck_facts import TruckFacts

PAYMENT_TYPES = ("card", "cash")
INT32_MAX = 2**31 - 1
_FIRST = np.iinfo(np.int16).max  # a row that no rule has rejected
_EXAMPLES = 3


class RuleError(Exception):
    """A rule that cannot be applied; its text says which, and what to do."""


@dataclass
class Rule:
    """One rule: its code and sentence, whether it rejects or flags, and the distinct rows or moments that it catches."""

    code: str
    sentence: str
    rejects: bool
    of_moments: bool
    caught: np.ndarray
    suggested: np.ndarray | None = None


@dataclass(frozen=True)
class Caught:
    """How many rows of the batch a rule catches that no rule before it rejected, and three of them."""

    code: str
    sentence: str
    count: int
    examples: pd.DataFrame

    def _repr_html_(self) -> str:
        rows = self.examples.to_html(index=False, border=0) if self.count else ""
        said = f"<b>{html.escape(self.code)}</b>: {self.count:,} {'row' if self.count == 1 else 'rows'} of this batch."
        return f"<p>{said} {html.escape(self.sentence)}</p>{rows}"

    def __repr__(self) -> str:
        return f"{self.code}: {self.count:,} rows of this batch. {self.sentence}\n{self.examples.to_string(index=False)}"


class Rules:
    """The rules of one batch, in the order in which they are stated: the first that rejects a row gives its reason.

    `rows` and `moments` are the batch's distinct values (see `Frames.rows` and `Frames.moments`); a rule's `when` is a
    column of yes and no, made from one of them."""

    def __init__(self, raw: pa.Table, files: pa.Table, facts: TruckFacts):
        self.frames = Frames(raw, files, facts)
        self.rows, self.moments = self.frames.rows(), self.frames.moments()
        self.stated: dict[Hashable, Rule] = {}
        self.limit_pence = facts.limit_pence

    def read(self, column: str, *texts: str, as_: str) -> pd.DataFrame:
        """Read these texts of a column as a payment, 'card' or 'cash', in any case and with blanks around them."""
        if as_ not in PAYMENT_TYPES:
            raise RuleError(f"rules.read: as_={as_!r} is not a payment: write one of {', '.join(PAYMENT_TYPES)}.")
        if column not in self.rows:
            raise RuleError(f"rules.read: rows have no column {column!r}: choose one of {', '.join(self.rows.columns)}.")
        wanted = {text.strip().lower() for text in texts}
        categories = self.rows[column].astype("category").cat
        of_text = np.array([str(word).strip().lower() in wanted for word in categories.categories], bool)
        found = of_text[categories.codes] & (categories.codes >= 0) if len(of_text) else np.zeros(len(self.rows), bool)
        self.rows["payment"] = self.rows["payment"].mask(found, as_)
        counted = self.rows[found].groupby(column, observed=True)["times"].sum()
        return counted.rename("rows").reset_index().assign(read_as=as_)

    def reject(self, code: str, sentence: str, *, when: pd.Series, suggest: pd.Series | None = None) -> Caught:
        """Rows that are no sales: `sentence` says why, `suggest` (pence) what a person may put right with one click."""
        return self._state(code, sentence, when, suggest, rejects=True)

    def flag(self, code: str, sentence: str, *, when: pd.Series) -> Caught:
        """Sales that are odd: loaded, with this mark."""
        return self._state(code, sentence, when, None, rejects=False)

    def dearest_price(self, sold_at_least: int) -> pd.Series:
        """The dearest price of each row's truck in pence: on its menu, or else sold so often so far; missing if none."""
        facts = self.frames.facts
        dearest: dict[int, int] = {}
        for truck in self.rows["truck"].unique().tolist():
            often = {price for price, times in facts.sold.get(truck, {}).items() if times >= sold_at_least}
            if prices := facts.prices.get(truck) or often:
                dearest[truck] = max(prices)
        return self.rows["truck"].map(dearest).astype("Int64")

    def _state(self, code: str, sentence: str, when: pd.Series, suggest: pd.Series | None, *, rejects: bool) -> Caught:
        of_moments = self._is_of_moments(code, when)
        caught = when.fillna(False).to_numpy(bool) if when.dtype != bool else when.to_numpy()
        suggested = None if suggest is None else _suggested(suggest)
        self.stated[code] = Rule(code, sentence, rejects, of_moments, caught, suggested)
        return self._shown(self.stated[code])

    def _is_of_moments(self, code: str, when: pd.Series) -> bool:
        if not isinstance(when, pd.Series) or not pd.api.types.is_bool_dtype(when.dtype):
            kind = f"{when.dtype} values" if isinstance(when, pd.Series) else type(when).__name__
            raise RuleError(f"Rule {code!r}: `when` is to be a column of yes and no (got {kind}).")
        for frame, of_moments in ((self.rows, False), (self.moments, True)):
            if when.index is frame.index or (len(when) == len(frame) and when.index.name == frame.index.name and when.index.equals(frame.index)):
                return of_moments
        raise RuleError(
            f"Rule {code!r}: `when` has {len(when):,} values; make it from all of `rows` ({len(self.rows):,}) or all of "
            f"`moments` ({len(self.moments):,})."
        )

    def _shown(self, rule: Rule) -> Caught:
        frame = self.moments if rule.of_moments else self.rows
        caught = rule.caught
        if not caught.any():
            return Caught(rule.code, rule.sentence, 0, frame.head(0))
        left = self._left(rule.of_moments, before=rule.code)
        hit = caught & (left > 0)
        shown = frame[hit].head(_EXAMPLES)
        columns = ["truck", "timestamp", "sold_at", "uploaded_at"] if rule.of_moments else ["truck", "total", "type"]
        return Caught(rule.code, rule.sentence, int(left[caught].sum()), shown[columns].assign(rows=left[hit][:_EXAMPLES]))

    def _left(self, of_moments: bool, before: str) -> np.ndarray:
        """How many rows of each distinct row (or moment) the rules before this one have not rejected."""
        earlier = list(self.stated)[: list(self.stated).index(before)]
        first = {kind: self._first(kind, earlier) for kind in (False, True)}
        own, other = first[of_moments] == _FIRST, first[not of_moments] == _FIRST
        frame = self.moments if of_moments else self.rows
        if other.all():
            return frame["times"].to_numpy() * own
        places = {False: self.frames.of_rows.places, True: self.frames.of_moments.places}
        return np.bincount(places[of_moments][other[places[not of_moments]]], minlength=len(frame)) * own

    def _first(self, of_moments: bool, codes: list[Hashable]) -> np.ndarray:
        """The place among all rules of the first that rejects each distinct row (or moment)."""
        first = np.full(len(self.moments if of_moments else self.rows), _FIRST, np.int16)
        order = list(self.stated)
        for code in reversed(codes):
            rule = self.stated[code]
            if rule.rejects and rule.of_moments == of_moments:
                first[rule.caught] = order.index(code)
        return first


def _suggested(pence: pd.Series) -> np.ndarray:
    """Suggestions as whole pence, -1 where there is none that a person could take."""
    values = pd.to_numeric(pence).astype("Int64").fillna(-1).to_numpy(np.int64)
    return np.where((values > 0) & (values <= INT32_MAX), values, -1).astype(np.int32)
