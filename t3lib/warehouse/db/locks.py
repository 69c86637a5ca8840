"""Locks that only the owner and the loading role may take; anybody who can connect could take an advisory lock."""

import sqlalchemy as sa

# Names of ops.lock.
REPROCESSING, ARCHIVE, REQUESTS, PARTITIONS, JOURNAL = "again", "archive", "desk", "partitions", "journal"
ACQUIRE = "SELECT name FROM ops.lock WHERE name = '{}' FOR UPDATE"
# Loads share this lock; a change of the dimensions, or of the rollups as a whole, takes it exclusively.
DIMENSIONS_SHARED = "LOCK TABLE ops.dimension_lock IN ROW SHARE MODE"
DIMENSIONS_EXCLUSIVE = "LOCK TABLE ops.dimension_lock IN EXCLUSIVE MODE"
# Whether the session that took a lease is still connected. The start of another role's session is hidden: then the
# process id alone decides.
_HOLDER_CONNECTED = """
    SELECT FROM pg_stat_activity AS session
    WHERE session.pid = lease.pid AND coalesce(session.backend_start = lease.started_at, true)
"""
# A lease lasts as long as the session that took it, without an open transaction, which would hold back vacuum.
TAKE_LEASE = f"""
    INSERT INTO ops.lease AS lease (name, pid, started_at)
    SELECT %(name)s, pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()
    ON CONFLICT (name) DO UPDATE SET pid = excluded.pid, started_at = excluded.started_at
    WHERE NOT EXISTS ({_HOLDER_CONNECTED})
    RETURNING true
"""
END_SESSION = f"""
    SELECT count(pg_terminate_backend(pid)) FROM ops.lease AS lease
    WHERE name = %(name)s AND pid = %(pid)s AND EXISTS ({_HOLDER_CONNECTED})
"""
# Whether a lease is this session's; no row when it is free.
HOLDER = f"""
    SELECT pid = pg_backend_pid() FROM ops.lease AS lease WHERE name = %(name)s AND EXISTS ({_HOLDER_CONNECTED})
"""
_HELD = sa.text(f"SELECT name FROM ops.lease AS lease WHERE EXISTS ({_HOLDER_CONNECTED})")
_VERSIONS = """
    CREATE TABLE IF NOT EXISTS ops.schema_version (version_num varchar(32) CONSTRAINT schema_version_pkc PRIMARY KEY)
"""


def acquire(db: sa.Connection, name: str) -> None:
    """Take a lock of ops.lock until the transaction ends; waits for it."""
    db.execute(sa.text(ACQUIRE.format(name)))


def try_acquire(db: sa.Connection, name: str) -> bool:
    """Take a lock of ops.lock without waiting; whether it was free."""
    return db.scalar(sa.text(f"{ACQUIRE.format(name)} SKIP LOCKED")) is not None


def migrations(db: sa.Connection) -> None:
    """Take the lock for changes of schemas and roles until the transaction ends."""
    db.exec_driver_sql("LOCK TABLE ops.schema_version IN EXCLUSIVE MODE")


def leases(db: sa.Connection) -> set[str]:
    """The names of the leases whose holders are connected."""
    return set(db.scalars(_HELD))


def prepare(db: sa.Connection) -> None:
    """Make the table that `migrations` locks, in an empty database."""
    if not db.scalar(sa.text("SELECT to_regclass('ops.schema_version')")):
        db.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS ops")
        db.exec_driver_sql(_VERSIONS)
