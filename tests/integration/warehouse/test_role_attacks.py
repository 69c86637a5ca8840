"""Roles that try to rise to the owner, over real connections: code of theirs never runs as anybody else."""

import re
from collections.abc import Iterator
from contextlib import suppress

import psycopg2
import pytest
import sqlalchemy as sa

from scheduler.queue import workflows
from t3lib import warehouse
from t3lib.warehouse.checks import role_exposure
from t3lib.warehouse.db import connection, roles
from tests.conftest import PASSWORDS
from tests.support.feeding import rows
from tests.support.logins import as_role, refused, session
from tests.support.steps import change

pytestmark = pytest.mark.slow  # it makes roles and databases for every attack

ROLES = roles.NAMES
# What all attacks begin with: a function that writes down as whom it runs.
EVIL = [
    "SET default_transaction_read_only = off",
    "CREATE TEMP TABLE loot (who text)",
    """CREATE FUNCTION pg_temp.evil() RETURNS integer LANGUAGE plpgsql AS
       $$ BEGIN INSERT INTO pg_temp.loot VALUES (current_user); RETURN 1; END $$""",
]
MARK = [
    *EVIL,
    "CREATE TEMP VIEW changed AS SELECT pg_temp.evil() AS truck_id, current_date AS business_date",
    "CREATE TEMP TABLE bait (a integer)",
    "CREATE TRIGGER bait AFTER INSERT ON pg_temp.bait FOR EACH STATEMENT EXECUTE FUNCTION ops.mark_for_archive()",
    "INSERT INTO pg_temp.bait VALUES (1)",
]
COME = [
    *EVIL,
    "CREATE TEMP VIEW come AS SELECT pg_temp.evil() AS file_id",
    "CREATE TEMP TABLE bait (a integer)",
    "CREATE TRIGGER bait AFTER INSERT ON pg_temp.bait FOR EACH STATEMENT EXECUTE FUNCTION ops.require_file()",
    "INSERT INTO pg_temp.bait VALUES (1)",
]
DATE = [
    *EVIL,
    "CREATE DOMAIN pg_temp.date AS pg_catalog.date CHECK (pg_temp.evil() > 0)",
    "SELECT core.ensure_month('2031-05-01')",
]

BEYOND = [
    "SELECT lo_create(0)", "SELECT lo_creat(-1)", "SELECT lo_from_bytea(0, 'x')", "SELECT pg_read_file('PG_VERSION')",
    "COPY (SELECT 1) TO PROGRAM 'true'", "CREATE SCHEMA mine", "CREATE TABLE public.mine (a int)",
    "CREATE TABLE core.mine (a int)", "SELECT key FROM ops.visitor_key", "DELETE FROM ops.lease",
    "DELETE FROM ops.lock", "SELECT * FROM dbos.workflow_status", "SET ROLE postgres",
    "ALTER ROLE t3_etl CREATEROLE", "ALTER FUNCTION core.ensure_month(date) SECURITY INVOKER",
]  # fmt: skip


@pytest.fixture
def url(database: str) -> str:
    with warehouse.connect(database) as db:
        roles.ensure(db, PASSWORDS)
        db.execute(sa.text("INSERT INTO ops.source_file (key, etag, size, last_modified, kind) "
                           "VALUES ('README.md', 'e', 1, now(), 'other')"))  # fmt: skip
    return database


def loot(url: str, role: str, attack: list[str]) -> set[str]:
    """As whom the role's function ran; statements that are refused are passed over, as an attacker would."""
    with session(url, role) as cursor:
        for statement in attack:
            with suppress(psycopg2.Error):
                cursor.execute(statement)
        with suppress(psycopg2.Error):
            cursor.execute("SELECT who FROM pg_temp.loot")
            return {who for (who,) in cursor.fetchall()}
    return set()


@pytest.mark.parametrize("attack", [MARK, COME, DATE], ids=["changed", "come", "date"])
def test_a_role_never_makes_its_code_run_as_the_owner(url: str, attack: list[str]):
    for role in ROLES:
        assert loot(url, role, attack) <= {f"t3_{role}"}


@pytest.fixture
def before(url: str) -> Iterator[str]:
    """A database in which everybody may make temporary objects and run functions, as before migration 0012."""
    change("""DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO PUBLIC', current_database()); END $$;
              GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ops, core TO PUBLIC""")
    yield url
    with warehouse.connect(url) as db:
        roles.ensure(db)


@pytest.mark.parametrize("attack", [MARK, COME, DATE], ids=["changed", "come", "date"])
def test_the_functions_alone_let_nobody_rise(before: str, attack: list[str]):
    assert loot(before, "etl", attack) <= {"t3_etl"}
    assert loot(before, "analyst", attack) <= {"t3_analyst"}


def test_a_trigger_that_a_role_made_before_gives_it_nothing(before: str):
    with session(before, "analyst") as cursor:
        for statement in MARK[:-1]:
            cursor.execute(statement)
        with warehouse.connect(before) as db:
            roles.ensure(db)
        with pytest.raises(psycopg2.Error, match="permission denied for table archive_mark"):
            cursor.execute(MARK[-1])


def test_nothing_is_open_that_no_role_needs_the_queue_included(url: str):
    with workflows.working():
        pass
    with warehouse.connect(url) as db:
        roles.ensure(db)
        assert role_exposure.excess_rights(db) == []
        assert role_exposure.check(db).ok


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("GRANT EXECUTE ON FUNCTION ops.mark_for_archive() TO PUBLIC", "everybody may run the function ops.mark"),
        ("GRANT TEMPORARY ON DATABASE {0} TO t3_mailer", "t3_mailer may make temporary objects"),
        ("GRANT CREATE ON SCHEMA mart TO t3_etl", "t3_etl may make objects in the schema mart"),
        ("GRANT CREATE ON SCHEMA public TO PUBLIC", "everybody may make objects in the schema public"),
        ("ALTER FUNCTION core.ensure_month(date) SET search_path = pg_catalog", "with an open search_path"),
        ("ALTER TABLE core.location OWNER TO t3_etl", "t3_etl owns core.location"),
        ("GRANT SELECT ON core.sale TO t3_analyst WITH GRANT OPTION", "t3_analyst may pass on SELECT of core.sale"),
        ("ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC", "functions that postgres will make"),
    ],
)
def test_the_doctor_names_what_was_opened(url: str, statement: str, said: str):
    change(statement.format(url.rsplit("/", 1)[1].split("?")[0]))
    with warehouse.connect(url) as db:
        found = role_exposure.check(db)
    assert (found.ok, said in found.detail) == (False, True), found.detail


def test_a_function_that_is_made_later_is_closed_too(url: str):
    change("CREATE FUNCTION mart.later() RETURNS integer LANGUAGE sql RETURN 1")
    for role in ROLES:
        assert "permission denied for function" in refused(url, role, "SELECT mart.later()")


@pytest.mark.parametrize("role", ROLES)
def test_no_role_has_what_none_needs(url: str, role: str):
    with workflows.working():
        pass
    for statement in BEYOND:
        said = refused(url, role, statement)
        assert any(words in said.lower() for words in ("permission denied", "read-only", "must be")), (statement, said)


def test_only_the_loading_makes_temporary_objects(url: str):
    making = "SET transaction_read_only = off; CREATE TEMP TABLE mine (a int); INSERT INTO mine VALUES (1)"
    for role in ("dashboard", "analyst", "mailer", "operator"):
        assert "permission denied to create temporary tables" in refused(url, role, making)
    assert as_role(url, "etl", making) == []


def test_an_older_installation_is_closed_by_its_upgrade(url: str):
    connection.migrate("0011", url)
    change("""
        DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO PUBLIC', current_database()); END $$;
        ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ops, core TO PUBLIC;
        ALTER FUNCTION ops.mark_for_archive() SECURITY DEFINER SET search_path = pg_catalog;
        ALTER FUNCTION core.ensure_month(date) SET search_path = pg_catalog;
        INSERT INTO ops.request (kind, asked_by, why, parameters)
        SELECT repeat('k', 500), 'Eve', 'x', jsonb_build_object('a', repeat('x', 100000));
        INSERT INTO ops.request (kind, asked_by, why) VALUES ('hold', 'Ann', 'x'), ('', 'Ann', 'x');
        GRANT EXECUTE ON FUNCTION pg_catalog.lo_create(oid), pg_catalog.lo_put(oid, bigint, bytea) TO PUBLIC
    """)
    with session(url, "analyst") as analyst:
        analyst.execute("SELECT lo_create(0)")
        made = analyst.fetchone()[0]
    assert loot(url, "analyst", MARK) == {"postgres"}
    warehouse.upgrade(url)
    with warehouse.connect(url) as db:
        roles.ensure(db)
        assert role_exposure.excess_rights(db) == []
    assert loot(url, "analyst", MARK) == set()
    assert rows("SELECT kind, parameters FROM ops.request ORDER BY 1") == [
        ("hold", {}),
        ("k" * 40, {"too_long": True}),
        ("unknown", {}),
    ]
    with session(url, "analyst") as analyst, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        analyst.execute("SELECT lo_put(%s, 0, 'more')", [made])


def test_functions_that_run_as_the_owner_name_everything_in_full(url: str):
    found = rows("""SELECT proname, prosrc FROM pg_proc
                    WHERE prosecdef AND pronamespace = ANY('{ops,core,mart}'::regnamespace[]) ORDER BY 1""")
    assert [name for name, _ in found] == ["ensure_month", "require_visitor"]
    for _, source in found:
        code = re.sub(r"'[^']*'|--.*", "''", source)
        assert re.findall(r"(?<!DISTINCT )\b(?:FROM|JOIN|INTO|UPDATE)\s+([a-z_]+)\b(?!\.)", code) == []
        assert set(re.findall(r"(?<![\w.])([a-z_]+)\(", code)) <= {"coalesce", "extract"}
