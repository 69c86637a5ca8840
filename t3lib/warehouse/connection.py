"""Engines and migrations."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from t3lib.settings import settings

_HERE = Path(__file__).parent


@cache
def _engine(url: str) -> sa.Engine:
    return sa.create_engine(
        psycopg2_url(url),
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=10,
        connect_args={"connect_timeout": 10, "application_name": "t3"},
    )


def psycopg2_url(url: str) -> sa.URL:
    """Any postgres URL with the driver that T3 uses."""
    return sa.make_url(url).set(drivername="postgresql+psycopg2")


def libpq_url(url: str) -> str:
    """Any postgres URL as libpq (psql, ADBC, DBOS) wants it."""
    return sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False).replace(" ", "%20")


def engine(url: str | None = None) -> sa.Engine:
    """The process's engine for a database, by default T3_DATABASE_URL."""
    return _engine(url or settings().need("database_url"))


@contextmanager
def connect(url: str | None = None) -> Iterator[sa.Connection]:
    """A connection in a transaction that commits on success."""
    with engine(url).begin() as connection:
        yield connection


def newest() -> str:
    """The revision of this version's schemas."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(_HERE / "migrations")).get_current_head() or ""


def upgrade(url: str | None = None) -> str:
    """Bring the schemas to the newest migration; returns its revision."""
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext

    config = Config()
    config.set_main_option("script_location", str(_HERE / "migrations"))
    config.set_main_option("path_separator", "os")
    with connect(url) as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('t3 migrations'))"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        where = {"version_table": "schema_version", "version_table_schema": "ops"}
        return MigrationContext.configure(connection, opts=where).get_current_revision() or ""
