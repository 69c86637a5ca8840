"""Catching up on past days, by call and by command."""

import json
from datetime import date, timedelta

import pytest

from scheduler.queue import stages, workflows
from scheduler.queue.backfill import Backfill
from t3lib.ingest import discovery
from t3lib.landing import Landing
from tests.integration.queue.queueing import put, take_in
from tests.support.steps import one

pytestmark = pytest.mark.slow  # it starts workers


def test_a_backfill_plans_without_writing_then_loads_what_was_never_loaded_and_only_that(bucket):
    day = date(2026, 3, 10)
    put(bucket, day)
    put(bucket, day + timedelta(days=1))
    put(bucket, day + timedelta(days=9))
    wanted = Backfill(day, day + timedelta(days=2))
    assert [(plan.business_date, plan.missing) for plan in wanted.plan()] == [(day, 1), (day + timedelta(days=1), 1)]
    assert one("SELECT count(*) FROM ops.source_file") == 0
    with workflows.working():
        queued = wanted.start("tester")
        assert wanted.start("tester") == queued  # stopped and started again, it continues
        for workflow in queued:
            workflows.wait(workflow)
    assert wanted.plan() == []
    assert one("SELECT count(*) FROM core.sale") == 2
    assert one("SELECT max(priority) FROM dbos.workflow_status WHERE name = 'ingest'") == workflows.BACKFILL


def test_a_backfill_of_failed_days_retries_their_batches(bucket):
    day = date(2026, 3, 10)
    put(bucket, day)
    discovery.discover(Landing(), sweep=True)
    stages.fail_batch(one("SELECT batch_id FROM ops.batch"), "The disk is full.")
    assert Backfill(day, day, "missing").plan() == []
    wanted = Backfill(day, day, "failed")
    assert [plan.failed for plan in wanted.plan()] == [1]
    with workflows.working():
        for workflow in wanted.start("tester"):
            workflows.wait(workflow)
    assert one("SELECT state FROM ops.source_file") == "loaded"


def test_a_backfill_of_all_reprocesses_and_goes_on_where_it_was_stopped(bucket):
    day = date(2026, 3, 10)
    put(bucket, day)
    wanted = Backfill(day, day, "all")
    with workflows.working():
        take_in()
        first = wanted.start("tester")
        assert wanted.start("tester") == first != []
        for workflow in first:
            workflows.wait(workflow)
    assert one("SELECT count(*) FROM ops.again_file WHERE outcome = 'unchanged'") == 1


def test_the_backfill_command_plans_does_and_has_nothing_left_to_do(bucket, t3):
    put(bucket, date(2026, 3, 10))
    days = ("backfill", "--from", "2026-03-09", "--to", "2026-03-11")
    code, out, _ = t3(*days, "--dry-run", "--json")
    (day,) = json.loads(out)["days"]
    assert (code, day["business_date"], day["missing"]) == (0, "2026-03-10", 1)
    assert one("SELECT count(*) FROM ops.source_file") == 0
    assert t3(*days)[0] == 0
    assert one("SELECT count(*) FROM core.sale") == 1
    assert "Nothing to catch up on." in t3(*days)[1]
    code, _, err = t3(*days, "--mode", "nonsense")
    assert code == 2
    assert "choose one of missing, failed, all" in err
