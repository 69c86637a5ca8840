"""Engines and migrations."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg2
import sqlalchemy as sa

from t3lib.settings import settings
from t3lib.warehouse.db import locks

_HERE = Path(__file__).parent
# Both ends drop a connection whose other end no longer answers within ten seconds, not after two hours.
_CLIENT_KEEPALIVE = {"keepalives_idle": "4", "keepalives_interval": "2", "keepalives_count": "3",
                 "tcp_user_timeout": "10000"}  # fmt: skip
SERVER_KEEPALIVE = "-c tcp_keepalives_idle=4 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
SERVER_KEEPALIVE += " -c tcp_user_timeout=10000"


@cache
def _engine(url: str) -> sa.Engine:
    engine = sa.create_engine(
        psycopg2_url(url),
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=10,
        connect_args={"connect_timeout": 10, "application_name": "t3"},
    )
    sa.event.listen(engine, "handle_error", _lost, retval=True)
    return engine


def _lost(context: sa.engine.ExceptionContext) -> sa.exc.OperationalError | None:
    """An OperationalError for a lost connection where psycopg2 raises only a DatabaseError: it does so when the server
    stops between two queries."""
    lost = context.original_exception
    if not context.is_disconnect or type(lost) is not psycopg2.DatabaseError:
        return None
    said = psycopg2.OperationalError(str(lost))
    return sa.exc.OperationalError(context.statement, context.parameters, said, connection_invalidated=True)


def psycopg2_url(url: str) -> sa.URL:
    """Any postgres URL with the driver that T3 uses."""
    return _with_keepalive(sa.make_url(url)).set(drivername="postgresql+psycopg2")


def libpq_url(url: str) -> str:
    """Any postgres URL as libpq (psql, psycopg, DBOS) wants it."""
    written = _with_keepalive(sa.make_url(url)).set(drivername="postgresql").render_as_string(hide_password=False)
    place, mark, query = written.partition("?")
    return place.replace(" ", "%20") + mark + query.replace("+", "%20")


def _with_keepalive(url: sa.URL) -> sa.URL:
    """The same URL with keepalives; options in the URL or in PGOPTIONS stay."""
    given = url.query.get("options") or ()
    chosen = " ".join(filter(None, (*((given,) if isinstance(given, str) else given), os.environ.get("PGOPTIONS"))))
    options = chosen if SERVER_KEEPALIVE in chosen else f"{SERVER_KEEPALIVE} {chosen}".strip()
    return url.update_query_dict({**_CLIENT_KEEPALIVE, **url.query, "options": options})


def engine(url: str | None = None) -> sa.Engine:
    """The process's engine for a database, by default T3_DATABASE_URL."""
    return _engine(url or settings().need("database_url"))


@contextmanager
def connect(url: str | None = None) -> Iterator[sa.Connection]:
    """A connection in a transaction that commits on success."""
    with engine(url).begin() as connection:
        yield connection


def one_moment(db: sa.Connection) -> None:
    """Let the transaction read one snapshot of the database, whatever is committed meanwhile.

    Only as the first statement of a transaction."""
    db.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))


@contextmanager
def hash_joins(db: sa.Connection) -> Iterator[None]:
    """Let the queries of the block join by hashing, and run them as they are.

    Of a CTE or a view the planner expects one row, so it would compare every row with every other in a loop; and
    compiling a query of many CTEs takes longer than reading the rollups. After an error the savepoint or transaction
    that is rolled back sets both as before."""
    db.exec_driver_sql("SET LOCAL enable_nestloop = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off")
    yield
    db.exec_driver_sql("SET LOCAL enable_nestloop = on; SET LOCAL enable_mergejoin = on; SET LOCAL jit TO DEFAULT")


def newest() -> str:
    """The revision of this version's schemas."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(_HERE / "migrations")).get_current_head() or ""


def upgrade(url: str | None = None) -> str:
    """Bring the schemas to the newest migration; returns its revision."""
    return migrate("head", url)


def migrate(revision: str, url: str | None = None) -> str:
    """Bring the schemas to a revision, newer or older, in one transaction; returns it."""
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext

    config = Config()
    config.set_main_option("script_location", str(_HERE / "migrations"))
    config.set_main_option("path_separator", "os")
    _prepare(url)
    with connect(url) as connection:
        locks.migrations(connection)
        config.attributes["connection"] = connection
        where = {"version_table": "schema_version", "version_table_schema": "ops"}
        current = MigrationContext.configure(connection, opts=where)
        is_older = revision != "head" and revision < (current.get_current_revision() or "")
        (command.downgrade if is_older else command.upgrade)(config, revision)
        return current.get_current_revision() or ""


def _prepare(url: str | None) -> None:
    """Make the table that is locked while schemas change; when two processes try at once, the second finds it there."""
    try:
        with connect(url) as db:
            locks.prepare(db)
    except (sa.exc.IntegrityError, sa.exc.ProgrammingError):
        with connect(url) as db:
            locks.prepare(db)
