"""The rows that were not loaded: how many of each reason, and the newest of them with what can be done."""

from dataclasses import replace
from functools import partial

import sqlalchemy as sa

from t3lib.dashboard.cards import title
from t3lib.dashboard.operations import cells
from t3lib.dashboard.operations.choices import Choices
from t3lib.money import pounds
from t3lib.warehouse import rejects

MOST = 15
_REASONS = sa.text("""
    SELECT reason, count(*) AS rows, count(suggested_pence) AS suggested
    FROM (
        SELECT reason, suggested_pence FROM ops.rejected_row
        WHERE status = 'open' AND business_date BETWEEN :first AND :last
          AND (CAST(:truck AS integer) IS NULL OR truck_id = :truck)
        UNION ALL
        -- Rows whose own day cannot be read count for their file's.
        SELECT row.reason, suggested_pence FROM ops.rejected_row AS row JOIN ops.source_file AS file USING (file_id)
        WHERE status = 'open' AND row.business_date IS NULL AND file.batch_date BETWEEN :first AND :last
          AND (CAST(:truck AS integer) IS NULL OR row.truck_id = :truck)
    ) AS found
    GROUP BY reason ORDER BY count(suggested_pence) DESC, count(*) DESC, reason
""")
_HEAD = ("Reason", "Row", "File", "Truck", "Day", "Time", "Payment", "Total", "Suggested", "")


def card(db: sa.Connection, choices: Choices) -> str:
    """Open rejects by reason, and the newest of those that are chosen, each with links that repair or dismiss it."""
    scope, offer = choices.scope, partial(cells.asking, choices)
    found = rejects.listed(db, reason=choices.reason or None, truck=choices.truck, first=scope.first, last=scope.last,
                           limit=MOST)  # fmt: skip
    rows = [
        (
            row["reason"].replace("_", " "), row["row_number"], cells.file_name(row["key"]), row["truck_id"],
            row["business_date"], cells.raw(row["raw_timestamp"]), cells.raw(row["raw_type"]),
            cells.raw(row["raw_total"]), pounds(row["suggested_pence"]),
            offer(*((kind, text, {"file": row["file_id"], "row": row["row_number"]})
                    for kind, text in (("repair", "Repair"), ("dismiss", "Dismiss")))),
        )
        for row in found
    ]  # fmt: skip
    name = "Rejected rows to decide"
    top = title(name, "<span>the newest of the reason that is chosen</span>") + _reasons(db, choices)
    nothing = '<p class="t3-none">No row of this choice waits for a decision.</p>'
    return top + (cells.table(name, _HEAD, rows, numbers=(1, 3, 8)) if rows else nothing)


def _reasons(db: sa.Connection, choices: Choices) -> str:
    """How many of each reason, those with suggestions first; each chooses its rows."""
    found = list(db.execute(_REASONS, choices.bound))
    every = ("", sum(row.rows for row in found), 0)
    chips = "".join(_chip(choices, *row) for row in ([every, *found] if found else []))
    return f'<p class="t3-chips t3-reasons">{chips}</p>'


def _chip(choices: Choices, reason: str, rows: int, suggested: int) -> str:
    text = f"{reason.replace('_', ' ') or 'every reason'} {rows:,}" + (f" ({suggested:,} suggested)" * bool(suggested))
    classes = "t3-button mod-active" if reason == choices.reason else "t3-button"
    return cells.link(replace(choices, reason=reason, do="", about=()), text, classes)
