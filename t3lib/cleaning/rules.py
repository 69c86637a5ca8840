"""Rules of cleaning, as cells of `2_clean` state them: which rows are no sales, which are odd, how texts are read."""

import linecache
import re
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from t3lib import cells
from t3lib.cleaning.allowed import WRITTEN_WITH
from t3lib.cleaning.caught import Caught, most_often
from t3lib.cleaning.columns import Columns, is_one_of, part_of
from t3lib.cleaning.truck_facts import TruckFacts
from t3lib.feed.rows import PAYMENT_TYPES
from t3lib.money import parse_amount
from t3lib.problems import RefusedError

if TYPE_CHECKING:
    from t3lib.cleaning.examples import Example
    from t3lib.cleaning.frames import Frames

INT32_MAX = 2**31 - 1
NONE = np.iinfo(np.int16).max  # a row that no rule rejects
_CODE = re.compile(r"[a-z][a-z0-9_]{1,40}", re.ASCII)
_EXAMPLES = 3
_OF_TOTALS = ("total", "word", "pence", "nearest", "on_menu", "sold")  # what a rule sees of a total
_RESERVED = ("loaded",)  # what a comparison calls a row that no rule rejects


class RuleError(RefusedError):
    """A rule that cannot be applied; its text says which, and what to do."""


@dataclass
class Rule:
    """One rule: its code and sentence, whether it rejects or flags, and which distinct rows or moments it catches."""

    code: str
    sentence: str
    rejects: bool
    of_moments: bool
    caught: np.ndarray
    suggested: np.ndarray | None = None
    cell: str = ""  # the text of the cell that states it
    suggested_in: str = ""  # of the cell that suggests the totals, where that is another


@dataclass(frozen=True)
class Reading:
    """Texts of a column, in lower case, that a cell reads as a payment or as an amount."""

    column: str
    texts: tuple[str, ...]
    as_: str
    cell: str


class Rules:
    """The rules of one batch, in the order in which they are stated: the first that rejects a row gives its reason.

    `rows` and `moments` are the batch's distinct values (see `Frames.rows` and `Frames.moments`); a rule's `when` is a
    column of yes and no, made from one of them. `frames` is the batch itself. `sources` are the cells that stated the
    rules, in order."""

    def __init__(self, rows: pd.DataFrame, moments: pd.DataFrame, times: np.ndarray, menu: np.ndarray,
                 facts: TruckFacts, frames: "Frames | None" = None):  # fmt: skip
        # The names tell columns of one from columns of the other, which may have the same length.
        rows, moments = rows.rename_axis("row"), moments.rename_axis("moment")
        self.unread = rows  # before a rule reads anything
        self._rows, self._moments = Columns(rows), Columns(moments)
        # How many rows of the batch each is, and the number of its day's menu: no rule sees them, as the same row would
        # be another in another batch, or once an older menu is known.
        self._times, self._menu = times, menu
        self._counted: list[Counter[tuple[int, int]]] = []  # what was sold at each price, after each reading of totals
        self._whole: Rules | None = None  # for a part of a batch: the rules over all of it
        self.stated: dict[str, Rule] = {}
        self.readings: list[Reading] = []
        self.sources: list[str] = []
        self.numbers: dict[str, int | None] = {}  # of the cells, as JupyterLab shows them
        self.restated: list[str] = []
        self._source_of: dict[str, str] = {}
        self.given: list[Example] = []
        self._nothing: dict[bool, pd.DataFrame] = {}  # what is shown of a rule that catches no row
        self.is_trial = frames is None  # rules stated again to test them: their examples are tested already
        self._facts, self.frames = facts, frames

    @property
    def rows(self) -> pd.DataFrame:
        """One row per distinct row of the batch.

        truck; total and type as written (of a file T3 reads these, the timestamp and no other column); word (the total
        in lower case without blanks around it); pence (whole pence, missing where the total is no amount); nearest
        (pence, where it has more than two decimals); payment (card or cash, once a rule reads it); weekday and hour
        (local, of the business day); cells_differ; on_menu, has_menu, without_reader, in_details (yes or no); sold and
        hundredth_sold (how often this total, and a hundredth of it, was sold); hundredth_on_menu."""
        return self._rows

    @property
    def moments(self) -> pd.DataFrame:
        """One row per file and timestamp of the batch.

        file_id, truck, timestamp as written, sold_at (UTC, missing where the text is no time), weekday and hour
        (local, of the business day), uploaded_at, window_from and window_to (UTC, of the file)."""
        return self._moments

    @property
    def of_batch(self) -> "Frames":
        """The batch itself; rules over a part of it have none."""
        assert self.frames is not None, "rules over the batch itself, not over a part of it"
        return self.frames

    @property
    def limit_pence(self) -> int:
        """The limit for a truck without a menu and without prices that were sold often, in pence (T3_LIMIT_PENCE)."""
        return self._facts.limit_pence

    @property
    def most_pence(self) -> int:
        """The largest total that a column of the database holds, in pence."""
        return INT32_MAX

    def __dir__(self) -> list[str]:
        """What a rule is written with; the rest applies them."""
        return [*WRITTEN_WITH]

    def read(self, column: str, *texts: str, as_: str) -> pd.DataFrame:
        """Read texts of a column, in any case, with blanks around them: of 'total' as an amount in pounds (as_="4.50"),
        of any other column as a payment (as_="cash"). Returns one row per text found: the text, rows, read_as.

        rules.read("type", "voucher", "gift card", as_="cash")"""
        amount = self._amount(column, texts, as_)
        wanted = tuple(text.strip().lower() for text in texts)
        self.readings.append(Reading(column, wanted, as_, self._record(2)))
        found = is_one_of(self.rows[column], wanted)
        self._must_be_unrejected(found, ("payment", column) if amount is None else _OF_TOTALS)
        if amount is None:
            self._rows.write({"payment": self.rows["payment"].mask(found, as_)})
        else:
            word = self.rows["word"].astype("str").mask(found, as_)
            self._rows.write({"pence": self.rows["pence"].mask(found, amount), "word": word})
            self._rows.write(self._facts.columns(self.rows, self._menu, self._sold()))
        if self.is_trial:  # nobody looks
            return pd.DataFrame()
        counted = self.rows[[column]].assign(rows=self._times)[found].groupby(column, observed=True)["rows"].sum()
        return counted.reset_index().assign(read_as=as_)

    def reject(self, code: str, sentence: str, *, when: pd.Series, suggest: pd.Series | None = None) -> Caught:
        """Reject rows that are no sales: `sentence` says why.

        `when` and `suggest` are columns with one value per row of `rows`, or of `moments`; `suggest` is a total in
        pence that a person may put right with one click. Shows how many rows of the batch it catches that no rule above
        rejects, and three of them.

        rules.reject("staff_meal", "A staff meal is not a sale.", when=rows.total.eq("0.01") & rows.truck.eq(4))"""
        return self._state(code, sentence, when, suggest, rejects=True)

    def flag(self, code: str, sentence: str, *, when: pd.Series) -> Caught:
        """Mark sales that are odd: they are loaded, with this mark. `when` is as in `reject`.

        rules.flag("late", "Sold after 22:00 (loaded).", when=rows.hour.ge(22))"""
        return self._state(code, sentence, when, None, rejects=False)

    def suggest(self, code: str, pence: pd.Series, *, when: pd.Series | None = None) -> pd.DataFrame:
        """Suggest a total (whole pence, one value per row of `rows`) for rows that a rule above rejects.

        It takes the place of the rule's own suggestion. Returns one row per distinct row that has a suggestion: truck,
        total, type, rows, suggested_pence.

        rules.suggest("above_limit", rows.pence // 10)"""
        if code not in self.stated or self.stated[code].of_moments:
            known = ", ".join(name for name, rule in self.stated.items() if rule.rejects and not rule.of_moments)
            raise RuleError(f"rules.suggest: no rule about rows above is called {code!r}: choose one of {known}.")
        self._must_be_of_rows(code, "the suggestion", pence)
        if when is not None:
            self._must_be_of_rows(code, "`when`", when)
        rule, own = self.stated[code], _suggested(pence)
        chosen = rule.caught & (np.True_ if when is None else when.fillna(False).to_numpy(bool))
        rule.suggested = np.where(chosen, own, -1 if rule.suggested is None else rule.suggested)
        rule.suggested_in = self._record(2)
        if self.is_trial:
            return pd.DataFrame()
        found = self.rows[["truck", "total", "type"]].assign(rows=self._times, suggested_pence=own)
        return found[chosen & (own >= 0)]

    def examples(self, *examples: "Example") -> pd.DataFrame:
        """Literal rows (time, payment, total) and what becomes of each under the rules above; see `examples.check`.

        They are of a truck that sells one dish for 4.99 and has no card reader, in a file of 5 November 2026 for the
        hours from 12:00 to 15:00. Raises RuleError where something else becomes of one."""
        from t3lib.cleaning.examples import check
        from t3lib.cleaning.rulebook import Rulebook

        if self.is_trial:
            return pd.DataFrame()
        self.given += examples
        return check(Rulebook.of_stated(self), examples)

    def over(self, rows: np.ndarray, moments: np.ndarray, whole: "Rules | None" = None) -> "Rules":
        """The same batch in another order, or a part of it, before any rule is stated.

        rows, moments: the places of what it has, in its order. whole: for a part, the rules over all of the batch."""
        unread, when = part_of(self.unread, rows), part_of(self._moments, moments)
        part = Rules(unread, when, self._times[rows], self._menu[rows], self._facts)
        part._whole = whole
        return part

    def _sold(self) -> Counter[tuple[int, int]]:
        """How often each truck sold at each price, as the totals are read now: always of the whole batch."""
        self._counted.append(self._facts.counted(self.rows, self._times) if self._whole is None else Counter())
        known = self._counted if self._whole is None else self._whole._counted
        return known[min(len(self._counted), len(known)) - 1] if known else Counter()

    def dearest_price(self, sold_at_least: int) -> pd.Series:
        """The dearest price of each row's truck: one value per row of `rows`, in pence; missing if there is none.

        It is the dearest on the menu of the row's day, or of a truck without a menu the dearest that was sold that
        often."""
        facts, menus = self._facts, self._facts.menus
        pairs, place = np.unique([self._menu, self.rows["truck"].to_numpy(np.int64)], axis=1, return_inverse=True)
        dearest = []
        for menu, truck in pairs.T.tolist():
            often = {price for price, times in facts.sold.get(truck, {}).items() if times >= sold_at_least}
            dearest.append(max(menus[menu].get(truck) or often, default=None))
        return pd.Series(pd.array(dearest, "Int64")[place.reshape(-1)], self.rows.index)

    def _state(self, code: str, sentence: str, when: pd.Series, suggest: pd.Series | None, *, rejects: bool) -> Caught:
        if not _CODE.fullmatch(code) or not sentence.strip().endswith("."):
            raise RuleError(
                f"Rule {code!r}: a code is lower case letters, digits and _; its sentence ends with a full stop."
            )
        if code in _RESERVED:
            raise RuleError(f"A rule cannot be called {code!r}: it is what a row is called that no rule rejects.")
        of_moments = self._is_of_moments(code, when)
        if suggest is not None and of_moments:
            raise RuleError(f"Rule {code!r} is about moments: only a rule about `rows` can suggest a total.")
        if suggest is not None:
            self._must_be_of_rows(code, "the suggestion", suggest)
        caught, source = when.fillna(False).to_numpy(bool), self._record(3)
        suggested = None if suggest is None else _suggested(suggest)
        rule = Rule(code, sentence, rejects, of_moments, caught, suggested, source)
        if code in self.stated:
            self.restated.append(code)
        self.stated[code] = rule
        if (before := self._source_of.get(code, source)) != source and before in self.sources:
            self.sources.remove(before)  # the cell was edited and run again
        self._source_of[code] = source
        return self._shown(rule)

    def _record(self, depth: int) -> str:
        """Keep the text of the cell that called."""
        self.must_be_unwritten()
        file = sys._getframe(depth).f_code.co_filename
        source = "".join(linecache.getlines(file)).strip()
        if source not in self.sources:
            self.sources.append(source)
        if source not in self.numbers:
            self.numbers[source] = cells.running()
        return source

    def _amount(self, column: str, texts: tuple[str, ...], as_: str) -> int | None:
        """The pence that texts of a column are read as; None for a payment. Raises RuleError for what is neither."""
        amount = parse_amount(as_).pence if column == "total" else None
        if amount is None and as_ not in PAYMENT_TYPES:
            raise RuleError(f"rules.read: as_={as_!r} is not an amount and not one of {', '.join(PAYMENT_TYPES)}.")
        if column not in self.rows:
            raise RuleError(
                f"rules.read: rows have no column {column!r}: choose one of {', '.join(self.rows.columns)}."
            )
        if (not texts and self.frames is not None) or not all(isinstance(text, str) for text in texts):
            raise RuleError(
                f'rules.read: write the texts one by one, as in rules.read({column!r}, "a", "b", as_={as_!r}).'
            )
        return amount

    def must_be_unwritten(self) -> None:
        """Raise WrittenError where a cell wrote into `rows` or `moments`."""
        self._rows.must_be_unwritten()
        self._moments.must_be_unwritten()

    def _must_be_unrejected(self, read: np.ndarray, words: tuple[str, ...]) -> None:
        """Raise RuleError where a rule above looks at what is read now, by these words, and rejects such rows."""
        first = self.first(False)
        for number, rule in enumerate(self.stated.values()):
            late = int(self._times[read & (first == number)].sum())
            if late and any(word in rule.cell for word in words):
                raise RuleError(
                    f"rules.read: {late:,} of these rows {'is' if late == 1 else 'are'} rejected above by {rule.code}: "
                    "put this cell above it."
                )

    def _must_be_of_rows(self, code: str, what: str, values: pd.Series) -> None:
        if not isinstance(values, pd.Series) or not values.index.equals(self.rows.index):
            raise RuleError(f"Rule {code!r}: {what} is to be a column made from all of `rows` ({len(self.rows):,}).")

    def _is_of_moments(self, code: str, when: pd.Series) -> bool:
        if not isinstance(when, pd.Series) or not pd.api.types.is_bool_dtype(when.dtype):
            kind = f"{when.dtype} values" if isinstance(when, pd.Series) else type(when).__name__
            raise RuleError(f"Rule {code!r}: `when` is to be a column of yes and no (got {kind}).")
        for frame, of_moments in ((self.rows, False), (self.moments, True)):
            if when.index.name == frame.index.name and when.index.equals(frame.index):
                return of_moments
        sizes = {frame.index.name: len(frame) for frame in (self.rows, self.moments)}
        if len(when) == sizes.get(when.index.name, -1) or (
            when.index.name not in sizes and len(when) in sizes.values()
        ):
            raise RuleError(
                f"Rule {code!r}: `when` has lost the labels or the order of `rows` or `moments`, as after reset_index, "
                "sort_values or pd.Series(...): make it from their columns as they are."
            )
        raise RuleError(
            f"Rule {code!r}: `when` has {len(when):,} values; make it from all of `rows` ({len(self.rows):,}) or all "
            f"of `moments` ({len(self.moments):,})."
        )

    def _shown(self, rule: Rule) -> Caught:
        if self.is_trial:
            return Caught(rule.code, rule.sentence, 0, pd.DataFrame())
        frame = self.moments if rule.of_moments else self.rows
        columns = ["truck", "timestamp", "sold_at", "uploaded_at"] if rule.of_moments else ["truck", "total", "type"]
        if self.frames is None or not rule.caught.any():
            if rule.of_moments not in self._nothing:
                self._nothing[rule.of_moments] = frame[columns].head(0)
            return Caught(rule.code, rule.sentence, 0, self._nothing[rule.of_moments])
        left = self.frames.left(self, rule)
        hit = np.flatnonzero(rule.caught & (left > 0))
        first, times = most_often(frame, hit, left[hit]) if not rule.of_moments else (hit, left[hit])
        shown = frame[columns].iloc[first[:_EXAMPLES]].assign(rows=times[:_EXAMPLES])
        found = self.frames.of_moments if rule.of_moments else self.frames.of_rows
        rejected = 0 if len(hit) else int(found.times[rule.caught].sum())
        return Caught(rule.code, rule.sentence, int(left[rule.caught].sum()), shown, rejected)

    def first(self, of_moments: bool, before: Rule | None = None) -> np.ndarray:
        """Per distinct row (or moment) the number of the first rule, before this one, that rejects it; NONE without."""
        first = np.full(len(self.moments if of_moments else self.rows), NONE, np.int16)
        rules = list(self.stated.values())
        for number in reversed(range(rules.index(before) if before else len(rules))):
            if rules[number].rejects and rules[number].of_moments == of_moments:
                first[rules[number].caught] = number
        return first


def _suggested(pence: pd.Series) -> np.ndarray:
    """Suggestions as whole pence, -1 where there is none that a person could take."""
    values = pd.to_numeric(pence).astype("Int64").fillna(-1).to_numpy(np.int64)
    return np.where((values > 0) & (values <= INT32_MAX), values, -1).astype(np.int32)
