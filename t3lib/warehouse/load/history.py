"""The lists that hold from a day until the next: a new version of a list takes its place among what held before.

Rules, in docs/metadata.md: what a version names counts from its own date, else from the day on which the version was
uploaded; the days before keep what held on them. Where a list was empty, a version counts for every day before, too."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from t3lib import business_day
from t3lib.business_day import BEGINNING, END
from t3lib.settings import settings


@dataclass(frozen=True)
class History:
    """A table whose rows hold for a span of time. `thing` says what a row is about; the same thing holds once at a
    moment. `span` is the row's own range, `kind` its type; `given` are the record's columns of when it holds. `lasts`:
    it holds until something else is said of the same thing; a stay of a truck does not."""

    table: str
    thing: tuple[str, ...]
    values: tuple[str, ...]
    span: str
    kind: str
    given: tuple[str, str]
    types: dict[str, str]
    lasts: bool = True

    @property
    def multirange(self) -> str:
        """The type of several spans."""
        return self.kind.replace("range", "multirange")


HISTORIES = {
    "menu_item": History(
        "core.menu_item", ("truck_id", "lower(menu_item)"),
        ("truck_id", "menu_item", "menu_type", "price_pence", "unit_cost_pence", "vat_pct"), "on_menu", "tstzrange",
        ("from_at", "to_at"),
        {"truck_id": "integer", "price_pence": "integer", "unit_cost_pence": "integer", "vat_pct": "numeric"},
    ),
    "cost": History(
        "core.cost", ("coalesce(truck_id, 0)", "lower(cost)"), ("truck_id", "cost", "amount", "per"),
        "daterange(from_date, to_date)", "daterange", ("from_date", "to_date"),
        {"truck_id": "integer", "amount": "numeric"},
    ),
    "pitch": History(
        "core.pitch", ("truck_id",),
        ("truck_id", "location_id", "stay_from", "event", "fee_pence", "fee_per", "fee_percent"),
        "tstzrange(from_at, to_at)", "tstzrange", ("from_at", "to_at"),
        {"truck_id": "integer", "location_id": "integer", "stay_from": "timestamptz", "fee_pence": "integer",
         "fee_percent": "numeric"}, lasts=False,
    ),
}  # fmt: skip

# What a version says, each row until the next one of the same thing. :begins is when rows without a date begin; on days
# of a dated row of the same thing that one holds.
_STATED = """
    CREATE TEMP TABLE stated ON COMMIT DROP AS
    WITH record AS (
        SELECT {typed}, coalesce(file_id, CAST(:file_id AS bigint)) AS file_id, coalesce({begin}, :begins) AS begins,
               coalesce({end}, :ends) AS ends, {begin} IS NOT NULL AS is_dated
        FROM jsonb_to_recordset(CAST(:records AS jsonb)) AS record ({columns})
    ),

    ordered AS (
        SELECT {values}, file_id, is_dated, begins,
               least(ends, lead(begins) OVER (PARTITION BY {thing}, is_dated ORDER BY begins, ends)) AS ends
        FROM record
    ),

    said AS (
        SELECT {values}, file_id, is_dated, {multirange}({kind}(begins, ends)) AS spans, {thing_named}
        FROM ordered
        WHERE begins < ends
    ),

    fixed AS (SELECT {names}, range_agg(spans) AS spans FROM said WHERE is_dated GROUP BY {names})

    SELECT {values}, file_id, CAST('' AS text) AS note,
           unnest(CASE WHEN is_dated THEN said.spans
                       ELSE said.spans - coalesce(fixed.spans, {multirange}()) END) AS span
    FROM said
    LEFT JOIN fixed USING ({names})
"""
# A dish or cost that the version names holds as before until its first date; what it does not name, until :from.
_DATED = """
    CREATE TEMP TABLE dated ON COMMIT DROP AS
    WITH named AS (
        SELECT {thing_named}, range_agg(span) AS spans, {until} AS until
        FROM stated
        GROUP BY {numbers}
    ),

    kept AS (
        SELECT {values}, file_id, note,
               {multirange}({span}) * {multirange}({kind}(NULL, coalesce(named.until, :from)))
               - coalesce(named.spans, {multirange}()) AS spans
        FROM (SELECT *, {thing_named} FROM {table}) AS old
        LEFT JOIN named USING ({names})
    ),

    every AS (
        SELECT {values}, file_id, note, unnest(spans) AS span FROM kept
        UNION ALL
        SELECT {values}, file_id, note, span FROM stated
    )

    SELECT {values}, min(file_id) AS file_id, max(note) AS note, unnest(range_agg(span)) AS span
    FROM every
    GROUP BY {values}
"""
_NOW = "SELECT {values}, {span} AS span FROM {table}"
_CHANGED = """
    SELECT min(lower(span)), max(upper(span))
    FROM (({now} EXCEPT SELECT {values}, span FROM dated) UNION ALL (SELECT {values}, span FROM dated EXCEPT {now}))
         AS changed
"""
_INSERT = {
    "menu_item": """
        INSERT INTO core.menu_item (truck_id, menu_item, menu_type, price_pence, unit_cost_pence, vat_pct, file_id,
                                    note, on_menu, days)
        SELECT truck_id, menu_item, menu_type, price_pence, unit_cost_pence, vat_pct, file_id, note, span,
               daterange(CASE WHEN lower(span) = CAST(:beginning AS timestamptz) THEN CAST(:beginning AS date)
                              ELSE (lower(span) AT TIME ZONE :zone - :start)::date END,
                         CASE WHEN upper(span) = CAST(:ends AS timestamptz) THEN CAST(:ends AS date)
                              ELSE ((upper(span) - interval '1 microsecond') AT TIME ZONE :zone - :start)::date + 1 END)
        FROM dated
        ORDER BY truck_id, menu_item, span
    """,
    "cost": """
        INSERT INTO core.cost (truck_id, cost, amount, per, file_id, note, from_date, to_date)
        SELECT truck_id, cost, amount, per, file_id, note, lower(span), upper(span) FROM dated
        ORDER BY truck_id, cost, span
    """,
    "pitch": """
        INSERT INTO core.pitch (truck_id, location_id, stay_from, event, fee_pence, fee_per, fee_percent, file_id, note,
                                from_at, to_at)
        SELECT truck_id, location_id, stay_from, event, fee_pence, fee_per, fee_percent, file_id, note, lower(span),
               upper(span)
        FROM dated
        ORDER BY truck_id, span
    """,
}  # fmt: skip


def state(db: sa.Connection, name: str, records: str, day: date, file_id: int | None) -> tuple[date, date] | None:
    """Work out the history of a list with a new version that counts from a business day, for `replace` to take over.

    records: a JSON array. Returns the first and the last business day on which anything changes; None if nothing."""
    history = HISTORIES[name]
    parts = _parts(history)
    is_empty = not db.scalar(sa.text(f"SELECT EXISTS (SELECT FROM {history.table})"))
    begins = _moment(history, day)
    bound = {"records": records, "file_id": file_id, "from": begins,
             "begins": _ever(history, BEGINNING) if is_empty else begins, "ends": _ever(history, END)}  # fmt: skip
    for statement in (
        "DROP TABLE IF EXISTS pg_temp.stated, pg_temp.dated",
        _STATED.format(**parts),
        _DATED.format(**parts),
    ):
        wanted = {key: value for key, value in bound.items() if f":{key}" in statement}
        db.execute(sa.text(statement), wanted)
    now = _NOW.format(**parts)
    first, last = db.execute(sa.text(_CHANGED.format(now=now, **parts))).one()
    return None if first is None else (_first(first), _last(last))


def replace(db: sa.Connection, name: str) -> None:
    """Let the history that `state` worked out take the place of the table's rows."""
    start = settings().business_day_start
    bound = {"beginning": BEGINNING, "ends": END, "zone": settings().timezone,
             "start": f"{start.hour} hours {start.minute} minutes {start.second} seconds"}  # fmt: skip
    insert = _INSERT[name].replace(":start", "CAST(:start AS interval)")
    db.execute(sa.text(f"DELETE FROM {HISTORIES[name].table}"))
    db.execute(sa.text(insert), {key: value for key, value in bound.items() if f":{key}" in insert})


def _parts(history: History) -> dict[str, str]:
    """What the statements above are filled with."""
    of_record = (
        history.types
        | {"file_id": "bigint"}
        | dict.fromkeys(history.given, "date" if history.kind == "daterange" else "timestamptz")
    )
    columns = (*history.values, *history.given, "file_id")
    names = [f"thing_{number}" for number in range(len(history.thing))]
    return {
        "table": history.table,
        "until": "greatest(min(lower(span)), :from)" if history.lasts else ":from",
        "thing": ", ".join(history.thing), "span": history.span, "kind": history.kind,
        "multirange": history.multirange, "values": ", ".join(history.values), "typed": ", ".join(history.values),
        "begin": history.given[0], "end": history.given[1],
        "columns": ", ".join(f"{column} {of_record.get(column, 'text')}" for column in columns),
        "thing_named": ", ".join(f"{thing} AS {name}" for thing, name in zip(history.thing, names, strict=True)),
        "names": ", ".join(names), "numbers": ", ".join(str(number + 1) for number in range(len(history.thing))),
    }  # fmt: skip


def _moment(history: History, day: date) -> Any:
    return day if history.kind == "daterange" else business_day.bounds(day)[0]


def _ever(history: History, day: date) -> Any:
    """One of the two ends of time, as a day or as a moment."""
    return day if history.kind == "daterange" else datetime(day.year, day.month, day.day, tzinfo=UTC)


def _first(found: date) -> date:
    return business_day.business_date(found) if isinstance(found, datetime) else found


def _last(found: date) -> date:
    """The last business day before a moment or a day."""
    if isinstance(found, datetime):
        return business_day.business_date(found - timedelta(microseconds=1))
    return found - timedelta(days=1)
