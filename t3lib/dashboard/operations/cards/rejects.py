"""Open rejects: how many of each reason, and the newest, each with links to repair or dismiss it."""

from dataclasses import replace

import sqlalchemy as sa

from t3lib.dashboard.html.cards import title
from t3lib.dashboard.operations import cells, lists
from t3lib.dashboard.operations.choices import Choices
from t3lib.money import pounds

# A union instead of one coalesce, so that both parts use an index.
_OPEN = """
    WITH waiting AS (
        SELECT * FROM ops.rejected_row
        WHERE status = 'open' AND business_date BETWEEN :first AND :last
        UNION ALL
        -- Rows without a readable day count for the day of their file.
        SELECT row.* FROM ops.rejected_row AS row JOIN ops.source_file AS file USING (file_id)
        WHERE status = 'open' AND business_date IS NULL AND batch_date BETWEEN :first AND :last
    )
"""
_REASONS = sa.text(f"""{_OPEN}
    SELECT reason, count(*) AS rows, count(suggested_pence) AS suggested FROM waiting
    WHERE CAST(:truck AS integer) IS NULL OR truck_id = :truck
    GROUP BY reason ORDER BY suggested DESC, rows DESC, reason
""")
_NEWEST = sa.text(f"""{_OPEN}
    SELECT count(*) OVER () AS of_all,
           row.file_id, row_number, row.truck_id, raw_timestamp, raw_type, coalesce(raw_line, raw_total) AS raw_total,
           row.reason, suggested_pence,
           coalesce(business_date, batch_date) AS day, key
    FROM waiting AS row JOIN ops.source_file AS file USING (file_id)
    WHERE state = 'loaded' AND (CAST(:truck AS integer) IS NULL OR row.truck_id = :truck)
      AND (CAST(:reason AS text) IS NULL OR row.reason = :reason)
    ORDER BY row.file_id DESC, row_number LIMIT :most OFFSET :skip
""")
_HEAD = ("Reason", "Row", "File", "Truck", "Day", "Time", "Payment", "Total", "Suggested", "")


def card(db: sa.Connection, choices: Choices) -> str:
    """Open rejects by reason, and the newest rows of the chosen reason."""
    found, shown = lists.read(db, _NEWEST, choices, "rejects", reason=choices.reason or None)
    rows = [
        (
            row.reason.replace("_", " "), row.row_number, cells.file_name(row.key), row.truck_id, row.day,
            cells.raw(row.raw_timestamp), cells.raw(row.raw_type), cells.raw(row.raw_total),
            pounds(row.suggested_pence),
            cells.request_links(choices, *((kind, text, {"file": row.file_id, "row": row.row_number})
                                           for kind, text in (("repair", "Repair"), ("dismiss", "Dismiss")))),
        )
        for row in found
    ]  # fmt: skip
    name = "Rejected rows to decide"
    top = title(name, "<span>the newest with the chosen reason</span>") + _reasons(db, choices)
    nothing = '<p class="t3-none">No rejected row of this choice is waiting for a decision.</p>'
    below = cells.table(name, _HEAD, rows, numbers=(1, 3, 8)) + lists.foot(choices, shown)
    return top + (below if rows else nothing)


def _reasons(db: sa.Connection, choices: Choices) -> str:
    """Links that filter by reason, each with its number of rows; reasons with suggestions come first."""
    found = list(db.execute(_REASONS, choices.bound))
    every = ("", sum(row.rows for row in found), 0)
    chips = "".join(_chip(choices, *row) for row in ([every, *found] if found else []))
    return f'<p class="t3-chips t3-reasons">{chips}</p>'


def _chip(choices: Choices, reason: str, rows: int, suggested: int) -> str:
    text = f"{reason.replace('_', ' ') or 'every reason'} {rows:,}" + (f" ({suggested:,} suggested)" * bool(suggested))
    classes = "t3-button mod-active" if reason == choices.reason else "t3-button"
    return cells.link(replace(choices, reason=reason, do="", about=(), pages=()), text, classes)
