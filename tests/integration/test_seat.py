"""A worker's seat: whose it is, and what it lets a worker take over."""

import pytest

from scheduler.queue import workflows
from scheduler.queue.lease import SETTLING_SECONDS, Seat, SeatTakenError
from tests.steps import change, one, until

pytestmark = pytest.mark.slow  # it starts workers

HELD = """
    SELECT count(*) FROM ops.lease
    JOIN pg_stat_activity AS session ON session.pid = lease.pid AND session.backend_start = lease.started_at
"""


def test_a_seat_is_held_by_one_worker_and_taken_again_after_a_lost_connection(database):
    first, second = Seat(database, "house"), Seat(database, "house")
    assert (first.executor, second.executor) == ("house-1", "house-2")
    change("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 't3 executor'")
    with pytest.raises(Exception, match=r"terminat|closed"):
        first.beat()
    first.beat()
    with pytest.raises(Exception, match=r"terminat|closed"):
        second.beat()
    until(lambda: one(HELD) == 1)
    third = Seat(database, "house")
    assert third.executor == "house-2"
    with pytest.raises(SeatTakenError):
        second.beat()
    for seat in (first, second, third):
        seat.leave()


def test_a_seat_that_the_servers_memory_of_our_own_connection_holds_is_taken_back(database):
    seat = Seat(database, "house")
    ghost, seat._connection = seat._connection, None  # as after a cut: the server still holds the old connection
    with pytest.raises(Exception, match="still holds"):
        seat.beat()
    until(lambda: one(HELD) == 0)
    seat.beat()
    ghost.close()
    seat.leave()


def test_nothing_is_taken_over_before_the_own_seat_has_settled(bucket):
    change("INSERT INTO ops.run (run_id, notebook, state, worker) VALUES ('1-x', '1_extract', 'running', 'house-9')")
    with workflows.working():
        workflows.take_over_the_dead()
        assert one("SELECT state FROM ops.run") == "running"
        workflows._seat._taken -= SETTLING_SECONDS
        change("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 't3 executor'")
        workflows.take_over_the_dead()  # as after a restart: its own seat is gone, or just taken again
        assert one("SELECT state FROM ops.run") == "running"
        until(lambda: workflows._is_alive(workflows._executor))
        workflows._seat._taken -= SETTLING_SECONDS
        workflows.take_over_the_dead()
        assert one("SELECT state FROM ops.run") == "lost"
