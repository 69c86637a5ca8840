"""The rules in force as text: cells of `2_clean`, run again wherever rows are cleaned outside of the notebook."""

import hashlib
import json
import linecache
from dataclasses import dataclass, field
from functools import cache
from types import CodeType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from t3lib import cells, checkout
from t3lib.cleaning import parts, rule_cells
from t3lib.cleaning.allowed import STATING, refused
from t3lib.cleaning.columns import WRITTEN
from t3lib.cleaning.examples import Example
from t3lib.cleaning.frames import Frames
from t3lib.cleaning.outcome import Cleaned, outcome, values
from t3lib.cleaning.parts import Places
from t3lib.cleaning.row_by_row import is_row_by_row
from t3lib.cleaning.rules import Rule, RuleError, Rules
from t3lib.cleaning.truck_facts import TruckFacts
from t3lib.feed import RAW_SCHEMA
from t3lib.problems import RefusedError
from t3lib.settings import ROOT, settings

NOTEBOOK = ROOT / "notebooks" / "2_clean.ipynb"
_CATCHES, _SUGGESTS = "catches other rows", "suggests other totals"
_ORDER = (
    "when the batch comes in another order, or needs another cell: it may use its own cell and the "
    "batch, no order, clock or chance."
)
_PART = (
    "when a part of the batch is not there: what becomes of a row must not depend on which other rows come with it. "
    "Compare with a fixed value, a price on the menu or `sold` instead of a count, mean, rank or the like."
)
_ORDER_READ = (
    "Amounts or payments come out differently when the rules are stated again: a cell without a rule changes `rows`, "
    "or `rules.read` uses order, clock or chance."
)
_PART_READ = (
    "Amounts or payments come out differently when a part of the batch is not there: give `rules.read` fixed texts, "
    "under no condition on other rows."
)
_UTC = pa.timestamp("us", "UTC")
_FILES = [
    ("file_id", pa.int64()),
    ("truck_id", pa.int32()),
    ("uploaded_at", _UTC),
    ("window_from", _UTC),
    ("window_to", _UTC),
]


@dataclass(frozen=True)
class Rulebook:
    """The cells that state the rules, in order. Each sees `rules`, `rows`, `moments`, `pd` and `np`, no other cell."""

    cells: tuple[str, ...]
    numbers: tuple[int | None, ...] = field(default=(), compare=False)  # of the cells, as JupyterLab shows them

    @classmethod
    def of_notebook(cls, notebook: dict[str, Any]) -> "Rulebook":
        """The cells of a notebook that call `rules.read`, `reject`, `flag` or `suggest`.

        Raises RuleError where one cell is there twice: the notebook applies it once."""
        stated = rule_cells.stating(notebook)
        book = cls(tuple(cell for _, cell in stated), tuple(number for number, _ in stated))
        for place, (number, cell) in enumerate(stated):
            if cell in book.cells[:place]:
                raise RuleError(f"The same cell is twice in {NOTEBOOK.name}: take {cells.named(number, cell)} out.")
        return book

    @classmethod
    def of_stated(cls, rules: Rules) -> "Rulebook":
        """The cells that stated rules."""
        return cls(tuple(rules.sources), tuple(rules.numbers.get(cell) for cell in rules.sources))

    @classmethod
    def of_folder(cls) -> "Rulebook":
        """The rules as they stand in the folder's `2_clean`, edits included."""
        return cls.of_notebook(json.loads(NOTEBOOK.read_text(encoding="utf-8")))

    @classmethod
    def of_commit(cls, commit: str = "HEAD") -> "Rulebook":
        """The rules of a commit. Raises RuleError when it has none."""
        text = checkout.text_of(NOTEBOOK, commit)
        if text is None and not checkout.has(commit):
            raise RuleError(f"There is no commit {commit!r} in this checkout: `git log --oneline` lists them.")
        if text is None:
            raise RuleError(f"{commit} has no {NOTEBOOK.relative_to(ROOT)}: name a commit of this checkout.")
        book = cls.of_notebook(json.loads(text))
        if not book.cells:
            raise RuleError(
                f"{commit} states no rules in {NOTEBOOK.relative_to(ROOT)}: name a commit since version 0.3."
            )
        return book

    @classmethod
    def in_force(cls, *, checked: bool = False) -> "Rulebook":
        """The rules that the schedule uses: as last committed; those of the folder outside of a checkout, and with
        T3_EDITED_NOTEBOOKS. They come from files alone: what the database holds of rules is never run.

        checked: their examples too. Raises RuleError."""
        text = None if settings().edited_notebooks else checkout.text_of(NOTEBOOK)
        if text is None and not settings().edited_notebooks and checkout.exists():
            raise RuleError(
                f"git does not give {NOTEBOOK.relative_to(ROOT)} as last committed: the rules in force are not known. "
                "Look at `git status` in the folder of T3, and commit the notebook."
            )
        notebook = json.loads(text or NOTEBOOK.read_text(encoding="utf-8"))
        if checked:
            examples(notebook)
        return cls.of_notebook(notebook)

    @property
    def hash(self) -> str:
        """What tells one text of the rules from another: twelve hex digits."""
        return hashlib.sha256("\n\n".join(self.cells).encode()).hexdigest()[:12]

    def state(self, rules: Rules) -> Rules:
        """State these rules over a batch. Raises RuleError, which names the cell."""
        rules.numbers = dict.fromkeys(self.cells) | dict(zip(self.cells, self.numbers, strict=False))
        for number, source in enumerate(self.cells, 1):
            name = f"<rule {self.hash}:{number}>"
            linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
            names = {"rules": rules, "rows": rules.rows, "moments": rules.moments, "pd": pd, "np": np}
            try:
                exec(_compiled(source, name), names)
                rules.must_be_unwritten()
            except Exception as error:
                raise RuleError(f"{_told(error, rules)} See {self.named(source)}.") from error
            if rules.restated:
                raise RuleError(
                    f"Rule {rules.restated[0]!r} is stated twice, the second time in {self.named(source)}: give one of "
                    "them another code."
                )
        return rules

    def clean(self, raw: pa.Table, files: pa.Table, facts: TruckFacts, bits: dict[str, int], *,
              believing: bool = False) -> Cleaned:  # fmt: skip
        """What these rules make of a batch (see `Frames` and `outcome`)."""
        rules = Frames(raw, files, facts).rules()
        rules.is_trial = True  # the examples were checked where the rules are stated
        self.verify(self.state(rules), is_own=True)
        return outcome(rules, bits, believing=believing)

    def verify(self, stated: Rules, *, is_own: bool = False) -> None:
        """Raise RuleError unless what becomes of each row depends on that row alone.

        Cells whose text shows it (`row_by_row`) are only stated again in another order, or not at all where `is_own`
        says that this rulebook stated them. With any other cell all are stated again over parts of the batch: both
        halves, each in another order, the least and the greatest row and moment alone, the later hours, and the earlier
        ones of one truck."""
        columns = frozenset(stated.rows.columns), frozenset(stated.moments.columns)
        is_shown = all(is_row_by_row(cell, *columns) for cell in self.cells)
        if not (is_shown and is_own):
            self._state_again(stated, of_parts=not is_shown)
        stated.must_be_unwritten()

    def _state_again(self, stated: Rules, *, of_parts: bool) -> None:
        found, halves = values(stated), parts.halves(stated)
        whole = np.concatenate([half[0] for half in halves]), np.concatenate([half[1] for half in halves])
        ends = zip(parts.ends(stated.unread["pence"]), parts.ends(stated.moments["sold_at"]), strict=True)
        try:
            for part in (*halves, *ends, *parts.hours(stated)) if of_parts else ():
                self._compare(stated, found, self.state(stated.over(*part, whole=stated)), part, _PART, _PART_READ)
        except RuleError:  # is it the order?
            self._compare(stated, found, self.state(stated.over(*whole)), whole, _ORDER, _ORDER_READ)
            raise
        if not of_parts:
            self._compare(stated, found, self.state(stated.over(*whole)), whole, _ORDER, _ORDER_READ)

    def _compare(self, stated: Rules, found: tuple[np.ndarray, np.ndarray], again: Rules, places: Places,
                 differs: str, reads: str) -> None:  # fmt: skip
        """Raise RuleError unless the same becomes of the rows and moments at these places."""
        for code in [*stated.stated, *(again.stated.keys() - stated.stated.keys())]:
            if does := _other(stated.stated.get(code), again.stated.get(code), places):
                rule = stated.stated.get(code) or again.stated[code]
                cell = rule.suggested_in if does == _SUGGESTS and rule.suggested_in else rule.cell
                raise RuleError(f"Rule {code!r} {does} {differs} Nothing is loaded. See {self.named(cell)}.")
        pairs = zip(found, values(again), strict=True)
        if not all(np.array_equal(one[places[0]], two) for one, two in pairs):
            raise RuleError(f"{reads} Nothing is loaded.")

    def named(self, cell: str) -> str:
        """A cell as errors name it."""
        return cells.named(dict(zip(self.cells, self.numbers, strict=False)).get(cell), cell)

    def stated(self) -> dict[str, Rule]:
        """Every rule by its code, as stated over no rows."""
        return dict(_over_no_rows(self).stated)

    def described(self) -> dict[str, Any]:
        """What these rules state, with the number of each cell from 1: under `rules` by code the sentence, and whether
        it rejects; under `readings` which texts of a column are read as what."""
        over = _over_no_rows(self)
        rules = {code: {"sentence": rule.sentence, "rejects": rule.rejects, "cell": self.cells.index(rule.cell) + 1}
                 for code, rule in over.stated.items()}  # fmt: skip
        readings = [{"column": of.column, "texts": of.texts, "as": of.as_, "cell": self.cells.index(of.cell) + 1}
                    for of in over.readings]  # fmt: skip
        return {"rules": rules, "readings": readings}


@cache
def _over_no_rows(book: Rulebook) -> Rules:
    return book.state(_over_nothing())


@cache
def _compiled(source: str, name: str) -> CodeType:
    if problems := refused(source):
        raise RuleError(f"This cell {'; it '.join(problems)}.")
    return compile(source, name, "exec")


def examples(notebook: dict[str, Any]) -> list[Example]:
    """The examples of a notebook, checked against its rules. Raises RuleError where one becomes something else."""
    tagged = [*rule_cells.with_examples(notebook)]
    rules = Rulebook.of_notebook(notebook).state(_over_nothing())
    for number, source in tagged:
        known, name = len(rules.given), cells.named(number, source)
        try:
            exec(compile(source, "<examples>", "exec"), {"rules": rules})
        except Exception as error:
            raise RuleError(f"{error} See {name}.") from error
        if len(rules.given) == known:
            raise RuleError(f"A cell with the tag `examples` has no example: write rules.examples(...) in {name}.")
    return rules.given


def verify(rules: Rules) -> Rulebook:
    """The rulebook of rules that a notebook stated, once they are verified: see `Rulebook.verify`.

    A rule that is stated under another name than `rules` would be missed wherever only the notebook's text is read."""
    book = Rulebook.of_stated(rules)
    if unseen := [cell for cell in book.cells if not rule_cells.calls(cell, STATING)]:
        raise RuleError(
            "A rule is stated under another name than `rules`, where nothing but this notebook would apply it: write "
            f"rules.{', rules.'.join(STATING)} in full. Nothing is loaded. See {book.named(unseen[0])}."
        )
    book.verify(rules)
    return book


def must_be_in_force(rules: Rules) -> None:
    """Raise RuleError unless these rules were stated by exactly the cells of the rules in force, in their order."""
    book, others = Rulebook.of_stated(rules), Rulebook.in_force()
    own = book.cells
    if book != others:
        apart = [book.named(cell) for cell in own if cell not in others.cells]
        apart += [others.named(cell) for cell in others.cells if cell not in own]
        first = [*apart, *map(book.named, own)][0]
        raise RuleError(
            f"This notebook's {len(own)} cells that state rules are not the {len(others.cells)} of the rules in force, "
            f"so nothing else would apply what they state. They differ at {first}. Write each rule as "
            f"rules.{', rules.'.join(STATING)}, commit {NOTEBOOK.name}, and run `t3 ingest`. Nothing is loaded."
        )


def _other(stated: Rule | None, again: Rule | None, places: Places) -> str:
    """What a rule does otherwise at these places; empty: nothing."""
    if stated is None or again is None or stated.of_moments != again.of_moments:
        return _CATCHES
    at = places[stated.of_moments]
    if not np.array_equal(stated.caught[at], again.caught):
        return _CATCHES
    one, two = (np.array([]) if rule.suggested is None else rule.suggested for rule in (stated, again))
    return "" if np.array_equal(one[at] if len(one) else one, two) else _SUGGESTS


def _over_nothing() -> Rules:
    files = pa.table({name: pa.array([], kind) for name, kind in _FILES})
    return Frames(RAW_SCHEMA.empty_table(), files, TruckFacts()).rules()


def _told(error: Exception, rules: Rules) -> str:
    """An error of a cell in words; numpy and pandas do not say of what an array is read-only."""
    try:
        rules.must_be_unwritten()
    except RefusedError as written:
        return str(written)
    return WRITTEN if isinstance(error, ValueError) and "read-only" in str(error) else str(error)
