"""Decisions of people, made here or at a terminal; the latest decision on a row can be taken back."""

import sqlalchemy as sa

from t3lib.dashboard.operations import cells, lists
from t3lib.dashboard.operations.choices import Choices

_DECISIONS = sa.text("""
    WITH rows AS (
        SELECT repair_id, made_at, action, actor, why, key, repair.file_id, row_number, total_pence,
               file.state = 'loaded' AND repair_id = (
                   SELECT max(repair_id) FROM ops.repair AS later
                   WHERE (later.file_id, later.row_number) = (repair.file_id, repair.row_number)) AS active
        FROM ops.repair JOIN ops.source_file AS file USING (file_id)
        -- A decision that was carried to a newer version of its file is listed once, with that version.
        WHERE (action NOT IN ('carry', 'accept') OR (action = 'carry' AND file.state = 'loaded'))
          AND CASE WHEN CAST(:day AS date) IS NULL THEN made_at >= :since ELSE batch_date = :day END
          AND (CAST(:truck AS integer) IS NULL OR truck_id = :truck)
    ),
    others AS (
        SELECT audit_id, made_at, action, actor, why, subject
        FROM ops.audit
        LEFT JOIN LATERAL (
            SELECT truck_id, batch_date FROM ops.source_file WHERE key = subject ORDER BY file_id DESC LIMIT 1
        ) AS file ON true
        WHERE (CAST(:truck AS integer) IS NULL OR truck_id = :truck)
          AND CASE WHEN CAST(:day AS date) IS NULL THEN made_at >= :since
                   ELSE batch_date = :day OR (subject LIKE '____-__-__..____-__-__'
                        AND CAST(:day AS text) BETWEEN left(subject, 10) AND right(subject, 10)) END
    ),
    every AS (
        SELECT made_at, action, actor, why, key AS subject, file_id, row_number, active, repair_id AS id FROM rows
        UNION ALL
        SELECT made_at, action, actor, why, subject, NULL, NULL, false, audit_id FROM others
    )
    SELECT count(*) OVER () AS of_all, * FROM every ORDER BY made_at DESC, id DESC LIMIT :most OFFSET :skip
""")
_HEAD = ("Decision", "When", "By", "About", "Why", "")
_REVERSIBLE = ("repair", "dismiss", "replay", "carry")


def card(db: sa.Connection, choices: Choices) -> str:
    """The decisions of this choice, latest first."""
    found, shown = lists.read(db, _DECISIONS, choices, "decisions", day=choices.day)
    rows = [
        (row.action.capitalize(), row.made_at, cells.shorter(row.actor, 30), _about(row), cells.shorter(row.why, 80),
         cells.request_links(choices, ("undo", "Take back", {"file": row.file_id, "row": row.row_number}))
         if row.active and row.action in _REVERSIBLE else _about_item(choices, row))
        for row in found
    ]  # fmt: skip
    return cells.card("Decisions", _HEAD, rows, nothing="No decisions in this choice.",
                      aside="made by people, kept permanently" if rows else "",
                      foot=lists.foot(choices, shown))  # fmt: skip


def _about_item(choices: Choices, row: sa.Row) -> object:
    """A link that takes back what was decided about an item between sales and bank."""
    if row.action not in ("explain", "write_off"):
        return ""
    return cells.request_links(choices, ("undo_item", "Take back", {"item": row.subject}))


def _about(row: sa.Row) -> object:
    if row.row_number is None:
        return cells.shorter(row.subject, 80)
    return cells.shorter(f"row {row.row_number:,} of {row.subject}", 80)
