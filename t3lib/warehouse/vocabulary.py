"""Every code that the ledger uses, in plain words: `python -m t3lib.warehouse.vocabulary > docs/reasons.md`."""

from t3lib.cleaning.reasons import FLAG_SENTENCES, FLAGS, REASONS
from t3lib.warehouse.again import AGAIN
from t3lib.warehouse.outcomes import OUTCOMES
from t3lib.warehouse.rejects import STATUSES
from t3lib.warehouse.restatement import CAUSES

# One row (timestamp, type, total) per reason, at a truck whose only price is 4.99, uploaded on 5 Nov 2026.
EXAMPLES: dict[str, tuple[str, str, str]] = {
    "missing_total": ("2026-11-05 12:00:00+00:00", "card", "blank"),
    "void": ("2026-11-05 12:00:00+00:00", "card", "VOID"),
    "error_marker": ("2026-11-05 12:00:00+00:00", "card", "ERR"),
    "not_a_number": ("2026-11-05 12:00:00+00:00", "card", "seven"),
    "zero": ("2026-11-05 12:00:00+00:00", "card", "0.00"),
    "negative": ("2026-11-05 12:00:00+00:00", "card", "-4.99"),
    "decimal_shift": ("2026-11-05 12:00:00+00:00", "card", "499"),
    "above_limit": ("2026-11-05 12:00:00+00:00", "card", "25"),
    "bad_timestamp": ("5 November, noon", "card", "4.99"),
    "future": ("2027-11-05 12:00:00+00:00", "card", "4.99"),
    "too_old": ("1970-01-01 00:00:00+00:00", "card", "4.99"),
    "unknown_payment_type": ("2026-11-05 12:00:00+00:00", "cheque", "4.99"),
}

_INTRODUCTION = """# Reasons, warnings and outcomes

Nothing is dropped silently: every row and every file of the bucket ends under one of these codes.
This page is made from the code (`python -m t3lib.warehouse.vocabulary > docs/reasons.md`) and tested against it.
"""
_REJECTED = """
## Rows that are not loaded

They stand in `ops.rejected_row` with their raw text. The total's reason goes before the time's, the time's before
the payment's. Examples are of a truck whose menu has the one price 4.99. A total may be five times the dearest
price on the menu, or else the dearest that the truck sold often, or else `T3_LIMIT_PENCE`.
`t3 rejects list --reason CODE` shows them.
"""
_STATUSES = """
## What became of such a row
"""
_FLAGS = """
## Rows that are loaded with a warning

They are sales; `core.sale.flags` is the sum of these numbers.
"""
_OUTCOMES = """
## What becomes of a file

One line per object version in `ops.source_file`. `t3 files --state CODE` shows them. A loaded file that left the
bucket stays loaded; `deleted_at` says when a sweep first missed it.
"""
_AGAIN = """
## What becomes of a file that is cleaned again

`t3 ingest --again DATE..DATE`, and changed menus, clean loaded files again; each ends under one of these.
"""
_CAUSES = """
## Why figures change after they were shown

One line per cause, truck and business day in `mart.restatement`, with rows and pence before and after.
"""


def markdown() -> str:
    """docs/reasons.md."""
    parts = [
        _INTRODUCTION,
        _REJECTED,
        _table(("code", "what it means", "example: time, payment, total"),
               [(f"`{code}`", text, f"`{', '.join(EXAMPLES[code])}`") for code, text in REASONS.items()]),
        _STATUSES,
        _table(("code", "what it means"), _coded(STATUSES)),
        _FLAGS,
        _table(("code", "number", "what it means"),
               [(f"`{code}`", str(FLAGS[code]), text) for code, text in FLAG_SENTENCES.items()]),
        _OUTCOMES,
        _table(("code", "what it means"), _coded(OUTCOMES)),
        _AGAIN,
        _table(("code", "what it means"), _coded(AGAIN)),
        _CAUSES,
        _table(("code", "what it means"), _coded(CAUSES)),
    ]  # fmt: skip
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def _coded(codes: dict[str, str]) -> list[tuple[str, str]]:
    return [(f"`{code}`", text) for code, text in codes.items()]


def _table(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [titles, tuple("---" for _ in titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    print(markdown(), end="")
