"""The tabs behind the first: menus and places, single sales, data; all tabs without data."""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from t3lib import metrics
from t3lib.dashboard.state import TABS
from t3lib.metrics import Scope
from t3lib.settings import settings
from tests.support.pages import SUNDAY, sheet
from tests.support.pages import table_rows as rows

DAY = Scope(SUNDAY, SUNDAY)


def test_rows_and_columns_of_a_page_are_links_that_choose_them(sales: sa.Connection):
    money = sheet(sales, "money", DAY)
    assert 'data-choice="truck=1&amp;tab=money"' in money
    assert 'data-choice="from=2025-11-17&amp;to=2025-11-23&amp;tab=money" tabindex="-1"' in money  # the week's column
    assert 'data-choice="from=2025-11-01&amp;to=2025-11-30&amp;tab=money">Nov 25' in money  # the month in the table
    assert 'data-choice="tab=money">Burrito' in sheet(sales, "money", DAY, trucks=(1,))
    sales.execute(
        sa.text("""INSERT INTO core.menu_item VALUES (1, 'Burrito', 'Wraps', 500, 150);
                             INSERT INTO core.location VALUES (5, 'Market');
                             INSERT INTO core.pitch VALUES (1, 5, '2025-11-23', '2025-11-24')""")
    )
    menus = sheet(sales, "menus", DAY)
    assert 'data-choice="menu=Wraps&amp;tab=menus"' in menus
    assert 'data-choice="place=0&amp;tab=menus"' in menus
    assert "menu=Not" not in menus  # what is no menu type cannot be chosen


def test_an_hour_leads_to_the_trucks_that_sold_in_it(sales: sa.Connection):
    html = sheet(sales, "rows", DAY, hour=18)
    assert [row for row in rows(html) if "£" in row[-1]] == [["Kings of Kebabs", "5", "£25.00"]]
    assert "truck=2&amp;hour=18&amp;tab=rows" in html
    assert "No sales of Sunday 23 November 2025, 04:00–05:00." in sheet(sales, "rows", DAY, hour=4)


def test_menus_shows_prices_and_names_the_files_that_are_missing(sales: sa.Connection):
    html = sheet(sales, "menus", DAY)
    assert ["£5.00", "20", "100.0%", "= level"] in rows(html)
    assert "by truck: places and menu types need metadata/pitches.csv and metadata/menu.csv" in html
    assert ["Sunday", "£100.00", "20"] in rows(html)
    assert ["Weekend", "£100.00", "20"] in rows(html)


def test_price_spread_and_affordable_share_are_of_the_sales_made(sales: sa.Connection):
    sales.execute(sa.text("INSERT INTO mart.price_daily VALUES (1, '2025-11-23', 900, 5)"))
    html = sheet(sales, "menus", DAY, affordable=500)
    assert ["All together", "£5.00", "£5.00", "£9.00", "80.0%"] in rows(html)
    assert 'data-choice="affordable=700&amp;tab=menus"' in html


def test_day_that_still_trades_is_not_compared_with_whole_days(sales: sa.Connection):
    assert "▲" not in sheet(sales, "menus", DAY, until_hour=14) + sheet(sales, "money", DAY, until_hour=10)
    assert "compared once the day is over" in sheet(sales, "menus", DAY, until_hour=14)
    to_two = sheet(sales, "money", DAY, until_hour=14)
    assert "▲ 50.0% <i>up</i>" in to_two
    assert "▼" not in to_two


def test_range_that_ends_today_is_compared_without_today(sales: sa.Connection):
    sales.execute(sa.text("INSERT INTO mart.price_daily VALUES (1, '2025-11-22', 500, 12), (1, '2025-11-15', 500, 10)"))
    sales.execute(sa.text("INSERT INTO mart.sales_hourly VALUES (1, '2025-11-10', 9, 0, 'card', 1, 1)"))
    html = sheet(sales, "menus", Scope(date(2025, 11, 22), SUNDAY), until_hour=14)
    assert "compared without today" in html
    assert ["£5.00", "32", "100.0%", "▲ 20.0% up"] in rows(html)


def test_menus_shows_types_places_and_hours_once_their_files_are_there(sales: sa.Connection):
    sales.execute(
        sa.text("""
            INSERT INTO core.menu_item VALUES (1, 'Burrito', 'Wraps', 500, 150);
            INSERT INTO core.location VALUES (5, 'Market');
            INSERT INTO core.pitch VALUES (1, 5, '2025-11-23 10:00+00', '2025-11-23 14:00+00');
            INSERT INTO mart.price_hourly VALUES (1, '2025-11-23', 13, 5, 'card', 500, 1),
                (1, '2025-11-23', 14, 0, 'card', 500, 1), (2, '2025-11-23', 14, 0, 'cash', 700, 1);
        """)
    )
    html = sheet(sales, "menus", DAY)
    assert ["Wraps", "15", "£75.00", "▲ 50.0% up"] in rows(html)
    assert ["Place not recorded", "20", "£100.00", "13:00", "= level"] in rows(html)
    assert ["Market · Wraps", "1", ""] in rows(html)
    assert ["Place not recorded · Wraps", "", "1"] in rows(html)
    assert ["Place not recorded · Not on the menu", "", "1"] in rows(html)


def test_dead_hours_lie_between_the_first_and_the_last_sale(sales: sa.Connection):
    sales.execute(sa.text("INSERT INTO mart.sales_hourly VALUES (1, '2025-11-23', 15, 0, 'card', 2, 1000)"))
    found = metrics.dead_hours(sales, DAY)
    assert [(r.local_hour, r.days_out, r.dead_days) for r in found.itertuples()] == [(14, 1, 1)]


def test_data_shows_files_rejected_rows_and_restated_days(sales: sa.Connection):
    sales.execute(
        sa.text("""
            INSERT INTO ops.source_file (key, etag, size, last_modified, kind, truck_id, batch_date, batch_hour, state,
                reason) VALUES ('a', 'x', 1, now(), 'sales', 1, '2025-11-23', 15, 'bad_header', 'no total');
            INSERT INTO ops.rejected_row (file_id, row_number, truck_id, reason, business_date)
            VALUES (1, 1, 1, 'decimal_shift', '2025-11-23');
            INSERT INTO ops.restatement (cause, truck_id, business_date, rows_before, rows_after, pence_before,
                pence_after, keys) VALUES ('late_file', 1, '2025-11-23', 10, 12, 5000, 6000, '{a}');
            SET CONSTRAINTS ops.rejected_folds IMMEDIATE;
        """)
    )
    html = sheet(sales, "data", DAY)
    assert ["Decimal shift", "1", "4.8%"] in rows(html)
    assert ["Burrito <b>Madness</b>", "0", "1", "0", "0"] in rows(html)
    assert ["Burrito <b>Madness</b>", "!not loaded"] in rows(html)
    assert ["Sun 23 Nov", "+2", "+£10.00", "file came late"] in rows(html)


def test_missing_batch_is_one_that_usually_arrives(sales: sa.Connection):
    file = """INSERT INTO ops.source_file (key, etag, size, last_modified, kind, truck_id, batch_date, batch_hour,
              state) VALUES (:key, 'x', 1, now(), 'sales', 1, :day, 15, 'loaded')"""
    for day in ("2025-11-16", "2025-11-09"):
        sales.execute(sa.text(file), {"key": day, "day": day})
    (batch,) = metrics.batches(sales, DAY).itertuples()
    assert (batch.batch_state, batch.expected, batch.batch_hour) == ("missing", True, 15)
    assert metrics.completeness(metrics.batches(sales, DAY)) == metrics.Completeness(1, 1)
    assert ["Complete", "0.0%"] in rows(sheet(sales, "data", DAY))


def test_batch_of_today_is_missing_from_an_hour_after_its_time(sales: sa.Connection):
    file = """INSERT INTO ops.source_file (key, etag, size, last_modified, kind, truck_id, batch_date, batch_hour,
              state) VALUES (:key, 'x', 1, now(), 'sales', 1, :day, 15, 'loaded')"""
    for day in ("2025-11-16", "2025-11-09"):
        sales.execute(sa.text(file), {"key": day, "day": day})

    def missing_at(moment: str) -> int:
        return len(metrics.batches(sales, DAY, datetime.fromisoformat(moment)))

    at = ("2025-11-23 15:59+00:00", "2025-11-23 16:00+00:00", "2025-11-24 03:59+00:00", "2025-11-23 04:30+00:00")
    assert [missing_at(moment) for moment in at] == [0, 1, 1, 0]


def test_single_sales_lead_to_file_and_raw_line(sales: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    key, folder = "trucks/2025-11/23/15/T3_T1_A1.csv", tmp_path / "landing"
    path = folder / key
    path.parent.mkdir(parents=True)
    path.write_text("timestamp,type,total\n2025-11-23 13:05:00+00:00,card,VOID\n2025-11-23 13:06:00+00:00,card,5\n")
    monkeypatch.setenv("T3_LANDING_URL", folder.as_uri())
    settings.cache_clear()
    from t3lib.landing import Landing

    (found,) = Landing().objects()
    sales.execute(
        sa.text("""
            INSERT INTO ops.source_file (key, etag, size, last_modified, kind, truck_id, batch_date, state)
            VALUES (:key, :etag, 1, now(), 'sales', 1, '2025-11-23', 'new');
            SELECT core.ensure_month('2025-11-01');
            INSERT INTO core.sale VALUES ('2025-11-23 13:06+00', 1, 1, 2, 500, '2025-11-23', 13, 0, 'card');
        """),
        {"key": key, "etag": found.etag},
    )
    one = replace(DAY, trucks=(1,))
    day = sheet(sales, "rows", one, trucks=(1,))
    assert ["13:06", "card", "£5.00", key, "2", ""] in rows(day)
    assert "truck=1&amp;hour=13&amp;tab=rows" in day
    hour = sheet(sales, "rows", one, trucks=(1,), hour=13)
    assert ["13:06", "card", "£5.00", key, "2", "2025-11-23 13:06:00+00:00,card,5"] in rows(hour)
    sales.execute(
        sa.text("""
            INSERT INTO ops.batch (batch_id, files, bytes) VALUES ('b1', 1, 1);
            UPDATE ops.source_file SET batch_id = 'b1';
            INSERT INTO ops.run (run_id, notebook, parameters, state, seconds, git_commit, executed_copy)
            VALUES ('r1', '3_load', '{"batch_id": "b1"}', 'succeeded', 0.42, 'c0ffee', 'runs/r1/3_load.ipynb')
        """)
    )
    (run,) = [row for row in rows(sheet(sales, "rows", one, trucks=(1,))) if "3_load" in row]
    assert [run[0], run[1], *run[3:]] == ["succeeded", "3_load", "0.4", "c0ffee", "runs/r1/3_load.ipynb"]
    path.write_text("gone")
    assert "no longer holds this version" in sheet(sales, "rows", one, trucks=(1,), hour=13)
    assert "choose a truck" in sheet(sales, "rows", DAY)


def test_card_that_fails_leaves_the_others(sales: sa.Connection, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(metrics, "by_weekday", lambda db, scope: db.execute(sa.text("SELECT 1 / 0")))
    html = sheet(sales, "menus", DAY)
    assert "This could not be read." in html
    assert ["£5.00", "20", "100.0%", "= level"] in rows(html)


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_reads_well_without_any_data_and_escapes_names(db: sa.Connection, tab: str):
    assert "nan" not in sheet(db, tab, DAY)
    db.execute(sa.text("INSERT INTO core.truck (truck_id, name) VALUES (1, '<b>x')"))
    db.execute(sa.text("INSERT INTO mart.sales_hourly VALUES (1, '2025-11-23', 13, 0, 'card', 1, 500)"))
    html = sheet(db, tab, DAY)
    assert "<b>x" not in html
    assert "could not be read" not in html
