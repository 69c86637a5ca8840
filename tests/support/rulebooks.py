"""The rules of the folder's notebook, and edits of them as an analyst makes them in its cells."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from t3lib.cleaning import Rulebook, TruckFacts
from t3lib.feed import RAW_SCHEMA

NOON = "2026-11-05 12:00:00+00:00"
UTC_STAMP = pa.timestamp("us", "UTC")
FACTS = TruckFacts(prices={4: {870}}, known=frozenset({4}))
ONE_MORE = 100  # the number of the cell that `with_rule` adds, as if JupyterLab showed it


def batch(*rows: tuple[str, str, str], truck: int = 4) -> tuple[pa.Table, pa.Table]:
    """(raw rows, files): rows of time, payment and total in one file of a truck."""
    names = ("timestamp", "type", "total")
    numbered = [{"file_id": 1, "row_number": n} | dict(zip(names, row, strict=True)) for n, row in enumerate(rows, 1)]
    file = {"file_id": [1], "truck_id": [truck], "uploaded_at": [datetime(2026, 11, 6, tzinfo=UTC)],
            "window_from": [None], "window_to": [None]}  # fmt: skip
    kinds = [pa.int64(), pa.int32(), UTC_STAMP, UTC_STAMP, UTC_STAMP]
    files = pa.table({name: pa.array(values, kind) for (name, values), kind in zip(file.items(), kinds, strict=True)})
    return pa.Table.from_pylist(numbered, schema=RAW_SCHEMA), files


def with_rule(cell: str) -> Rulebook:
    """The notebook's rules, and one more behind them."""
    book = Rulebook.of_folder()
    return Rulebook((*book.cells, cell), (*book.numbers, ONE_MORE))


def names_a_truck(cell: str) -> bool:
    """Whether a rule is about certain trucks: the notebook's examples are all of truck 1."""
    return ".truck" in cell


def edited(cells: dict[str, str]) -> Rulebook:
    """The folder's rules with these cells instead of those that state the rules of these codes ('' takes one out)."""
    book, left = Rulebook.of_folder(), dict(cells)
    made = []
    for cell, number in zip(book.cells, book.numbers, strict=True):
        code = next((code for code in left if f'("{code}"' in cell), None)
        made.append((cell if code is None else left.pop(code), number))
    assert not left, f"no cell states {', '.join(left)}"
    return Rulebook(*zip(*((cell, number) for cell, number in made if cell), strict=True))


def put_in_force(monkeypatch: pytest.MonkeyPatch, book: Rulebook) -> None:
    """Let this process clean and validate by these rules, as after an edit of the notebook."""
    monkeypatch.setattr(Rulebook, "of_folder", classmethod(lambda cls: book))
    monkeypatch.setattr(Rulebook, "in_force", classmethod(lambda cls: book))


def limit(monkeypatch: pytest.MonkeyPatch, pence: int) -> None:
    """Edit the rule that says how large a total may be."""
    cell = f'rules.reject("above_limit", "The total is far above anything sold.", when=rows.pence > {pence})'
    put_in_force(monkeypatch, edited({"above_limit": cell}))


def reading(monkeypatch: pytest.MonkeyPatch, *totals: str, as_: str) -> None:
    """Add a rule that reads these totals as another."""
    cell = f"rules.read('total', *{totals!r}, as_={as_!r})"
    put_in_force(monkeypatch, Rulebook((cell, *Rulebook.of_folder().cells)))
