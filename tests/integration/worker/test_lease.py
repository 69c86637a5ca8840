"""The lease of a worker: who holds it, and what its holder may take over."""

import pytest

from scheduler.queue import takeover, workflows
from scheduler.queue.lease import STABLE_SECONDS, Lease, LeaseTakenError
from tests.support.steps import change, one, until

pytestmark = pytest.mark.slow  # it starts workers

LEASES = """
    SELECT count(*) FROM ops.lease
    JOIN pg_stat_activity AS session ON session.pid = lease.pid AND session.backend_start = lease.started_at
"""


def test_a_lease_is_held_by_one_worker_and_taken_again_after_a_lost_connection(database):
    first, second = Lease(database, "machine"), Lease(database, "machine")
    assert (first.executor, second.executor) == ("machine-1", "machine-2")
    change("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 't3 executor'")
    with pytest.raises(Exception, match=r"terminat|closed"):
        first.beat()
    first.beat()
    with pytest.raises(Exception, match=r"terminat|closed"):
        second.beat()
    until(lambda: one(LEASES) == 1)
    third = Lease(database, "machine")
    assert third.executor == "machine-2"
    with pytest.raises(LeaseTakenError):
        second.beat()
    for lease in (first, second, third):
        lease.release()


def test_a_lease_that_our_own_lost_connection_still_holds_is_taken_back(database):
    lease = Lease(database, "machine")
    ghost, lease._connection = lease._connection, None  # as after a cut: the server still holds the old connection
    with pytest.raises(Exception, match="still holds"):
        lease.beat()
    until(lambda: one(LEASES) == 0)
    lease.beat()
    ghost.close()
    lease.release()


def test_nothing_is_taken_over_before_the_own_lease_is_stable(bucket):
    change("INSERT INTO ops.run (run_id, notebook, state, worker) VALUES ('1-x', '1_extract', 'running', 'machine-9')")
    with workflows.working():
        workflows.take_over()
        assert one("SELECT state FROM ops.run") == "running"
        workflows._lease._taken -= STABLE_SECONDS
        change("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 't3 executor'")
        workflows.take_over()  # as after a restart: its own lease is lost, or just taken again
        assert one("SELECT state FROM ops.run") == "running"
        until(lambda: takeover._is_alive(workflows._executor))
        workflows._lease._taken -= STABLE_SECONDS
        workflows.take_over()
        assert one("SELECT state FROM ops.run") == "lost"
