"""What tests of the archive share: two days of a truck, what is archived, and where it differs."""

from datetime import date

from t3lib import archive, warehouse
from t3lib.archive import Archive
from tests.support.feeding import LUNCH

EVENING = LUNCH.replace("/15/", "/21/")
NEXT_DAY = LUNCH.replace("/5/15/", "/6/15/")
THURSDAY, FRIDAY = date(2026, 11, 5), date(2026, 11, 6)
PLACE = "business_month=2026-11/truck_id=3"


def kept(store: Archive) -> list[tuple]:
    """(key, row number, pence) of every archived sale."""
    found, foreign = store.days()
    assert not foreign
    return [
        (day.key, row["row_number"], row["total_pence"]) for day in found for row in store.read_day(day).to_pylist()
    ]


def differing() -> list[tuple]:
    """What verification says of each day that differs."""
    with warehouse.connect() as db:
        found = archive.verify(db)
    return [(d.partition, d.business_date, d.archive_pence, d.database_pence, d.why) for d in found.differences]
