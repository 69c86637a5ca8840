"""Locks that only the owner and the loading may take. An advisory lock would be anybody's who may connect."""

import sqlalchemy as sa

# Names of ops.lock.
AGAIN, ARCHIVE, DESK, PARTITIONS = "again", "archive", "desk", "partitions"
ALONE = "SELECT name FROM ops.lock WHERE name = '{}' FOR UPDATE"
# Loads share the dimensions; who changes them, or the rollups as a whole, has them alone.
DIMENSIONS_SHARED = "LOCK TABLE ops.dimension_lock IN ROW SHARE MODE"
DIMENSIONS_ALONE = "LOCK TABLE ops.dimension_lock IN EXCLUSIVE MODE"
# Whether the session that took a lease is still there. Another role's start is hidden: then its number has to do.
_HOLDER_LIVES = """
    SELECT FROM pg_stat_activity AS session
    WHERE session.pid = lease.pid AND coalesce(session.backend_start = lease.started_at, true)
"""
# A lease lasts as long as the session that took it, without a transaction that would keep old rows from going.
TAKE_LEASE = f"""
    INSERT INTO ops.lease AS lease (name, pid, started_at)
    SELECT %(name)s, pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()
    ON CONFLICT (name) DO UPDATE SET pid = excluded.pid, started_at = excluded.started_at
    WHERE NOT EXISTS ({_HOLDER_LIVES})
    RETURNING true
"""
END_SESSION = f"""
    SELECT count(pg_terminate_backend(pid)) FROM ops.lease AS lease
    WHERE name = %(name)s AND pid = %(pid)s AND EXISTS ({_HOLDER_LIVES})
"""
# Whether a lease is this session's; no row when it is free.
HOLDER = f"""
    SELECT pid = pg_backend_pid() FROM ops.lease AS lease WHERE name = %(name)s AND EXISTS ({_HOLDER_LIVES})
"""
_HELD = sa.text(f"SELECT name FROM ops.lease AS lease WHERE EXISTS ({_HOLDER_LIVES})")
_VERSIONS = """
    CREATE TABLE IF NOT EXISTS ops.schema_version (version_num varchar(32) CONSTRAINT schema_version_pkc PRIMARY KEY)
"""


def alone(db: sa.Connection, name: str) -> None:
    """Have a lock of ops.lock until the transaction ends."""
    db.execute(sa.text(ALONE.format(name)))


def alone_at_once(db: sa.Connection, name: str) -> bool:
    """The same without waiting; whether it is ours."""
    return db.scalar(sa.text(f"{ALONE.format(name)} SKIP LOCKED")) is not None


def migrations(db: sa.Connection) -> None:
    """Be the only one who changes schemas and roles, until the transaction ends."""
    db.exec_driver_sql("LOCK TABLE ops.schema_version IN EXCLUSIVE MODE")


def leases(db: sa.Connection) -> set[str]:
    """The names of the leases whose holders live."""
    return set(db.scalars(_HELD))


def prepare(db: sa.Connection) -> None:
    """Make what `migrations` locks, in an empty database."""
    if not db.scalar(sa.text("SELECT to_regclass('ops.schema_version')")):
        db.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS ops")
        db.exec_driver_sql(_VERSIONS)
