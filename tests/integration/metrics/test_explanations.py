"""The likely explanation of an unusual figure: a few literal days, and the sentence that they support."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from t3lib import metrics

FRIDAY = date(2026, 11, 20)
WEEKS = [FRIDAY - timedelta(days=7 * n) for n in range(1, 5)]


@pytest.fixture
def fleet(db):
    """A truck that sells £7.00 twenty times in each of four hours on Fridays, in two files."""
    db.execute(sa.text("INSERT INTO core.truck (truck_id, name) VALUES (1, 'Burrito Madness'), (2, 'Eels')"))
    db.execute(sa.text("INSERT INTO core.location VALUES (1, 'Leeside Market'), (2, 'Alnfield Park')"))
    for week in WEEKS:
        sell(db, week)
        sell(db, week, truck=2)
        files(db, week, 2)
    sell(db, FRIDAY, truck=2)
    return db


def sell(db, day, hours=(11, 12, 13, 14), count=20, pence=700, place=1, truck=1):
    for hour in hours:
        db.execute(
            sa.text("INSERT INTO mart.sales_hourly VALUES (:truck, :day, :hour, :place, 'card', :count, :pence)"),
            {"truck": truck, "day": day, "hour": hour, "place": place, "count": count, "pence": pence * count},
        )


def files(db, day, count, state="loaded"):
    for number in range(count):
        db.execute(
            sa.text("""INSERT INTO ops.source_file (key, etag, size, last_modified, kind, truck_id, batch_date,
                                                    batch_hour, state, rows_read, rows_loaded, rows_rejected,
                                                    pence_loaded)
                       VALUES (:key, '', 1, now(), 'sales', 1, :day, 12, :state, 0, 0, 0, 0)"""),
            {"key": f"{day} {number} {state}", "day": day, "state": state},
        )


def reason(db):
    [found] = [one for one in metrics.attention(db, FRIDAY) if one.truck_id == 1]
    return found.kind, found.reason


def test_silent_truck_whose_files_are_missing(fleet):
    assert reason(fleet) == ("silent", "None of its usual 2 files arrived: it did not trade, or they are missing.")


def test_silent_truck_whose_files_came_empty(fleet):
    files(fleet, FRIDAY, 2)
    assert reason(fleet) == ("silent", "Its files arrived without a sale in them.")


def test_silent_truck_whose_file_is_unreadable(fleet):
    files(fleet, FRIDAY, 1, "unreadable")
    assert reason(fleet) == ("silent", "1 of its files was not loaded.")


def test_low_truck_that_lacks_a_file(fleet):
    files(fleet, FRIDAY, 1)
    sell(fleet, FRIDAY, hours=(11, 12))
    assert reason(fleet) == ("sales_low", "1 of its usual 2 files arrived.")


def test_low_truck_that_sold_in_fewer_hours(fleet):
    files(fleet, FRIDAY, 2)
    sell(fleet, FRIDAY, hours=(11, 12))
    assert reason(fleet) == ("sales_low", "It sold in 2 hours of the day; usually in 4.")


def test_high_truck_at_another_place(fleet):
    files(fleet, FRIDAY, 2)
    sell(fleet, FRIDAY, count=40, place=2)
    assert reason(fleet) == ("sales_high", "It was at Alnfield Park, where it was not on the same weekdays before.")


def test_low_truck_with_fewer_and_smaller_sales(fleet):
    files(fleet, FRIDAY, 2)
    sell(fleet, FRIDAY, count=10, pence=350)
    assert reason(fleet) == ("sales_low", "Fewer sales (−50%) and smaller sales (−50%) in the same hours.")


def test_more_rejects_name_the_most_frequent_reason(fleet):
    sell(fleet, FRIDAY)
    files(fleet, FRIDAY, 2)
    rejected = "INSERT INTO mart.rejected_daily VALUES (1, :day, 'void', 30), (1, :day, 'zero', 2)"
    fleet.execute(sa.text(rejected), {"day": FRIDAY})
    [found] = [one for one in metrics.attention(fleet, FRIDAY) if one.kind == "rejects_up"]
    assert found.reason.startswith("Most frequent (30): ")
    assert "void" in found.reason
