"""kill -9 of the worker that carries requests out, at any moment: each request is done, once."""

import multiprocessing
import random
import time
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path

from t3lib import operator_requests, warehouse
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, take_in
from tests.support.steps import until

ROWS, KILLS = 40, 6


def work() -> None:
    """Do nothing but carry requests out, in a process of its own."""
    warehouse.engine().dispose(close=False)  # the connections are the parent's
    while True:
        operator_requests.carry_out()
        time.sleep(0.05)


def worker() -> BaseProcess:
    """Such a process; forked, since importing everything takes seconds."""
    made = multiprocessing.get_context("fork").Process(target=work, daemon=True)
    made.start()
    return made


def test_requests_of_killed_workers_are_done_once(bucket: Path):
    put(bucket, "metadata/menu.csv", "3,Burrito,Mexican,4.99", header="truck_id,menu_item,menu_type,price")
    put(bucket, LUNCH, at("12:00", "card", "4.99"), *[at("12:01", "card", "499")] * ROWS)
    take_in()
    with warehouse.connect() as db:
        for row in range(2, ROWS + 2):
            operator_requests.enter(
                db, "repair", {"file": 2, "row": row, "accept": True}, asked_by="Ann", why="Lost points"
            )
    chance = random.Random(7)
    for _ in range(KILLS):
        before, victim = waiting(), worker()
        until(partial(fewer, before))
        time.sleep(chance.uniform(0, 0.15))
        victim.kill()
        victim.join()
    assert 0 < waiting() < ROWS
    last = worker()
    until(lambda: not waiting())
    last.kill()
    last.join()
    assert rows("SELECT DISTINCT state FROM ops.request") == [("done",)]
    assert rows("SELECT count(*), count(DISTINCT row_number) FROM ops.repair") == [(ROWS, ROWS)]
    assert rows("SELECT count(*), sum(total_pence) FROM core.sale") == [(ROWS + 1, 499 * (ROWS + 1))]
    assert_reconciles()


def fewer(before: int) -> bool:
    """Whether requests were done since so many waited."""
    return waiting() < before


def waiting() -> int:
    """How many requests are not done."""
    return rows("SELECT count(*) FROM ops.request WHERE state = 'waiting'")[0][0]
