"""The operations page without a browser."""

from datetime import date

import sqlalchemy as sa

from t3lib import warehouse
from t3lib.dashboard.operations import SECTIONS, Operations
from t3lib.warehouse import roles

ROWS = """
INSERT INTO ops.run (run_id, notebook, state, failed_cell, error, started_at, seconds)
VALUES ('r1', '2_clean', 'failed', 3, 'a total of <b>£1</b>', now(), 1.25);
INSERT INTO ops.source_file (key, etag, size, last_modified, kind, state, reason)
VALUES ('trucks/x.csv', 'e', 0, now(), 'sales', 'unreadable', 'The file is empty.');
INSERT INTO ops.rejected_row (file_id, row_number, truck_id, reason, suggested_pence, business_date)
VALUES (1, 1, 3, 'decimal_shift', 499, '2025-11-23'), (1, 2, 3, 'decimal_shift', NULL, '2025-11-22');
INSERT INTO ops.mail_outbox (report, business_date, edition, recipient, message_id, subject, message, state)
VALUES ('daily', '2025-11-22', 'cfo', 'hiram.boulie@t3.example', 'm', 's', 'x', 'sent');
"""


def shown(database: str) -> Operations:
    page = Operations(days=7)
    page.refresh()
    return page


def test_empty_database_says_that_there_is_nothing(database: str):
    page = shown(database)
    assert all("Nothing here" in card.value for card in page.cards.values())
    assert "last sale <b>never</b>" in page.heading.value


def test_page_shows_files_rejects_runs_and_mails(database: str):
    with warehouse.connect() as db:
        db.exec_driver_sql(ROWS)
    page = shown(database)
    assert "The file is empty." in page.cards["files"].value
    two_rows = '<td>decimal_shift</td><td class="t3-number">2</td><td class="t3-number">1</td>'
    assert two_rows in page.cards["rejected"].value
    assert f"{date(2025, 11, 23):%a} 23 Nov" in page.cards["rejected"].value
    assert "cell 3: a total of &lt;b&gt;£1&lt;/b&gt;" in page.cards["runs"].value
    assert '<span class="t3-state silent">failed</span>' in page.cards["runs"].value
    assert "hiram.boulie@t3.example" in page.cards["mails"].value


def test_unreachable_database_keeps_the_tables_and_says_so(database: str):
    page = shown(database)
    page._connect = lambda: warehouse.connect("postgresql://nobody@127.0.0.1:1/none")
    page.refresh()
    assert "The database does not answer" in page.notice.value
    assert "Nothing here" in page.cards["runs"].value


def test_analyst_role_may_read_all_of_it(database: str):
    with warehouse.connect() as db:
        roles.ensure(db)
        db.execute(sa.text("SET ROLE t3_analyst"))
        for section in SECTIONS:
            db.execute(sa.text(section.query), {"days": 7})
