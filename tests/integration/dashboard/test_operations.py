"""The operations page without a browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from t3lib import business_day, operator_requests, warehouse
from t3lib.dashboard.operations import Operations
from t3lib.dashboard.operations.choices import Choices, parse
from t3lib.journal import export
from t3lib.warehouse.db import roles
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, sales, take_in
from tests.support.steps import change

TODAY = business_day.today()
ROWS = """
INSERT INTO ops.run (run_id, notebook, state, failed_cell, error, parameters, git_commit, started_at, seconds)
VALUES ('2-ab', '2_clean', 'failed', 3, 'a total of <b>£1</b>', '{"batch_id": "b<i>"}', 'abc+', now(), 1.25);
INSERT INTO ops.run (run_id, notebook, state, parameters, started_at) VALUES
('4-ab', '4_report', 'succeeded', '{"business_date": "2026-11-22", "edition": "cfo"}', now() - interval '2 hours'),
('4-cd', '4_report', 'lost', '{"business_date": "2026-11-22", "edition": "cfo"}', now() - interval '1 hour'),
('4-ef', '4_report', 'failed', '{"business_date": "2026-11-22", "edition": "culinary"}', now() - interval '2 hours'),
('4-gh', '4_report', 'succeeded', '{"business_date": "2026-11-22", "edition": "culinary"}', now());
INSERT INTO ops.batch (batch_id, state, files, bytes, error)
VALUES ('b<i>', 'failed', 3, 9, 'The disk <is> full. (cell In [3] of 2_clean, executed notebook /x)');
INSERT INTO ops.batch (batch_id, files, bytes) VALUES ('waits', 1, 9);
INSERT INTO ops.source_file (key, etag, size, last_modified, kind, state, reason)
VALUES ('trucks/<x>.csv', 'e', 0, now(), 'sales', 'unreadable', 'The file is empty.');
INSERT INTO ops.source_file (key, etag, size, last_modified, kind, state, batch_id)
VALUES ('trucks/<y>.csv', 'e', 0, now(), 'sales', 'claimed', 'waits');
INSERT INTO ops.mail_outbox (report, business_date, edition, recipient, message_id, subject, message, state)
VALUES ('daily', '2025-11-22', 'cfo', 'hiram.boulie@t3.example', 'm', 'Sales <up>', 'x', 'unknown');
INSERT INTO ops.request (kind, parameters, asked_by, why, state, finished_at, outcome)
VALUES ('repair', '{"file": 7, "row": 2}', '<u>Eve', '<script>', 'failed', now(), 'Row 2 was <not> rejected.');
"""


def shown(query: str = "", **by) -> Operations:
    page = Operations(parse(query), **by)
    page.refresh()
    return page


def test_empty_database_says_that_there_is_nothing(database: str):
    page = shown()
    assert [name for name, card in page.cards.items() if "t3-none" not in card.value] == []
    assert "last sale <b>never</b>" in page.heading.value


def test_page_shows_what_failed_what_waits_and_what_was_requested(database: str):
    with warehouse.connect() as db:
        db.exec_driver_sql(ROWS)
    page = shown()
    cards = {name: card.value for name, card in page.cards.items()}
    assert "The file is empty." in cards["files"]
    assert "In [3]: a total of &lt;b&gt;£1&lt;/b&gt;" in cards["runs"]
    assert '<span class="t3-state silent">failed</span>' in cards["runs"]
    assert '<a class="t3-choice" href="runs/2-ab">2_clean</a>' in cards["runs"]
    assert "abc+" in cards["runs"]
    assert "&lt;y&gt;.csv</span>" in cards["under_way"]
    assert "3 files, attempt 1" in cards["failed"]
    assert "The disk &lt;is&gt; full.<" in cards["failed"]
    assert '<a class="t3-choice" href="runs/2-ab">2_clean</a>' in cards["failed"]
    assert "?do=rerun&amp;on.day=2026-11-22&amp;on.edition=cfo" in cards["failed"]
    assert "culinary" not in cards["failed"]
    assert "?do=rerun&amp;on.batch=b%3Ci%3E" in cards["failed"]
    assert "hiram.boulie@t3.example" in cards["mails"]
    assert "?do=resend&amp;on.mail=1" in cards["mails"]
    assert "Row 2 was &lt;not&gt; rejected." in cards["requests"]
    first = page.static_html()
    for hostile in ("<b>£1", "<is>", "<u>Eve", "<script>", "<up>", "<x>", "<y>", "b<i>"):
        assert hostile not in first
    assert "The file is empty." in first


def test_yesterdays_report_waits_for_the_usual_files(database: str):
    day = TODAY - timedelta(days=1)
    for week in (1, 2):
        change("""INSERT INTO ops.source_file
                      (key, etag, size, last_modified, kind, truck_id, batch_date, batch_hour, state)
                  VALUES (:key, 'e', 0, now(), 'sales', 2, :day, 15, 'loaded')""",
               key=f"k{week}", day=day - timedelta(weeks=week))  # fmt: skip
    mail = """INSERT INTO ops.mail_outbox (report, business_date, edition, recipient, message_id, subject, message)
              VALUES ('daily', :day, 'cfo', 'a@b.example', 'm', 's', '')"""
    change(mail, day=day - timedelta(days=1))
    waiting = shown().cards["under_way"].value
    assert f"cfo report of {day:%a} {day.day} {day:%b}" in waiting
    assert "truck 2 (15:00)" in waiting
    change(mail, day=day)
    assert "cfo report" not in shown().cards["under_way"].value


def test_filters_choose_what_the_tables_show(database: str):
    with warehouse.connect() as db:
        db.exec_driver_sql(ROWS)
    assert "2_clean" not in shown("state=good").cards["runs"].value
    assert "2_clean" in shown("state=trouble").cards["runs"].value
    assert "2_clean" not in shown("truck=3").cards["runs"].value
    assert "2_clean" not in shown(f"day={TODAY - timedelta(days=3)}").cards["runs"].value
    change("UPDATE ops.run SET started_at = now() - interval '20 days'")
    assert "2_clean" not in shown().cards["runs"].value
    assert "2_clean" in shown("days=28").cards["runs"].value


def test_filters_choose_requests_decisions_and_failures_too(shifted: Path):
    change("""INSERT INTO ops.request (kind, parameters, asked_by, why, asked_at) VALUES
              ('repair', '{"file": 2, "row": 2}', 'Ann', 'the till', now()),
              ('hold', '{"key": "gone"}', 'Ben', 'looks odd', now() - interval '20 days'),
              ('backfill', '{"first": "2026-11-04", "last": "2026-11-06", "mode": "all"}', 'Cas', 'again', now())""")
    change(
        """INSERT INTO ops.audit (action, subject, actor, why) VALUES
              ('hold', :key, 'Dee', 'looks odd'), ('again', '2026-11-04..2026-11-06', 'Eve', 'new rule')""",
        key=LUNCH,
    )
    change("UPDATE ops.batch SET state = 'failed', error = 'The disk is full.' WHERE batch_id LIKE 'batch%'")

    def found(query: str) -> list[str]:
        cards = shown(query).cards
        names = ("Ann", "Ben", "Cas", "Dee", "Eve", "disk")
        return [name for name in names for card in ("requests", "decisions", "failed") if name in cards[card].value]

    assert found("days=28") == ["Ann", "Ben", "Cas", "Dee", "Eve", "disk"]
    assert found("") == ["Ann", "Cas", "Dee", "Eve", "disk"]
    assert found("truck=3") == ["Ann", "Dee", "disk"]
    assert found("truck=4") == []
    assert found("day=2026-11-05") == ["Ann", "Cas", "Dee", "Eve", "disk"]
    assert found("day=2026-11-07") == []
    assert found("day=2026-11-05&state=good") == ["Dee", "Eve", "disk"]


def test_grid_says_of_each_truck_and_day_what_came(database: str):
    old = TODAY - timedelta(days=2)
    file = """INSERT INTO ops.source_file
                  (key, etag, size, last_modified, kind, truck_id, batch_date, batch_hour, state)
              VALUES (:key, 'e', 0, now(), 'sales', :truck, :day, 12, :state)"""
    for number, (truck, state) in enumerate(
        [(1, "loaded"), (1, "loaded"), (2, "held"), (3, "bad_header"), (4, "new"), (5, "superseded"), (6, "loaded")]
    ):
        change(file, key=f"k{number}", truck=truck, day=old, state=state)
    for week in (1, 2):
        change(file, key=f"w{week}", truck=7, day=old - timedelta(weeks=week), state="loaded")
    change(
        """INSERT INTO ops.restatement (cause, truck_id, business_date, rows_before, rows_after, pence_before,
                                        pence_after, keys) VALUES ('late_file', 6, :day, 0, 1, 0, 499, '{k6}')""",
        day=old,
    )
    page = shown()
    grid = page.cards["grid"].value
    for truck, files in ((1, "2 loaded"), (2, "0 loaded, 1 held"), (3, "0 loaded, 1 unreadable"),
                        (4, "0 loaded, 1 waiting"), (6, "1 loaded, 1 late"), (7, "0 loaded, 1 missing")):  # fmt: skip
        assert f'title="Truck {truck}, {old:%a} {old.day} {old:%b}: {files}"' in grid
    assert "Truck 5" not in grid
    assert f"?truck=2&amp;day={old}" in grid
    change_of_day = page.cards["restated"].value
    assert "late file" in change_of_day
    assert "£4.99" in change_of_day


def test_unreachable_database_keeps_the_tables_and_says_so(database: str):
    page = shown()
    page._connect = lambda: warehouse.connect("postgresql://nobody@127.0.0.1:1/none")
    page.refresh()
    assert "The database does not answer" in page.notice.value
    assert "No notebook ran" in page.cards["runs"].value


@pytest.mark.parametrize("role", ["operator", "analyst"])
def test_operators_and_analysts_may_read_all_of_it(bucket: Path, role: str):
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "VOID"))
    take_in()
    with warehouse.connect() as db:
        roles.ensure(db)
    for query in ("day=2026-11-05", "do=repair&on.file=1&on.row=2", f"do=hold&on.key={LUNCH}", "do=backfill"):
        page = shown(query, connect=lambda: as_role(role))
        assert page.notice.value == ""
        assert not any("could not be read" in card.value or "may not" in card.value for card in page.cards.values())


@contextmanager
def as_role(role: str) -> Iterator[sa.Connection]:
    """A connection of the owner that has put on a role."""
    with warehouse.connect() as db:
        db.execute(sa.text(f"SET LOCAL ROLE t3_{role}"))
        yield db


@pytest.fixture
def shifted(bucket: Path) -> Path:
    """A truck that sells at 4.99 by its menu (file 1); row 2 of file 2 is 499."""
    put(bucket, "metadata/menu.csv", "3,Burrito,Mexican,4.99", header="truck_id,menu_item,menu_type,price")
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "499"))
    take_in()
    with warehouse.connect() as db:
        roles.ensure(db)
    return bucket


def fill(page: Operations, **values) -> None:
    """Type into the open form and go on."""
    for name, value in values.items():
        page.form._inputs[name].value = value
    page.form.review.click()


def test_a_row_is_repaired_through_the_form_after_a_second_click(shifted: Path):
    page = shown("do=repair&on.file=2&on.row=2&day=2026-11-05", connect=lambda: as_role("operator"))
    assert "lost decimal point" in page.form.head.value
    assert page.form._inputs["accept"].value is True
    fill(page, by="Ann")
    assert "Say why" in page.form.message.value
    fill(page, why="The till lost <its> point")
    assert "Make row 2 of file 2 a sale of £4.99?" in page.form.message.value
    assert "lost &lt;its&gt; point" in page.form.message.value
    assert rows("SELECT count(*) FROM ops.request") == [(0,)]
    page.form.confirm.click()
    page.form.confirm.click()
    assert rows("SELECT state, asked_by FROM ops.request") == [("waiting", "Ann")]
    assert (page.choices.do, page.choices.by) == ("", "Ann")
    assert "waiting for a worker" in page.cards["requests"].value
    assert "waiting for a worker" in page.status.value
    assert sales() == [(3, 1, 499)]
    assert operator_requests.carry_out() == 1
    page.refresh()
    assert "£4.99 by card at truck 3 is a sale now." in page.cards["requests"].value
    assert "£4.99 by card at truck 3 is a sale now." in page.status.value
    assert "do=undo&amp;on.file=2&amp;on.row=2" in page.cards["decisions"].value
    change("UPDATE ops.request SET asked_at = asked_at - interval '1 hour', finished_at = now() - interval '1 minute'")
    page.refresh()
    assert page.status.value == ""
    assert "No rejected row of this choice is waiting" in page.cards["rejects"].value
    assert sales() == [(3, 1, 499), (3, 2, 499)]
    assert_reconciles()


def test_a_confirmed_request_can_be_changed_and_left(shifted: Path):
    page = shown("do=dismiss&on.file=2&on.row=2&day=2026-11-05")
    fill(page, why="A test", by="Ann")
    assert page.form.fields.layout.display == "none"
    page.form.back.click()
    assert (page.form.fields.layout.display, page.form._inputs["why"].value) == ("", "A test")
    page.form.cancel.click()
    assert (page.choices.do, page.form.widget.layout.display) == ("", "none")
    page.form.confirm.click()
    assert rows("SELECT count(*) FROM ops.request") == [(0,)]


def test_what_is_typed_survives_the_readings_meanwhile(shifted: Path):
    page = shown("do=hold&on.key=" + LUNCH)
    page.form._inputs["why"].value = "The till"
    page.refresh()
    assert page.form._inputs["why"].value == "The till"
    page.choose(parse("do=dismiss&on.file=2&on.row=2"))
    assert page.form._inputs["why"].value == ""


def test_days_are_checked_in_the_kernel(shifted: Path):
    page = shown("do=backfill&by=Ann")
    fill(page, why="x", first=date(2026, 11, 6), last=date(2026, 11, 5))
    assert "The first day is after the last one" in page.form.message.value
    fill(page, first=date(2026, 11, 5), mode="failed")
    assert "Catch up of 2026-11-05: what failed?" in page.form.message.value


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("do=repair&on.file=2&on.row=99", "Row 99 of file 2 was not rejected"),
        ("do=repair&on.file=2", "Row is missing"),
        ("do=hold&on.key=<script>", "There is no file &lt;script&gt;"),
        ("do=resend&on.mail=9", "There is no mail 9"),
        ("do=rerun&on.batch=none", "There is no batch none"),
    ],
)
def test_a_link_to_what_is_not_there_says_so_and_asks_nothing(shifted: Path, query: str, words: str):
    page = shown(query)
    assert words in page.form.head.value
    page.form.review.click()
    page.form.confirm.click()
    assert rows("SELECT count(*) FROM ops.request") == [(0,)]


def test_a_page_whose_role_may_not_ask_says_so(shifted: Path):
    page = shown(f"do=hold&on.key={LUNCH}", connect=lambda: as_role("analyst"))
    fill(page, why="x", by="Ann")
    page.form.confirm.click()
    assert "may not use" in page.form.message.value
    assert page.choices.do == "hold"


def test_the_address_carries_the_choices_and_nothing_else():
    given = Choices(28, 3, "trouble", "decimal_shift", date(2026, 11, 5), "Ann & Ben", "repair", (("file", "2"),))
    assert parse(given.query()) == given
    assert Choices().query() == ""
    wrong = "days=5&truck=-1&state=x&reason=%3Cx%3E&day=2026-13-01&do=explode&on.file=1&by=" + "a" * 200
    assert parse(wrong) == Choices(by="a" * 80)
    assert parse("do=hold&on.key=k&on.why=x").about == (("key", "k"),)


def test_the_same_link_works_twice(shifted: Path):
    page = shown()
    for _ in range(2):
        page.typed.value = "do=backfill"
        assert page.choices.do == "backfill"
        page.form.cancel.click()
        assert page.choices.do == ""


def test_exported_journals_and_corrections_that_wait_are_shown(bucket: Path):
    day = TODAY - timedelta(days=2)
    with warehouse.connect() as db:
        db.execute(sa.text("INSERT INTO core.cost (cost, amount, per, from_date) VALUES ('vat', 0, 'percent', :day)"),
                   {"day": day})  # fmt: skip
    put(bucket, f"trucks/{day.year}-{day.month}/{day.day}/15/T3_T3_A1.csv", at("12:00", "cash", "7", str(day)))
    take_in()
    with warehouse.connect() as db:
        export.export(db, day, day, export.Order("xero", "<b>Ann"))
    page = shown()
    assert f"journal_{day}_xero.csv" in page.cards["journals"].value
    assert "&lt;b&gt;Ann" in page.cards["journals"].value
    assert "correction" not in page.cards["journals"].value + page.heading.value
    put(bucket, f"trucks/{day.year}-{day.month}/{day.day}/18/T3_T3_A1.csv", at("15:00", "cash", "5", str(day)))
    take_in()
    page.refresh()
    assert "<b>1</b> journal correction waits" in page.heading.value
    assert "1 exported journal has other figures now." in page.cards["journals"].value
    assert "Cash sales +£5.00, Sales at 0% VAT +£5.00" in page.cards["journals"].value.replace("\N{WORD JOINER}", "")
    assert "choose every truck" in shown("truck=3").cards["journals"].value
