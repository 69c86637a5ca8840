"""Every code that the ledger uses, in plain words: `python -m t3lib.warehouse.checks.codes > docs/reasons.md`."""

import json
from collections.abc import Sequence

from t3lib.cleaning import Rulebook, rulebook
from t3lib.cleaning.examples import Example, text
from t3lib.settings import ROOT
from t3lib.warehouse.decisions.rejects import STATUSES
from t3lib.warehouse.files.file_outcomes import OUTCOMES
from t3lib.warehouse.files.reprocessing import REPROCESSED
from t3lib.warehouse.sales.restatements import CAUSES

# How the same row may be written: the content of a file, or a total, and what is read from it.
_SAMPLE = "timestamp,type,total\n2026-11-05 12:00:00+00:00,card,4.99\n"
FILE_SPELLINGS: dict[str, bytes] = {
    "UTF-8, with or without a byte order mark": b"\xef\xbb\xbf" + _SAMPLE.encode(),
    "UTF-16 with its byte order mark": _SAMPLE.encode("utf-16"),
    "Latin-1, where it is not UTF-8": _SAMPLE.replace("4.99", "£4.99").encode("latin-1"),
    "lines that end in LF, CRLF or CR; empty lines between them": _SAMPLE.replace("\n", "\r\n\r\n").encode(),
    "fields separated by commas, semicolons or tabs, as in the first line": _SAMPLE.replace(",", ";").encode(),
    "fields in quotes": _SAMPLE.replace("card", '"card"').replace("4.99", '"4.99"').encode(),
    "columns in any order and case, among others": b"Total,till,TYPE,Timestamp\n4.99,1,card,2026-11-05 12:00Z\n",
    "a time with a T, without seconds, or with an offset (none means UTC)": _SAMPLE.replace(
        "2026-11-05 12:00:00+00:00", "2026-11-05T13:00+01:00").encode(),
    "a payment in any case, with spaces around it": _SAMPLE.replace("card", " CARD ").encode(),
}  # fmt: skip
TOTAL_SPELLINGS: dict[str, int] = {
    "7": 700, "9.6": 960, "8.70": 870, ".5": 50, " 5.00 ": 500, "£7.50": 750, "5 GBP": 500, "7,50": 750,
    "1,234.50": 123450, "1,234": 123400, "9.600": 960,
}  # fmt: skip

_INTRODUCTION = """# Reasons, warnings and outcomes

Nothing is dropped silently: every row and every file of the bucket gets one of these codes.
This page is made from the code (`python -m t3lib.warehouse.checks.codes > docs/reasons.md`) and tested against it.
"""
_SPELLINGS = """
## How files may be written

A file is read if it can be read in one way only; otherwise it is refused with a reason, never guessed.
The same sale is read from

"""
_LINES = """
In a file with commas between its cells, an amount with a comma is in quotes: `"1,234.50"`.

Every line below the first is a row. A quoted cell may go on over several lines; quotes in it are doubled. A file is
refused, with the line named, where a quote is never closed, is within an unquoted cell or has text behind it, and
where a cell of several lines contains one that reads like a row. A row with more or fewer cells than the first line
has names is rejected and kept as a whole.

Columns besides these three are not read; `t3 files` and the operations page name them, and `t3 trace` shows complete
rows. A column that may say that rows are no sales (`status`, `state`, `refunded`, `voided` and the like, other than
*paid* or *no* in every row) holds the file; `t3 files release KEY --why "..."` takes every row as a sale.
"""
_LISTS = """
## How details.xlsx, menu.csv, pitches.csv and costs.csv may be written

Names of columns and sheets may be in any case, with blanks or hyphens for underscores. A file is refused, and its
previous version stays in force, where anything may mean two things: an unknown or repeated column or sheet, a value
without a column name, a row with more or fewer cells than the first line has names, the same truck, place, dish or
cost twice, merged cells, an error of Excel, a formula without its value. A unit cost or a cost may be 0, a price may
not. Invisible characters are removed from names.
"""
_REJECTED = """
## Rows that are not loaded

They stand in `ops.rejected_row` with their raw text. The rules are the cells of `notebooks/2_clean.ipynb`; the first
that rejects a row gives its reason, in the order of this table. Examples are of a truck whose menu has the one price
4.99, with what is suggested. `t3 rejects list --reason CODE` shows them.
"""
_STATUSES = """
## What became of such a row
"""
_FLAGS = """
## Rows that are loaded with a warning

They are sales; `core.sale.flags` is the sum of their numbers in `mart.reason`.
"""
_OUTCOMES = """
## What becomes of a file

One line per object version in `ops.source_file`. `t3 files --state CODE` shows them. A loaded file that left the
bucket stays loaded; `deleted_at` says when a sweep first missed it.
"""
_AGAIN = """
## What becomes of a file that is reprocessed

`t3 ingest --reprocess DATE..DATE`, and changed menus, reprocess loaded files; each ends under one of these.
"""
_CAUSES = """
## Why figures change after they were shown

One line per cause, truck and business day in `mart.restatement`, with rows and pence before and after.
"""


def markdown() -> str:
    """docs/reasons.md."""
    parts = [
        _INTRODUCTION,
        _SPELLINGS + "".join(f"- {spelling}\n" for spelling in FILE_SPELLINGS),
        _table(("total", "pence"), [(f"`{total}`", str(pence)) for total, pence in TOTAL_SPELLINGS.items()]),
        _LINES,
        _LISTS,
        _REJECTED,
        _table(("code", "what it means", "example: time, payment, total"), _rejecting()),
        _STATUSES,
        _table(("code", "what it means"), _coded(STATUSES)),
        _FLAGS,
        _table(("code", "what it means", "example: time, payment, total"), _flagging()),
        _OUTCOMES,
        _table(("code", "what it means"), _coded(OUTCOMES)),
        _AGAIN,
        _table(("code", "what it means"), _coded(REPROCESSED)),
        _CAUSES,
        _table(("code", "what it means"), _coded(CAUSES)),
    ]  # fmt: skip
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def _rejecting() -> list[tuple[str, ...]]:
    shown = {example[-1].split(":")[0]: text(example) for example in _examples()}
    rules = Rulebook.of_folder().stated().values()
    return [(f"`{rule.code}`", rule.sentence, _code(shown.get(rule.code))) for rule in rules if rule.rejects]


def _flagging() -> list[tuple[str, ...]]:
    shown = {flag: text(example) for example in _examples() for flag in example[-1].split(", ")[1:]}
    rules = Rulebook.of_folder().stated().values()
    return [(f"`{rule.code}`", rule.sentence, _code(shown.get(rule.code))) for rule in rules if not rule.rejects]


def _examples() -> list[Example]:
    """The last first: of several with one outcome the first is shown."""
    return rulebook.examples(json.loads((ROOT / "notebooks" / "2_clean.ipynb").read_text(encoding="utf-8")))[::-1]


def _code(text: str | None) -> str:
    return f"`{text}`" if text else "–"


def _coded(codes: dict[str, str]) -> list[tuple[str, str]]:
    return [(f"`{code}`", text) for code, text in codes.items()]


def _table(titles: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [titles, tuple("---" for _ in titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    print(markdown(), end="")
