"""The places of loaded sales, after the stays of trucks changed."""

from datetime import date, timedelta

import sqlalchemy as sa

from t3lib import business_day
from t3lib.warehouse.sales import rollups

STAYS = sa.text("SELECT truck_id, location_id, from_at, to_at FROM core.pitch")
_SUMS = """
    SELECT truck_id, business_date, location_id, local_hour, sum(transactions) AS rows, sum(total_pence) AS pence
    FROM mart.sales_hourly
    WHERE business_date BETWEEN :first AND :last
    GROUP BY truck_id, business_date, location_id, local_hour
"""
_EXISTING = sa.text(f"CREATE TEMP TABLE existing ON COMMIT DROP AS {_SUMS}")
_MOVED = sa.text(f"""
    WITH rebuilt AS ({_SUMS})
    SELECT DISTINCT truck_id, business_date FROM (TABLE rebuilt EXCEPT TABLE existing) AS changed
""")


# Rows of core.pitch before and after a change: what `history.state` worked out is in `dated`.
_WHOLE = sa.text("""
    WITH piece AS (
        SELECT truck_id, stay_from, from_at, to_at FROM core.pitch
        UNION ALL
        SELECT truck_id, stay_from, lower(span), upper(span) FROM dated
    )

    SELECT min(from_at), max(to_at)
    FROM piece
    WHERE (truck_id, stay_from) IN (SELECT truck_id, stay_from FROM piece WHERE from_at < :until AND to_at > :since)
""")


def whole(db: sa.Connection, first: date, last: date) -> tuple[date, date]:
    """The business days of all stays that reach into these days: the fee of a stay is spread over all of its own."""
    bounds = {"since": business_day.bounds(first)[0], "until": business_day.bounds(last)[1]}
    begins, ends = db.execute(_WHOLE, bounds).one()
    if begins is None:
        return first, last
    final = business_day.business_date(ends - timedelta(microseconds=1))
    return min(first, business_day.business_date(begins)), max(last, final)


def stays(db: sa.Connection) -> set[tuple[object, ...]]:
    """Which truck stood where, from when until when."""
    return set(map(tuple, db.execute(STAYS)))


def move(db: sa.Connection, first: date, last: date) -> set[tuple[int, date]]:
    """Bring the sales of these business days to the places where their trucks stood, as core.pitch says now. Returns
    the truck days of which sales moved; their sums are as before."""
    days = {"first": first, "last": last}
    db.execute(sa.text("DROP TABLE IF EXISTS pg_temp.existing"))
    db.execute(_EXISTING, days)
    rollups.rebuild(db, first, last)
    return {(truck, day) for truck, day in db.execute(_MOVED, days)}
