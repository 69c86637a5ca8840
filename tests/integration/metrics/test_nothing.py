"""A share, an average or a change of nothing is an en dash, wherever it is shown."""

from datetime import date, timedelta

import pandas as pd
import pytest
import sqlalchemy as sa

from t3lib import metrics, report, warehouse
from t3lib.dashboard import formatting
from t3lib.dashboard.html.tiles import change
from t3lib.dashboard.state import TABS, State
from t3lib.dashboard.tabs import TabContext, sheet
from t3lib.metrics import Scope
from t3lib.metrics.sales import breakdown
from t3lib.report import words as report_words
from tests.support.pages import SUNDAY, sell
from tests.support.reporting import section

DAY, BEFORE = Scope(SUNDAY, SUNDAY), Scope(SUNDAY - timedelta(weeks=1), SUNDAY - timedelta(weeks=1))


@pytest.fixture
def rejects_only(database: str) -> str:
    """On four Sundays £8 came by card and £2 in cash; on the fifth every row was rejected."""
    with warehouse.connect() as db:
        db.execute(sa.text("INSERT INTO core.truck (truck_id, name) VALUES (1, 'Burrito Madness')"))
        for week in range(1, 5):
            sell(db, 1, SUNDAY - timedelta(weeks=week), 13, "card", 1, 800)
            sell(db, 1, SUNDAY - timedelta(weeks=week), 13, "cash", 1, 200)
        db.execute(sa.text("INSERT INTO mart.rejected_daily VALUES (1, :day, 'void', 3)"), {"day": SUNDAY})
    return database


def texts(block) -> list[list[str]]:
    return [[cell.text for cell in row] for row in block.content["rows"]]


def test_payments_of_a_day_of_rejects_have_no_share(rejects_only: str):
    shown = texts(section("payments", report.read(SUNDAY.isoformat(), "cfo")))
    assert shown == [["Card", "£0.00", "–", "−100%"], ["Cash", "£0.00", "–", "−100%"]]


def test_a_payment_type_that_was_not_used_has_a_share_of_zero(rejects_only: str):
    with warehouse.connect() as db:
        sell(db, 1, SUNDAY, 13, "cash", 1, 500)
    shown = texts(section("payments", report.read(SUNDAY.isoformat(), "cfo")))
    assert shown == [["Cash", "£5.00", "100.0%", "+150%"], ["Card", "£0.00", "0.0%", "−100%"]]


def test_what_was_not_sold_has_no_average_hour_or_share_of_another_day(rejects_only: str):
    with warehouse.connect() as db:
        hours = breakdown.beside(metrics.by_hour, "local_hour", db, DAY, before=[BEFORE], usual=[BEFORE])
        trucks = breakdown.beside(metrics.by_truck, "truck_id", db, DAY, before=[BEFORE], usual=[BEFORE])
        places = breakdown.beside(metrics.by_place, "location_id", db, DAY, before=[BEFORE], usual=[BEFORE])
    assert hours[["transactions", "gross_sales_pence_before"]].values.tolist() == [[0, 1000]]
    assert pd.isna(hours["average_ticket_pence"][0])
    assert (trucks["truck"][0], pd.isna(trucks["average_ticket_pence"][0])) == ("Burrito Madness", True)
    assert (places["location"][0], pd.isna(places["busiest_hour"][0])) == ("Place not recorded", True)


@pytest.mark.parametrize("tab", TABS)
def test_no_tab_shows_a_share_of_nothing(rejects_only: str, tab: str):
    with warehouse.connect() as db:
        html = sheet(db, TabContext(State(tab=tab), DAY, None, metrics.earlier(DAY)))
        pack = sheet(db, TabContext(State(tab=tab), Scope(date(2020, 1, 1), date(2020, 1, 1))))
    assert "nan" not in html + pack
    assert "80.0%" not in html or tab == "money"  # there it is that of the weeks before
    assert "100.0%" not in pack


def test_a_day_without_a_row_has_no_share_of_rejects_to_compare_with(database: str):
    """Rows came on three of eight Sundays, a fifth of them rejected: today's fifth is as usual, not out of it."""
    with warehouse.connect() as db:
        for week in (0, 1, 2, 8):
            day = SUNDAY - timedelta(weeks=week)
            sell(db, 1, day, 13, "card", 40, 40_000)
            db.execute(sa.text("INSERT INTO mart.rejected_daily VALUES (1, :day, 'void', 10)"), {"day": day})
        assert metrics.attention(db, SUNDAY) == []


def test_words_for_nothing_are_a_dash():
    nothing = float("nan")
    assert [formatting.percent(value) for value in (None, nothing, 0.0)] == ["–", "–", "0.0%"]
    assert [report_words.share(value) for value in (None, nothing, 0.0)] == ["–", "–", "0.0%"]
    assert [report_words.change(value) for value in (None, nothing)] == ["–", "–"]
    assert [report_words.points(nothing, 1.0), report_words.points(1.0, nothing)] == ["–", "–"]
    assert [change(now, 0) for now in (0, 5)] == [("none", "nothing to compare with")] * 2
