"""Long lists: filtered first, then shown page by page with the number of all; downloads hold them whole."""

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from t3lib import business_day, metrics, warehouse
from t3lib.dashboard import download
from t3lib.dashboard.html import paging
from t3lib.dashboard.operations import Operations
from t3lib.dashboard.operations.choices import parse as choices_of
from t3lib.dashboard.state import State, parse
from t3lib.dashboard.tabs import TabContext, sheet
from t3lib.metrics import Scope
from tests.support.pages import SUNDAY, shown

TRUCK = Scope(SUNDAY, SUNDAY, (1,))
FILE = """
    INSERT INTO ops.source_file (key, etag, size, last_modified, kind, truck_id, batch_date, batch_hour, state)
    VALUES ('trucks/2025-11/23/15/T3_T1_A1.csv', 'e', 1, now(), 'sales', 1, '2025-11-23', 15, 'new')
"""
SALES = """
    SELECT core.ensure_month('2025-11-01');
    INSERT INTO core.sale
    SELECT timestamptz '2025-11-23 13:00+00' + (n + :after) * interval '1 second', 1, 1, n + :after, :pence,
           '2025-11-23', 13, 0, :paid
    FROM generate_series(1, :count) AS n
"""


@pytest.fixture
def hour(db: sa.Connection) -> sa.Connection:
    """An hour of truck 1: 2,470 sales of £5 by card, then 30 of £2 in cash; 450 rows were rejected."""
    db.execute(sa.text(FILE))
    for after, count, pence, paid in ((0, 2470, 500, "card"), (2470, 30, 200, "cash")):
        db.execute(sa.text(SALES), {"after": after, "count": count, "pence": pence, "paid": paid})
    db.execute(sa.text("""
        INSERT INTO mart.sales_hourly VALUES (1, '2025-11-23', 13, 0, 'card', 2470, 1235000),
                                             (1, '2025-11-23', 13, 0, 'cash', 30, 6000);
        UPDATE ops.source_file SET state = 'loaded', rows_read = 2950, rows_loaded = 2500, rows_rejected = 450,
                                   pence_loaded = 1241000;
        INSERT INTO ops.rejected_row (file_id, row_number, truck_id, raw_total, reason, business_date)
        SELECT 1, 2500 + n, 1, n::text, 'void', '2025-11-23' FROM generate_series(1, 450) AS n
    """))  # fmt: skip
    return db


def rows_tab(db: sa.Connection, scope: Scope = TRUCK, *, for_download: bool = False, **state: Any) -> str:
    return sheet(db, TabContext(State(tab="rows", trucks=scope.trucks, **state), scope, for_download=for_download))


def cells(html: str) -> list[list[str]]:
    found = re.findall(r"<tr>(.*?)</tr>", html)
    return [[unescape(re.sub(r"<.*?>", "", cell)) for cell in re.split(r"</t[dh]>", row)[:-1]] for row in found]


def test_single_sales_of_a_payment_type_are_all_found(hour: sa.Connection):
    html = rows_tab(hour, replace(TRUCK, payments=("cash",)), payment="cash")
    paid = [row for row in cells(html) if row[1:2] == ["cash"]]
    assert (len(paid), {row[2] for row in paid}) == (30, {"£2.00"})
    assert ": 30 sales; choose a time to see the raw lines of its hour" in html
    assert 'aria-label="Pages of this table"' not in html.split("Rejected rows")[0]


def test_single_sales_are_shown_page_by_page_with_their_number(hour: sa.Connection):
    first, last = rows_tab(hour), rows_tab(hour, pages=(("sales", 13),))
    assert "1 to 200 of 2,500" in first
    assert "tab=rows&amp;page.sales=2" in first
    assert "2,401 to 2,500 of 2,500" in last
    assert sum(row[-2:-1] == ["2,500"] for row in cells(last)) == 1
    assert len(first) < 120_000
    assert "2,401 to 2,500 of 2,500" in rows_tab(hour, pages=(("sales", 999),)), "beyond the end is the last page"


@pytest.mark.slow  # it writes workbooks of thousands of rows
def test_download_of_single_sales_holds_every_sale_and_every_rejected_row(hour: sa.Connection):
    html = rows_tab(hour, for_download=True)
    lines = list(csv.reader(io.StringIO(download.rows(None, html))))
    amounts = [Decimal(line[2]) for line in lines if line[1:2] in (["card"], ["cash"])]
    assert (len(amounts), sum(amounts)) == (2500, Decimal("12410.00"))
    assert sum(line[:1] == ["void"] for line in lines) == 450
    book = load_workbook(io.BytesIO(download.workbook(None, html)), read_only=True)
    assert [len(list(book[name].values)) for name in book.sheetnames[:2]] == [2502, 452]


def test_download_that_would_grow_too_long_says_what_it_lacks(hour: sa.Connection, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(paging, "MOST_DOWNLOADED", 400)
    lines = list(csv.reader(io.StringIO(download.rows(None, rows_tab(hour, for_download=True)))))
    assert ["The first 400 of 2,500 rows: choose fewer days or trucks for the others."] in lines
    assert ["The first 400 of 450 rows: choose fewer days or trucks for the others."] in lines


def test_download_button_reads_the_list_whole(fleet: str):
    with warehouse.connect() as db:
        db.execute(
            sa.text("""INSERT INTO core.menu_item (truck_id, menu_item, menu_type, price_pence)
                              SELECT 1, 'Dish ' || n, 'Type ' || n, 500 + n FROM generate_series(1, 40) n""")
        )
        db.execute(sa.text("""INSERT INTO mart.price_daily SELECT 1, :day, 500 + n, 1 FROM generate_series(1, 40) n"""),
                   {"day": SUNDAY})  # fmt: skip
    page = shown("tab=menus")
    assert "1 to 15 of 40" in page.sheet.value
    page._download(download.CSV)
    content = download.rows(page.view, sheet_of(page, for_download=True))
    assert all(f'"Type {n}"' in content for n in range(1, 41))
    assert download.link(page.view, sheet_of(page, for_download=True), download.CSV, 1) == page.download.value


def sheet_of(page, *, for_download: bool) -> str:
    with warehouse.connect() as db:
        return sheet(
            db, TabContext(page.view.state, page.view.scope, page.view.until_hour, page.view.earlier, for_download)
        )


def test_download_keeps_names_that_look_like_numbers_dates_or_formulas(fleet: str):
    names = ["007", "1e5", "12", "1/2", "2026-11-23", "=1+1", "+44", "-5", "@home"]
    with warehouse.connect() as db:
        for n, name in enumerate(names):
            db.execute(sa.text("""INSERT INTO core.menu_item (truck_id, menu_item, menu_type, price_pence)
                                  VALUES (1, :name, :name, :price)"""), {"name": name, "price": 500 + n})  # fmt: skip
            db.execute(sa.text("INSERT INTO mart.price_daily VALUES (1, :day, :price, 1)"),
                       {"day": SUNDAY, "price": 500 + n})  # fmt: skip
        db.execute(sa.text("UPDATE core.truck SET name = '007' WHERE truck_id = 1"))
    whole = sheet_of(shown("tab=menus"), for_download=True)
    kept = ["007", "1e5", "12", "1/2", "2026-11-23", "'=1+1", "'+44", "'-5", "'@home"]
    lines = list(csv.reader(io.StringIO(download.rows(None, whole))))
    assert {line[0] for line in lines if line} >= set(kept)
    assert '"007",1,' in download.rows(None, whole)
    book = load_workbook(io.BytesIO(download.workbook(None, whole)), read_only=True)
    (types,) = [name for name in book.sheetnames if "Menu types" in name]
    assert {row[0] for row in book[types].values} >= set(kept)
    money = sheet_of(shown("tab=money"), for_download=True)
    assert ["Largest truck", "007"] in [line[:2] for line in csv.reader(io.StringIO(download.rows(None, money)))]
    first = list(csv.DictReader(io.StringIO(download.rows(shown().view))))
    assert {line["truck"] for line in first} >= {"007"}


def test_changed_figures_are_filtered_before_they_are_counted(database: str):
    change = """INSERT INTO ops.restatement (cause, truck_id, business_date, rows_before, rows_after, pence_before,
                    pence_after, keys) SELECT 'repair', :truck, current_date, 0, 1, 0, :pence, '{a}'
                FROM generate_series(1, :count)"""
    with warehouse.connect() as db:
        for truck, count, pence in ((1, 1, 111), (2, 250, 222)):
            db.execute(sa.text(change), {"truck": truck, "count": count, "pence": pence})
    assert "£1.11" in operations("truck=1").cards["restated"].value
    assert "1 to 15 of 250" in operations("truck=2").cards["restated"].value
    last = operations("page.restated=17").cards["restated"].value
    assert ("241 to 251 of 251" in last, "£1.11" in last) == (True, True)


def operations(query: str = "") -> Operations:
    page = Operations(choices_of(query))
    page.refresh()
    return page


def test_every_list_of_the_operations_page_says_how_many_there_are(database: str):
    with warehouse.connect() as db:
        db.execute(sa.text("""
            INSERT INTO ops.source_file (key, etag, size, last_modified, kind, truck_id, batch_date, batch_hour, state)
            SELECT 'k' || n, 'e', 1, now(), 'sales', 1, :today, 12, 'new' FROM generate_series(1, 40) n;
            UPDATE ops.source_file SET state = 'loaded';
            INSERT INTO ops.run (run_id, notebook, state) SELECT 'r' || n, '1_extract', 'succeeded'
            FROM generate_series(1, 33) n;
            INSERT INTO ops.batch (batch_id, state, files, bytes) SELECT 'b' || n, 'failed', 2, 9
            FROM generate_series(1, 13) n;
            INSERT INTO ops.request (kind, parameters, asked_by, why)
            SELECT 'hold', '{"key": "k1"}', 'Ann', 'odd' FROM generate_series(1, 31) n;
            INSERT INTO ops.audit (action, subject, actor, why) SELECT 'hold', 'k1', 'Ann', 'odd'
            FROM generate_series(1, 32) n;
            INSERT INTO ops.mail_outbox (report, business_date, edition, recipient, message_id, subject, message)
            SELECT 'daily', current_date, 'cfo', n || '@t3.example', 'm' || n, 's', 'x' FROM generate_series(1, 34) n;
            INSERT INTO ops.rejected_row (file_id, row_number, truck_id, reason, business_date)
            SELECT 1, n, 1, 'void', :today FROM generate_series(1, 35) n;
            UPDATE ops.source_file SET rows_read = 35, rows_rejected = 35, rows_loaded = 0, pence_loaded = 0
            WHERE file_id = 1;
        """), {"today": business_day.today()})  # fmt: skip
    page = operations()
    for name, said in {
        "files": "1 to 15 of 40", "runs": "1 to 15 of 33", "failed": "1 to 6 of 13", "requests": "1 to 15 of 31",
        "decisions": "1 to 15 of 32", "mails": "1 to 15 of 34", "rejects": "1 to 15 of 35",
    }.items():  # fmt: skip
        assert said in page.cards[name].value, name
        assert f"page.{name}=2" in page.cards[name].value
    third = operations("page.files=3&page.rejects=99")
    assert "31 to 40 of 40" in third.cards["files"].value
    assert "1 to 15 of 35" in third.cards["rejects"].value
    assert "page.files=3" in third.cards["files"].value.split("do=hold")[1].split('"')[0], (
        "a form leaves the list there"
    )


def test_another_choice_begins_its_lists_at_their_first_page(hour: sa.Connection):
    state = parse("from=2025-11-23&truck=1&hour=13&tab=rows&page.sales=3")
    assert state.pages == (("sales", 3),)
    assert parse(state.query()) == state
    html = sheet(hour, TabContext(state, TRUCK))
    (whole_day,) = re.findall(r'data-choice="([^"]*)">the whole day', html)
    assert "page." not in whole_day
    assert parse("page.sales=x&page.<b>=2&page.sales=-1&page.rows=0").pages == ()


def test_attention_is_filtered_before_three_are_taken(db: sa.Connection):
    insert = sa.text("INSERT INTO mart.sales_hourly VALUES (:truck, :day, 13, 0, 'card', :count, :pence)")
    for truck in range(1, 6):
        for week in range(1, 5):
            day = SUNDAY - timedelta(weeks=week)
            db.execute(insert, {"truck": truck, "day": day, "count": 10, "pence": 1000 * truck})
    db.execute(insert, {"truck": 9, "day": SUNDAY, "count": 1, "pence": 500})
    assert [item.truck_id for item in metrics.attention(db, SUNDAY)] == [5, 4, 3]
    assert [item.truck_id for item in metrics.attention(db, SUNDAY, (1, 2))] == [2, 1]


def test_restated_days_are_those_of_the_chosen_trucks_and_days(db: sa.Connection):
    db.execute(sa.text("""
        INSERT INTO ops.restatement (cause, truck_id, business_date, rows_before, rows_after, pence_before, pence_after,
            keys) VALUES ('repair', 1, '2025-11-22', 0, 1, 0, 100, '{a}'),
                         ('repair', 2, '2025-11-22', 0, 1, 0, 200, '{a}'),
                         ('repair', 1, '2025-11-21', 0, 1, 0, 400, '{a}')
    """))  # fmt: skip
    since, until = datetime(2025, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=1)
    found = metrics.restated_days(db, since, until, SUNDAY, first=date(2025, 11, 22), trucks=(1,))
    assert found["pence_change"].tolist() == [100]
    html = sheet(db, TabContext(State(tab="data", trucks=(1,)), Scope(date(2025, 11, 22), SUNDAY, (1,))))
    assert ["Sat 22 Nov", "+1", "+£1.00", "rows repaired"] in cells(html)
