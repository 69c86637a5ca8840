"""What each database role can and cannot do, on a real server with real log-ins."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import psycopg2
import pytest
import sqlalchemy as sa

from t3lib import warehouse
from t3lib.operator_requests import signature
from t3lib.problems import ServiceError
from t3lib.warehouse.checks import role_exposure
from t3lib.warehouse.db import role_limits, roles
from tests.clusters import cluster, execute
from tests.conftest import PASSWORDS
from tests.support.logins import session

pytestmark = pytest.mark.slow  # it makes roles and databases

SALE = """
SELECT core.ensure_month('2026-11-01');
INSERT INTO ops.source_file (key, etag, size, last_modified, kind, truck_id, state, rows_read, rows_loaded,
                             rows_rejected, pence_loaded)
VALUES ('trucks/2026-11/5/12/T3_T3_a1.csv', 'e1', 9, now(), 'sales', 3, 'loaded', 2, 1, 1, 499);
INSERT INTO ops.rejected_row (file_id, row_number, truck_id, reason, business_date)
VALUES (1, 2, 3, 'void', '2026-11-05');
INSERT INTO core.sale VALUES ('2026-11-05 11:00+00', 3, 1, 1, 499, '2026-11-05', 11, 0, 'cash');
"""


@pytest.fixture
def url(database: str) -> str:
    with warehouse.connect(database) as db:
        roles.ensure(db, PASSWORDS)
    return database


def _as(url: str, role: str, statement: str) -> Sequence:
    """What a role gets back; its own connection, its own transaction."""
    with sa.create_engine(_login(url, role), poolclass=sa.NullPool).begin() as db:
        result = db.exec_driver_sql(statement)
        return result.fetchall() if result.returns_rows else []


def _login(url: str, role: str) -> sa.URL:
    return sa.make_url(url).set(username=f"t3_{role}", password=PASSWORDS[role])


def _refused(url: str, role: str, statement: str) -> str:
    with pytest.raises(sa.exc.DBAPIError) as error:
        _as(url, role, statement)
    return str(error.value.orig)


def test_roles_may_be_ensured_twice_and_by_two_at_once(url: str) -> None:
    def ensure(_: int) -> None:
        with warehouse.connect(url) as db:
            roles.ensure(db, PASSWORDS)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(ensure, range(4)))
    assert _as(url, "analyst", "SELECT one FROM mart.watermark") == [(True,)]


def test_etl_loads_a_file_and_replaces_it(url: str) -> None:
    _as(url, "etl", SALE)
    assert _as(url, "etl", "SELECT total_pence FROM core.sale") == [(499,)]
    _as(
        url,
        "etl",
        "DELETE FROM core.sale WHERE truck_id = 3; TRUNCATE mart.price_daily, mart.sales_hourly;"
        "UPDATE ops.source_file SET state = 'superseded', rows_read = 0, rows_loaded = 0, rows_rejected = 0",
    )
    assert _as(url, "etl", "SELECT * FROM core.sale") == []


def test_etl_is_held_to_the_reconciliation(url: str) -> None:
    assert "does not reconcile" in _refused(url, "etl", SALE.replace("2, 1, 1, 499)", "3, 2, 1, 499)"))


def test_etl_changes_no_table_and_no_schema_version(url: str) -> None:
    assert "must be owner" in _refused(url, "etl", "DROP TABLE core.sale")
    assert "permission denied" in _refused(url, "etl", "CREATE TABLE core.mine (a int)")
    assert "permission denied" in _refused(url, "etl", "DELETE FROM ops.schema_version")
    assert "permission denied" in _refused(url, "dashboard", "SELECT core.ensure_month('2026-12-01')")


def test_dashboard_reads_figures_and_names_but_no_sale_and_no_ledger(url: str) -> None:
    _as(url, "etl", SALE)
    for table in ("mart.sales_hourly", "mart.price_daily", "mart.watermark", "core.truck", "core.location"):
        _as(url, "dashboard", f"SELECT * FROM {table}")
    for table in ("core.pitch", "core.menu_item", "core.cost"):
        _as(url, "dashboard", f"SELECT * FROM {table}")
    assert _as(url, "dashboard", "SELECT state, rows_rejected FROM mart.file") == [("loaded", 1)]
    assert _as(url, "dashboard", "SELECT * FROM mart.rejected_daily") == [(3, date(2026, 11, 5), "void", 1)]
    assert _as(url, "dashboard", "SELECT core.place(3, now())") == [(0,)]
    for table in ("core.sale", "core.sale_2026_11", "ops.source_file", "ops.rejected_row", "ops.mail_outbox"):
        assert "permission denied" in _refused(url, "dashboard", f"SELECT * FROM {table}")


def test_journals_are_read_by_the_dashboard_and_analysts_and_written_once_by_the_loads(url: str) -> None:
    journal = """
        INSERT INTO ops.journal (layout, business_date, number, dated, actor, costs, file, content, sha256)
        VALUES ('xero', '2026-11-05', 0, '2026-11-05', 'Ann', '{}', 'a.csv', 'x', encode(sha256('x'), 'hex'));
        INSERT INTO ops.journal_line VALUES (1, 1, 'payment cash', '615', 700), (1, 2, 'sales 0', '202', -700)
    """
    _as(url, "etl", journal)
    assert _as(url, "etl", "SELECT name FROM ops.lock WHERE name = 'journal' FOR UPDATE") == [("journal",)]
    for role in ("dashboard", "analyst", "mailer", "operator"):
        assert _as(url, role, "SELECT number FROM mart.journal JOIN mart.journal_line USING (journal_id)") == [
            (0,),
            (0,),
        ]
    assert _as(url, "analyst", "SELECT content FROM ops.journal") == [("x",)]
    assert "permission denied" in _refused(url, "dashboard", "SELECT * FROM ops.journal")
    for role in ("etl", "analyst", "operator", "mailer"):
        assert "permission denied" in _refused(url, role, "UPDATE ops.journal SET content = ''")
        assert "permission denied" in _refused(url, role, "DELETE FROM ops.journal_line")
    assert "permission denied" in _refused(url, "analyst", journal)
    assert "journal_hash" in _refused(url, "etl", journal.replace("'x', encode", "'y', encode"))


def test_dashboard_writes_nothing_even_when_it_switches_read_only_off(url: str) -> None:
    assert "read-only" in _refused(url, "dashboard", "UPDATE mart.watermark SET version = 9")
    writing = "SET transaction_read_only = off; UPDATE mart.watermark SET version = 9"
    assert "permission denied" in _refused(url, "dashboard", writing)
    assert _as(url, "dashboard", "SHOW statement_timeout") == [("10s",)]


def test_analyst_reads_every_table_but_writes_only_in_the_sandbox(url: str) -> None:
    _as(url, "etl", SALE)
    for table in ("core.sale", "core.sale_2026_11", "ops.source_file", "ops.rejected_row", "ops.run", "mart.file"):
        _as(url, "analyst", f"SELECT * FROM {table}")
    _as(url, "analyst", "CREATE TABLE tried AS SELECT * FROM core.sale; INSERT INTO tried SELECT * FROM core.sale")
    assert _as(url, "analyst", "SELECT count(*) FROM sandbox.tried") == [(2,)]
    for statement in ("DELETE FROM core.sale", "INSERT INTO core.location VALUES (9, 'x')", "CREATE TABLE mart.x ()"):
        assert "permission denied" in _refused(url, "analyst", statement)


def test_analyst_sees_that_mails_went_out_but_not_their_text(url: str) -> None:
    assert _as(url, "analyst", "SELECT recipient, state FROM ops.mail_outbox") == []
    assert "permission denied" in _refused(url, "analyst", "SELECT message FROM ops.mail_outbox")


ASK = "INSERT INTO ops.request (kind, parameters, asked_by, why) VALUES ('hold', '{}', 'Ann', 'x')"


def _asked(url: str, name: str = "", statement: str = ASK) -> Sequence:
    """Ask as the kernel of a visitor whom the page's server signed."""
    with warehouse.connect(url) as owner:
        signed = signature.statement(signature.key(owner), name)
    with sa.create_engine(_login(url, "operator"), poolclass=sa.NullPool).begin() as db:
        signature.sign(db, signed)
        return db.exec_driver_sql(statement).fetchall()


def test_operator_reads_everything_and_asks_for_changes(url: str) -> None:
    _as(url, "etl", SALE)
    for table in ("core.sale", "ops.source_file", "ops.rejected_row", "ops.run", "ops.repair", "mart.restatement"):
        _as(url, "operator", f"SELECT * FROM {table}")
    assert _as(url, "operator", "SELECT recipient, state FROM ops.mail_outbox") == []
    assert _asked(url, "", f"{ASK} RETURNING request_id, state") == [(1, "waiting")]


def test_a_request_bears_the_name_that_the_server_signed(url: str) -> None:
    as_ann = f"{ASK} RETURNING asked_by"
    assert _asked(url, "Ann", as_ann) == [("Ann",)]
    assert _asked(url, "", as_ann) == [("Ann",)]  # where nobody signs in, the name is typed
    with pytest.raises(sa.exc.DBAPIError, match="A request bears the name of who signed in, not Ann"):
        _asked(url, "Olga", as_ann)
    assert "Nobody is known to ask" in _refused(url, "operator", ASK)


def test_what_one_visitor_signed_serves_no_other_and_no_other_time(url: str, monkeypatch) -> None:
    with warehouse.connect(url) as owner:
        key = signature.key(owner)
    olga = signature.statement(key, "Olga")
    forged = f"{b'Ann'.hex()}|{olga.partition('|')[2]}"
    monkeypatch.setattr(signature, "LASTS_SECONDS", -60)
    late = signature.statement(key, "Ann")
    for statement, said in ((forged, "Nobody is known"), (late, "opened too long ago"), ("41|x|00", "Nobody is known")):
        with sa.create_engine(_login(url, "operator"), poolclass=sa.NullPool).connect() as db:
            signature.sign(db, statement)
            with pytest.raises(sa.exc.DBAPIError, match=said):
                db.exec_driver_sql(ASK)


def test_what_is_said_in_one_transaction_is_nothing_in_the_next(url: str) -> None:
    with warehouse.connect(url) as owner:
        signed = signature.statement(signature.key(owner), "Ann")
    with sa.create_engine(_login(url, "operator"), poolclass=sa.NullPool).connect() as db:
        signature.sign(db, signed)
        said = db.scalar(sa.text("SELECT current_setting('t3.visitor')"))
        db.exec_driver_sql(ASK)
        db.commit()
        db.execute(sa.text("SELECT set_config('t3.visitor', :said, true)"), {"said": said})
        with pytest.raises(sa.exc.DBAPIError, match="Nobody is known to ask"):
            db.exec_driver_sql(ASK)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM core.sale",
        "UPDATE core.sale SET total_pence = 1",
        "INSERT INTO core.sale VALUES (now(), 3, 1, 2, 499, '2026-11-05', 11, 0, 'cash')",
        "UPDATE ops.rejected_row SET status = 'dismissed'",
        "UPDATE ops.source_file SET state = 'held'",
        "UPDATE ops.mail_outbox SET state = 'prepared'",
        "SELECT message FROM ops.mail_outbox",
        "INSERT INTO ops.repair (file_id, row_number, action, actor, why, status_before, status_after) "
        "VALUES (1, 2, 'repair', 'x', 'x', 'open', 'repaired')",
        "INSERT INTO ops.request (kind, asked_by, why, state) VALUES ('hold', 'x', 'x', 'done')",
        "INSERT INTO ops.request (kind, asked_by, why, outcome) VALUES ('hold', 'x', 'x', 'Done.')",
        "INSERT INTO ops.request (kind, asked_by, why, asked_at) VALUES ('hold', 'x', 'x', '2020-01-01')",
        "UPDATE ops.request SET state = 'done', finished_at = now()",
        "DELETE FROM ops.request",
        "SELECT core.ensure_month('2027-01-01')",
        "CREATE TABLE sandbox.mine (a int)",
    ],
)
def test_operator_changes_nothing_by_itself(url: str, statement: str) -> None:
    _as(url, "etl", SALE)
    _asked(url, "", f"{ASK} RETURNING request_id")
    assert "permission denied" in _refused(url, "operator", statement)


def test_only_the_operators_page_may_ask(url: str) -> None:
    for role in ("etl", "dashboard", "analyst", "mailer"):
        assert re.search("permission denied|read-only transaction", _refused(url, role, ASK))


def test_mailer_keeps_the_outbox_and_its_runs_and_reads_no_sale(url: str) -> None:
    _as(
        url,
        "mailer",
        "INSERT INTO ops.mail_outbox (report, business_date, edition, recipient, message_id, subject, message) "
        "VALUES ('daily', '2026-11-05', 'cfo', 'a@b.example', '<1>', 's', ''); "
        "UPDATE ops.mail_outbox SET state = 'sent'; INSERT INTO ops.run (run_id, notebook) VALUES ('r', '4_report')",
    )
    _as(url, "mailer", "SELECT * FROM mart.sales_hourly; SELECT * FROM core.cost; SELECT * FROM ops.source_file")
    assert "permission denied" in _refused(url, "mailer", "SELECT * FROM core.sale")
    assert "permission denied" in _refused(url, "mailer", "DELETE FROM ops.mail_outbox")


def test_later_tables_and_partitions_are_readable_without_another_grant(url: str) -> None:
    with warehouse.connect(url) as db:
        db.execute(sa.text("CREATE TABLE mart.later (a int)"))
        db.execute(sa.text("CREATE TABLE ops.later (a int)"))
    _as(url, "etl", "SELECT core.ensure_month('2027-01-01'); INSERT INTO mart.later VALUES (1)")
    assert _as(url, "dashboard", "SELECT * FROM mart.later") == [(1,)]
    assert _as(url, "analyst", "SELECT * FROM core.sale_2027_01") == []
    assert "permission denied" in _refused(url, "dashboard", "SELECT * FROM ops.later")


def test_each_role_gets_a_url_of_its_own(url: str) -> None:
    made = roles.urls("postgresql://t3:x@/t3?host=/run/t3", {"etl": "p/w"})
    assert made == {"database_url_etl": "postgresql://t3_etl:p%2Fw@/t3?host=%2Frun%2Ft3"}


@pytest.fixture
def powerless() -> Iterator[tuple[str, str]]:
    """URLs of a database whose owner may make no roles, on a server that has none: the owner's, a superuser's."""
    with cluster() as url:
        execute(url, "CREATE ROLE plain_owner LOGIN PASSWORD 'plain'")
        execute(url, "CREATE DATABASE plain OWNER plain_owner")
        administrator = sa.make_url(url).set(database="plain")
        owner = administrator.set(username="plain_owner", password="plain").render_as_string(hide_password=False)
        warehouse.upgrade(owner)
        yield owner, administrator.render_as_string(hide_password=False)
        for used in (owner, administrator.render_as_string(hide_password=False)):
            warehouse.engine(used).dispose()


def test_an_owner_without_the_right_gets_the_sql_for_the_administrator(powerless: tuple[str, str]) -> None:
    owner, superuser = powerless
    with pytest.raises(ServiceError, match="t3 db roles"), warehouse.connect(owner) as db:
        roles.ensure(db)
    text = roles.sql("plain", "plain_owner")
    with warehouse.connect(superuser) as administrator:
        administrator.execution_options(no_parameters=True).exec_driver_sql(text)
        administrator.exec_driver_sql("RESET ROLE")
        for name, password in PASSWORDS.items():  # as the SQL's comments ask for
            administrator.exec_driver_sql(f"ALTER ROLE t3_{name} PASSWORD '{password}'")
    with warehouse.connect(owner) as db:
        roles.ensure(db)
        assert role_exposure.check(db).ok, role_exposure.check(db)
    assert _as(owner, "dashboard", "SHOW statement_timeout") == [("10s",)]
    assert _as(owner, "analyst", "CREATE TABLE t (a int); SELECT * FROM sandbox.t") == []
    with session(owner, "mailer") as mailer:
        mailer.execute("SELECT pg_advisory_lock(1)")
        with warehouse.connect(owner) as db:
            (ended,) = role_limits.enforce(db)
        assert ended.startswith("A session of t3_mailer was ended")
        assert ended.endswith("it held an advisory lock.")
        with pytest.raises(psycopg2.Error):
            mailer.execute("SELECT 1")
    assert _as(owner, "etl", "CREATE TEMP TABLE t (a int); SELECT * FROM t") == []
    assert _as(owner, "etl", "SELECT core.ensure_month('2031-01-01')") == [("",)]


def test_an_owner_who_may_make_roles_needs_no_administrator() -> None:
    with cluster() as url:
        execute(url, "CREATE ROLE maker LOGIN CREATEROLE PASSWORD 'maker'")
        execute(url, "CREATE DATABASE made OWNER maker")
        maker = sa.make_url(url).set(database="made", username="maker", password="maker")
        owner = maker.render_as_string(hide_password=False)
        warehouse.upgrade(owner)
        with warehouse.connect(owner) as db:
            roles.ensure(db, PASSWORDS)
        with warehouse.connect(owner) as db:
            roles.ensure(db, PASSWORDS)
            found = role_exposure.check(db)
        assert (found.ok, "large objects can be made" in found.detail) == (True, True), found
        with session(owner, "dashboard") as visitor:
            visitor.execute("SELECT pg_advisory_lock(1)")
            with warehouse.connect(owner) as db:
                assert len(role_limits.enforce(db)) == 1
        warehouse.engine(owner).dispose()
