"""Changes of figures that were loaded before: recorded by each load and decision in its own transaction."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from t3lib.warehouse.db.cursor import Cursor

CAUSES: dict[str, str] = {
    "new_version": "A file was uploaded again under the same key.",
    "late_file": "A file came after its day was over and its figures had been shown.",
    "released": "A person released a file that was held.",
    "held": "A person held a file that was loaded.",
    "again": "Files were cleaned again under the present rules.",
    "metadata": "Trucks, menus, costs or pitches changed.",
    "applied": "A person applied today's menu, costs or pitches to days before.",
    "repair": "A person repaired a rejected row.",
    "replay": "The present rules accept rows that were rejected.",
    "undo": "A person took a decision back.",
    "rebuild": "A rollup differed from the sales and was rebuilt.",
}
# The same in few words, for pages and mails.
CAUSE_WORDS = {
    "new_version": "file corrected",
    "late_file": "file came late",
    "released": "file released",
    "held": "file withdrawn",
    "again": "cleaned again",
    "metadata": "metadata changed",
    "applied": "a list applied to the past",
    "repair": "rows repaired",
    "replay": "rejected rows accepted",
    "undo": "repair undone",
    "rebuild": "rollup rebuilt",
}
_LABELLED = ("cause", "key", "truck_id", "business_date")
_VALUES = (*_LABELLED, "local_hour", "payment_type", "total_pence")

# before: the rollup as this transaction finds it, plus the changes by causes recorded before this one.
_RECORD = """
    WITH moved AS (
        SELECT cause, truck_id, business_date, sum(rows)::bigint AS rows, sum(pence)::bigint AS pence,
               array_agg(DISTINCT key ORDER BY key) AS keys
        FROM restated
        GROUP BY cause, truck_id, business_date
    ),

    existing AS (
        SELECT moved.*,
               coalesce(rollup.rows, 0)::bigint AS rollup_rows, coalesce(rollup.pence, 0)::bigint AS rollup_pence,
               sum(moved.rows) OVER same_day - moved.rows AS rows_sooner,
               sum(moved.pence) OVER same_day - moved.pence AS pence_sooner
        FROM moved
        LEFT JOIN LATERAL (
            SELECT sum(transactions) AS rows, sum(total_pence) AS pence FROM mart.sales_hourly
            WHERE sales_hourly.business_date = moved.business_date AND sales_hourly.truck_id = moved.truck_id
        ) AS rollup ON true
        WINDOW same_day AS (PARTITION BY moved.truck_id, moved.business_date ORDER BY moved.cause)
    )

    INSERT INTO ops.restatement (cause, truck_id, business_date, rows_before, rows_after, pence_before, pence_after,
                                 keys, batch_id, actor, why)
    SELECT cause, truck_id, business_date, rollup_rows + rows_sooner, rollup_rows + rows_sooner + rows,
           rollup_pence + pence_sooner, rollup_pence + pence_sooner + pence, keys, nullif($1, ''), $2, $3
    FROM existing
    ORDER BY cause, truck_id, business_date
"""


@dataclass(frozen=True)
class Label:
    """Why a file's rows change earlier figures; days from `until` on are left out."""

    cause: str
    key: str
    until: date | None = None


def record(cursor: Cursor, inserted: pa.Table, deleted: pa.Table, labels: dict[int, Label], *, batch_id: str = "",
           actor: str = "", why: str = "") -> None:  # fmt: skip
    """Record what these sales (columns of core.sale) change; call it before the rollups are updated.

    labels: by file_id; rows of other files are no restatement."""
    if not labels:
        return
    moved = net(inserted, deleted, labels)
    if moved.num_rows:
        cursor.temporary_table("restated", moved)
        cursor.execute(_RECORD, [batch_id, actor, why])
        cursor.execute("DROP TABLE restated")


def net(inserted: pa.Table, deleted: pa.Table, labels: dict[int, Label]) -> pa.Table:
    """Change of rows and pence per cause x file x truck x day, where any hour, payment or price changed."""
    both = pa.concat_tables([inserted, deleted])
    both = both.append_column("rows", pa.array(np.repeat([1, -1], [inserted.num_rows, deleted.num_rows]), pa.int64()))
    known = pa.array(list(labels), pa.int64())
    both = both.filter(pc.is_in(both["file_id"], value_set=known))
    at = pc.index_in(both["file_id"], value_set=known)
    for name, kind in (("cause", pa.string()), ("key", pa.string()), ("until", pa.date32())):
        both = both.append_column(name, pa.array([getattr(label, name) for label in labels.values()], kind).take(at))
    both = both.filter(pc.fill_null(pc.less(both["business_date"], both["until"]), True))
    values = both.group_by(list(_VALUES)).aggregate([("rows", "sum")])
    values = values.filter(pc.not_equal(values["rows_sum"], 0))
    pence = pc.multiply(values["rows_sum"], values["total_pence"].cast(pa.int64()))
    days = values.append_column("pence", pence).group_by(list(_LABELLED))
    days = days.aggregate([("rows_sum", "sum"), ("pence", "sum")])
    return days.rename_columns([*_LABELLED, "rows", "pence"])
