"""Files of providers and banks that say what another one says, so that its lines would count again: a statement in
another format (OFX beside CSV, or another bank layout), or a provider's export in another folder."""

import json
from typing import Any

import sqlalchemy as sa

# What makes two lines look like one although their identities differ, and the day of a line.
_LIKE = {
    "bank_line": ("booked_on, amount_pence", "booked_on"),
    "settlement": ("provider, line_kind, line_id, occurred_at", "business_date"),
}
# The file with most of these lines. The second of two equal lines of a file is like the second of two in the other.
_COMMON = """
    WITH own AS (
        SELECT {like}, {day} AS day, row_number() OVER (PARTITION BY {like}) AS nth
        FROM jsonb_populate_recordset(NULL::core.{table}, CAST(:lines AS jsonb))
        WHERE identity NOT IN (SELECT identity FROM core.{table} WHERE counts)
    ),

    other AS (
        SELECT file_id, key, {like}, {day} AS day, row_number() OVER (PARTITION BY file_id, {like}) AS nth
        FROM core.{table} AS line
        JOIN ops.source_file USING (file_id)
        WHERE counts AND key <> :key AND NOT may_repeat
          AND {day} BETWEEN (SELECT min(day) FROM own) AND (SELECT max(day) FROM own) AND identity NOT IN (
              SELECT identity FROM jsonb_populate_recordset(NULL::core.{table}, CAST(:lines AS jsonb)))
    ),

    file AS (SELECT file_id, key, count(*) AS lines, min(day) AS first, max(day) AS last FROM other GROUP BY 1, 2),

    shared AS (SELECT file_id, count(*) AS same FROM own JOIN other USING ({like}, nth) GROUP BY file_id)

    SELECT key, same, (SELECT count(*) FROM own) AS own
    FROM file
    JOIN shared USING (file_id)
    CROSS JOIN LATERAL (SELECT least(lines, count(*)) AS lines FROM own WHERE day BETWEEN first AND last) AS shorter
    WHERE 2 * same > shorter.lines AND same >= greatest(2, least(3, shorter.lines))
    ORDER BY same DESC, file_id
    LIMIT 1
"""


def said(db: sa.Connection, key: str, table: str, lines: list[dict[str, Any]]) -> str | None:
    """Why a file of these lines is held; None where its lines are new, or the same word for word as in another
    file, where they count once.

    Held: of the days that it and one loaded file cover, more than half of the lines of the shorter one are also in the
    other; at least three, or two where it has no more. A file that a person released, and its newer versions, stay as
    decided."""
    if not lines:
        return None
    like, day = _LIKE[table]
    query = sa.text(_COMMON.format(table=table, like=like, day=day))
    found = db.execute(query, {"key": key, "lines": json.dumps(lines)}).one_or_none()
    if found is None:
        return None
    what = "day and amount" if table == "bank_line" else "provider, id and time"
    return (f"{found.same:,} of its {found.own:,} lines have {what} of lines in {found.key}: "
            "release it only if both are right.")  # fmt: skip
