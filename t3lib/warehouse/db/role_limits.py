"""How long the sessions of a role may work, idle or hold a transaction; a worker ends those that exceed it.

Postgres lets a role lift its own time-outs (SET statement_timeout = 0), so a worker enforces them too."""

from typing import NamedTuple

import sqlalchemy as sa


class Limit(NamedTuple):
    """Seconds that a statement may take, a transaction may idle, a transaction may last and a session may idle.

    The last bounds cursors that outlive their transaction."""

    statement: int
    idle: int
    transaction: int
    session: int


LIMITS = {
    "etl": Limit(3600, 900, 4 * 3600, 4 * 3600),
    "dashboard": Limit(10, 10, 60, 600),
    "analyst": Limit(3600, 600, 3600, 4 * 3600),
    "mailer": Limit(300, 300, 900, 3600),
    "operator": Limit(10, 10, 60, 600),
}
# For how many seconds a session of pages or analysts may block the owner or a load.
LONGEST_WAIT = 15
# Seconds in which the server's own time-outs come first.
_GRACE = 2

_END = sa.text("""
    WITH session AS (
        SELECT session.*, role, statement, idle, transaction, longest
        FROM pg_stat_activity AS session
        JOIN unnest(CAST(:roles AS text[]), CAST(:statements AS integer[]), CAST(:idles AS integer[]),
                    CAST(:transactions AS integer[]), CAST(:sessions AS integer[]))
            AS given (role, statement, idle, transaction, longest)
            ON given.role = session.usename
        WHERE session.datname = current_database() AND session.backend_type = 'client backend'
    ),

    waiting AS (
        SELECT pg_blocking_pids(pid) AS blockers
        FROM pg_stat_activity
        WHERE datname = current_database() AND usename IN (current_user, 't3_etl') AND wait_event_type = 'Lock'
          AND query_start < clock_timestamp() - make_interval(secs => :wait)
    ),

    found AS (
        SELECT pid, role, CASE
            WHEN xact_start < clock_timestamp() - make_interval(secs => transaction + :grace)
                THEN 'its transaction lasted for more than ' || transaction || ' seconds'
            WHEN state LIKE 'idle in transaction%' AND
                 state_change < clock_timestamp() - make_interval(secs => idle + :grace)
                THEN 'its transaction was idle for more than ' || idle || ' seconds'
            WHEN state = 'active' AND query_start < clock_timestamp() - make_interval(secs => statement + :grace)
                THEN 'its statement took more than ' || statement || ' seconds'
            WHEN EXISTS (SELECT FROM pg_locks WHERE pg_locks.pid = session.pid AND locktype = 'advisory')
                THEN 'it held an advisory lock'
            WHEN state = 'idle' AND state_change < clock_timestamp() - make_interval(secs => longest + :grace)
                THEN 'it was idle for more than ' || longest || ' seconds'
            WHEN role <> 't3_etl' AND EXISTS (SELECT FROM waiting WHERE session.pid = ANY(blockers))
                THEN 'a load waited for it'
            END AS reason
        FROM session
    )

    SELECT pid, role, reason, pg_terminate_backend(pid) AS ended FROM found
    WHERE reason IS NOT NULL
    ORDER BY pid
""")


def timeouts(role: str, version: int) -> dict[str, str]:
    """The same as settings of the role, for a server of this version (180004)."""
    limit = LIMITS[role]
    found = {
        "statement_timeout": f"{limit.statement}s",
        "idle_in_transaction_session_timeout": f"{limit.idle}s",
        "transaction_timeout": f"{limit.transaction}s",
        "idle_session_timeout": f"{limit.session}s",
    }
    if version < 170000:
        del found["transaction_timeout"]
    return found


def enforce(db: sa.Connection) -> list[str]:
    """End the sessions of T3's roles that exceed their limits; returns one sentence for each.

    Needs pg_read_all_stats and pg_signal_backend, or membership in the roles, which `roles.ensure` sees to."""
    given = {
        "roles": [f"t3_{name}" for name in LIMITS],
        "statements": [limit.statement for limit in LIMITS.values()],
        "idles": [limit.idle for limit in LIMITS.values()],
        "transactions": [limit.transaction for limit in LIMITS.values()],
        "sessions": [limit.session for limit in LIMITS.values()],
    }
    ended = db.execute(_END, given | {"grace": _GRACE, "wait": LONGEST_WAIT}).all()
    return [f"A session of {found.role} was ended (process {found.pid}): {found.reason}." for found in ended]
