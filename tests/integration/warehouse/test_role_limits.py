"""What a role holds for too long stops nothing: neither former locks nor transactions, cursors and table locks."""

import threading
import time
from contextlib import suppress
from datetime import date
from email.message import EmailMessage
from pathlib import Path

import psycopg2
import pytest

from scheduler.queue import session_limits, takeover, workflows
from t3lib import archive, mail, operator_requests, warehouse
from t3lib.settings import settings
from t3lib.warehouse.checks import role_exposure
from t3lib.warehouse.db import connection, role_limits, roles
from t3lib.warehouse.db.role_limits import Limit
from tests.conftest import PASSWORDS
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, sales, take_in
from tests.support.logins import login, refused, session
from tests.support.mailbox import mailbox
from tests.support.steps import change, one

pytestmark = pytest.mark.slow  # it waits for limits to end sessions

UNBOUND = """
    SET statement_timeout = 0; SET transaction_timeout = 0; SET idle_in_transaction_session_timeout = 0;
    SET idle_session_timeout = 0; SET default_transaction_read_only = off
"""
# What the loading, the worker and the mails once locked.
ONE_KEY = ("dimensions", "archive", "desk", "again", "partitions", "migrations", "leader")
HELD = [f"SELECT pg_advisory_lock(hashtext('t3 {name}'))" for name in ONE_KEY]
HELD += ["SELECT pg_advisory_lock(hashtext('t3 executor'), hashtext('house-9'))", "SELECT pg_advisory_lock(7433, 1)"]
MENU = "truck_id,menu_item,menu_type,price"


@pytest.fixture
def url(bucket: Path, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with roles, an archive and mails that leave."""
    (tmp_path / "archive").mkdir()
    monkeypatch.setenv("T3_ARCHIVE_URL", (tmp_path / "archive").as_uri())
    monkeypatch.setenv("T3_MAIL_LIVE", "1")
    settings.cache_clear()
    with warehouse.connect(database) as db:
        roles.ensure(db, PASSWORDS)
    return database


def test_a_page_that_holds_all_it_can_stops_no_work(url: str, bucket: Path, monkeypatch: pytest.MonkeyPatch):
    put(bucket, "metadata/menu.csv", "3,Burrito,Mexican,4.99", header=MENU)
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "499"))
    with workflows.working():
        pass
    change(f"ALTER DATABASE {one('SELECT current_database()')} SET lock_timeout = '3s'")  # who waits gives up
    warehouse.engine(url).dispose()
    with session(url, "dashboard") as visitor, mailbox() as box:
        monkeypatch.setenv("T3_SMTP_URL", box.url)
        settings.cache_clear()
        visitor.execute(UNBOUND)
        for statement in HELD:
            visitor.execute(statement)
        visitor.execute("BEGIN; DECLARE held CURSOR FOR SELECT * FROM mart.sales_hourly, core.truck; FETCH held")
        take_in()
        assert sales() == [(3, 1, 499)]
        with warehouse.connect() as db:
            operator_requests.enter(
                db, "repair", {"file": 2, "row": 2, "accept": True}, asked_by="Ann", why="Lost point"
            )
            mail.prepare(db, _letter(), "hiram@t3.example", report="daily", business_date=date(2026, 11, 5),
                         edition="cfo")  # fmt: skip
        assert operator_requests.carry_out() == 1
        assert mail.send_due()["sent"] == 1
        assert archive.write() == 1
        put(bucket, "metadata/menu.csv", "3,Burrito,Mexican,4.50", header=MENU)
        take_in()
        warehouse.upgrade(url)
        with warehouse.connect() as db:
            roles.ensure(db)
        with workflows.working():
            assert not takeover._is_alive("house-9")
    assert_reconciles()


def _letter() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["Subject"] = "T3 <reports@t3.example>", "Sales on Thursday"
    message.set_content("Sales\n")
    return message


@pytest.mark.parametrize(
    ("role", "doing", "said"),
    [
        ("dashboard", "SELECT pg_advisory_lock(1)", "it held an advisory lock"),
        ("analyst", "BEGIN; SELECT 1", "its transaction was idle for more than 1 seconds"),
        ("analyst", "DECLARE held CURSOR WITH HOLD FOR SELECT * FROM core.truck", "it was idle for more than 1"),
        ("operator", "BEGIN; DECLARE held CURSOR FOR SELECT * FROM core.sale", "was idle"),
        ("mailer", "BEGIN; LOCK TABLE ops.run IN ACCESS EXCLUSIVE MODE", "was idle"),
        ("etl", "BEGIN; SELECT name FROM ops.lock FOR UPDATE", "was idle"),
    ],
)
def test_a_session_past_its_limits_is_ended(url: str, monkeypatch, role: str, doing: str, said: str):
    monkeypatch.setitem(role_limits.LIMITS, role, Limit(1, 1, 60, 1))
    monkeypatch.setattr(role_limits, "_GRACE", 0)
    with session(url, role) as held:
        held.execute(UNBOUND)
        held.execute(doing)
        time.sleep(1.1)
        with warehouse.connect() as db:
            assert said in " ".join(role_limits.enforce(db))
        with pytest.raises(psycopg2.Error):
            held.execute("SELECT 1")
    with warehouse.connect() as db:
        assert role_limits.enforce(db) == []


def test_a_long_statement_is_ended_and_a_short_one_is_not(url: str, monkeypatch):
    monkeypatch.setitem(role_limits.LIMITS, "dashboard", Limit(1, 60, 60, 60))
    monkeypatch.setattr(role_limits, "_GRACE", 0)
    with session(url, "dashboard") as slow, session(url, "dashboard") as quick:
        slow.execute(UNBOUND)
        sleeping = threading.Thread(target=_sleep, args=(slow,))
        sleeping.start()
        quick.execute("SELECT 1")
        time.sleep(1.2)
        with warehouse.connect() as db:
            (ended,) = role_limits.enforce(db)
        assert ended.endswith("its statement took more than 1 seconds.")
        sleeping.join(10)
        quick.execute("SELECT 1")


def _sleep(cursor: psycopg2.extensions.cursor) -> None:
    with suppress(psycopg2.Error):
        cursor.execute("SELECT pg_sleep(60)")


@pytest.mark.parametrize(
    ("role", "holding"),
    [
        ("mailer", "BEGIN; LOCK TABLE ops.mail_outbox, ops.run IN ACCESS EXCLUSIVE MODE"),
        ("dashboard", "BEGIN; DECLARE held CURSOR FOR SELECT * FROM mart.sales_hourly; FETCH held"),
    ],
)
def test_a_starting_worker_ends_the_sessions_it_waits_for(url: str, bucket: Path, monkeypatch, role: str, holding: str):
    monkeypatch.setattr(role_limits, "LONGEST_WAIT", 1)
    monkeypatch.setattr(session_limits, "LIMITS_SECONDS", 1)
    change("DROP SCHEMA dbos CASCADE")  # the tests' databases have the queue already
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    with session(url, role) as held:
        held.execute(UNBOUND)
        held.execute(holding)
        with workflows.working():  # its first start makes indexes, which wait for every older transaction
            take_in()
        with pytest.raises(psycopg2.Error):
            held.execute("SELECT 1")
    assert sales() == [(3, 1, 499)]


def test_the_doctor_sees_changed_limits_and_passwords_and_upgrade_restores_them(url: str, monkeypatch):
    monkeypatch.setenv("T3_DATABASE_URL_DASHBOARD", login(url, "dashboard"))
    settings.cache_clear()
    with session(url, "dashboard") as visitor:
        visitor.execute("SET default_transaction_read_only = off")
        database = one("SELECT current_database()")
        visitor.execute(f"ALTER ROLE t3_dashboard IN DATABASE {database} SET statement_timeout = 0")
        visitor.execute("ALTER ROLE t3_dashboard PASSWORD 'mine'")
        visitor.execute("ALTER ROLE t3_dashboard SET search_path = pg_temp")
    with warehouse.connect() as db:
        found = role_exposure.check(db)
        assert (found.ok, "t3_dashboard has another statement_timeout than 10s" in found.detail) == (False, True)
        assert "t3_dashboard cannot log in" in found.detail
        assert "t3_dashboard has a setting that T3 did not make: search_path" in found.detail
    with warehouse.connect() as db:
        roles.ensure(db, role_exposure.passwords())
    with warehouse.connect() as db:
        assert role_exposure.check(db).ok


def test_the_pages_cannot_take_the_loadings_last_connections(url: str):
    held = []
    try:
        with suppress(psycopg2.OperationalError):
            for _ in range(250):
                held.append(psycopg2.connect(connection.libpq_url(login(url, "dashboard"))))
        assert 100 < len(held) < 200
        with session(url, "etl") as loading:
            loading.execute("SELECT 1")
    finally:
        for opened in held:
            opened.close()


def test_the_limits_of_every_role_are_set_where_it_logs_in(url: str):
    for role in role_limits.LIMITS:
        with session(url, role) as given:
            for name, seconds in role_limits.timeouts(role, 180000).items():
                given.execute("SELECT CAST(setting AS integer) FROM pg_settings WHERE name = %s", [name])
                assert given.fetchone() == (1000 * int(seconds.removesuffix("s")),)


def test_a_workers_lease_is_one_that_only_the_owner_writes(url: str):
    with workflows.working():
        assert rows("SELECT name FROM ops.lease") == [(f"executor {workflows._executor}",)]
        for role in roles.NAMES:
            assert any(word in refused(url, role, "DELETE FROM ops.lease") for word in ("denied", "read-only"))
