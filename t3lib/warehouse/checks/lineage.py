"""From a figure to its rows: files, raw text, decisions, executed notebooks. Any role may read it."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from t3lib import feed
from t3lib.landing import Landing, ObjectChangedError
from t3lib.settings import settings
from t3lib.warehouse.checks import deciding_rules
from t3lib.warehouse.files import rulesets

Record = dict[str, Any]
NOT_IN_BUCKET = "The bucket no longer holds this version of the file."

_FIGURE = """
    SELECT coalesce(sum(transactions), 0)::bigint AS transactions, coalesce(sum(total_pence), 0)::bigint AS pence
    FROM mart.sales_hourly
    WHERE truck_id = :truck AND business_date = :day AND (CAST(:hour AS integer) IS NULL OR local_hour = :hour)
      AND (:every_payment OR payment_type = ANY(CAST(:payments AS text[])))
"""
_OF_FIGURE = """
    WHERE sale.truck_id = :truck AND sale.business_date = :day
      AND (CAST(:hour AS integer) IS NULL OR sale.local_hour = :hour)
      AND (:every_payment OR sale.payment_type = ANY(CAST(:payments AS text[])))
"""
_SUM = f"""
    SELECT count(*) AS transactions, coalesce(sum(total_pence), 0)::bigint AS pence FROM mart.sale
    {_OF_FIGURE}
"""
_SALES = f"""
    SELECT sale.file_id, sale.row_number, sale.sold_at, sale.payment_type, sale.total_pence, sale.flags,
           rejected.status AS decision
    FROM mart.sale
    LEFT JOIN mart.rejected ON rejected.file_id = sale.file_id AND rejected.row_number = sale.row_number
    {_OF_FIGURE}
    ORDER BY sale.sold_at, sale.file_id, sale.row_number
    LIMIT :limit OFFSET :skip
"""
_REJECTED = """
    FROM mart.rejected
    JOIN mart.file USING (file_id)
    WHERE rejected.truck_id = :truck AND business_date = :day AND file.state = 'loaded'
      AND status IN ('open', 'dismissed')
      AND (CAST(:hour AS integer) IS NULL OR extract(hour FROM rejected.sold_at AT TIME ZONE :zone) = :hour)
"""
_REJECTS = f"""
    SELECT file_id, row_number, raw_timestamp, raw_type, raw_total, raw_line, rejected.reason, suggested_pence,
           status, rejected.ruleset, rejected.sentence
    {_REJECTED}
    ORDER BY rejected.sold_at, file_id, row_number
    LIMIT :limit OFFSET :skip
"""
_REJECTS_COUNT = f"SELECT count(*) {_REJECTED}"
_FILES = f"""
    WITH sold AS (
        SELECT file_id, count(*) AS transactions, sum(total_pence)::bigint AS pence
        FROM mart.sale
        {_OF_FIGURE}
        GROUP BY file_id
    )

    SELECT file.file_id, file.key, file.etag, file.state, file.finished_at, file.deleted_at, file.columns_not_read,
           file.ruleset,
           file.rows_read, file.rows_loaded, file.rows_rejected, coalesce(sold.transactions, 0) AS transactions,
           coalesce(sold.pence, 0)::bigint AS pence
    FROM mart.file
    LEFT JOIN sold USING (file_id)
    WHERE sold.file_id IS NOT NULL OR file.file_id = ANY(:files)
    ORDER BY file.key
"""
_RUNS = """
    SELECT DISTINCT run_id, batch_id, notebook, state, started_at, seconds, git_commit, executed_copy, ruleset
    FROM mart.file_run
    WHERE file_id = ANY(:files)
    ORDER BY started_at, run_id
"""


@dataclass(frozen=True)
class Question:
    """Which figure is traced: a truck's business day, or one local hour of it; of some payment types or all."""

    truck_id: int
    business_date: date
    hour: int | None = None
    payments: tuple[str, ...] = ()

    @property
    def bound(self) -> Record:
        """The parameters of every query here."""
        zone = settings().timezone
        paid = {"every_payment": not self.payments, "payments": list(self.payments)}
        return {"truck": self.truck_id, "day": self.business_date, "hour": self.hour, "zone": zone, **paid}


def trace(db: sa.Connection, question: Question, landing: Landing | None = None, limit: int = 500) -> Record:
    """All the way from a figure to its rows, as one structure (at most `limit` rows, oldest first; `rows` and
    `rejected` count all of them).

    landing: where the raw text is read, by pinned version; without it only rejected rows show theirs."""
    lines, refused = sales(db, question, limit), rejects(db, question, limit)
    found = files(db, question, sorted({row["file_id"] for row in refused}))
    found = with_raw_text(found, [*lines, *refused], landing) if landing else found
    return {
        "truck_id": question.truck_id,
        "truck": truck_name(db, question.truck_id),
        "business_date": question.business_date,
        "hour": question.hour,
        **figure(db, question),
        "files": found,
        "sales": lines,
        "rejects": refused,
        "rejected": count_rejects(db, question),
        "rules": deciding_rules.deciding(db, found, lines, refused),
        "runs": runs(db, [row["file_id"] for row in found]),
    }


def figure(db: sa.Connection, question: Question) -> Record:
    """The figure of the rollup, the sum of the sales, and whether both agree."""
    rollup = db.execute(sa.text(_FIGURE), question.bound).mappings().one()
    rows = db.execute(sa.text(_SUM), question.bound).mappings().one()
    return {"figure": dict(rollup), "rows": dict(rows), "agrees": dict(rollup) == dict(rows)}


def files(db: sa.Connection, question: Question, also: list[int] | None = None) -> list[Record]:
    """The files of a figure with their share of it, and the files of `also`."""
    return _rows(db, _FILES, question.bound | {"files": also or []})


def sales(db: sa.Connection, question: Question, limit: int = 500, skip: int = 0) -> list[Record]:
    """The sales of a figure, oldest first; `decision` is repaired or replayed where the row was rejected first."""
    found, bits = _rows(db, _SALES, question.bound | {"limit": limit, "skip": skip}), rulesets.flags(db)
    return [row | {"flags": rulesets.names(bits, row["flags"])} for row in found]


def rejects(db: sa.Connection, question: Question, limit: int = 500, skip: int = 0) -> list[Record]:
    """The rows of that day (or hour, where they have one) that were not loaded."""
    return _rows(db, _REJECTS, question.bound | {"limit": limit, "skip": skip})


def count_rejects(db: sa.Connection, question: Question) -> int:
    """How many rejected rows these are."""
    return int(db.scalar(sa.text(_REJECTS_COUNT), question.bound) or 0)


def runs(db: sa.Connection, file_ids: list[int]) -> list[Record]:
    """The executed notebooks that handled these files; executed_copy is a path below T3_OUTPUTS."""
    return _rows(db, _RUNS, {"files": file_ids})


def with_raw_text(found: list[Record], lines: list[Record], landing: Landing) -> list[Record]:
    """Read each file's pinned version and add `raw` (the cells that are read) and `text` (the complete row as written)
    to its rows; a file that cannot be read says why in `missing`."""
    completed = []
    for file, data in zip(found, landing.read_many([(f["key"], f["etag"]) for f in found]), strict=True):
        own = [line for line in lines if line["file_id"] == file["file_id"]]
        completed.append(file | {"missing": _add_raw(file["key"], data, own)})
    return completed


def truck_name(db: sa.Connection, truck_id: int) -> str:
    """A truck's name, or its number where details.xlsx lacks it."""
    name = db.scalar(sa.text("SELECT name FROM core.truck WHERE truck_id = :truck"), {"truck": truck_id})
    return name or f"Truck {truck_id} (not in details.xlsx)"


def _add_raw(key: str, data: bytes | Exception, lines: list[Record]) -> str | None:
    if isinstance(data, ObjectChangedError):
        return NOT_IN_BUCKET
    if isinstance(data, Exception):
        raise data
    try:
        raw = feed.read(key, data)
        texts = feed.raw_text(key, data, [line["row_number"] for line in lines])
    except feed.FeedError as error:
        return str(error)
    for line in [line for line in lines if line["row_number"] in texts]:
        line["raw"] = raw.slice(line["row_number"] - 1, 1).to_pylist()[0]
        line["text"] = texts[line["row_number"]]
    return None


def _rows(db: sa.Connection, query: str, parameters: Record) -> list[Record]:
    return [dict(row) for row in db.execute(sa.text(query), parameters).mappings()]
