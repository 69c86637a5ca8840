"""Work that an earlier version queued and began goes on under today's code, wherever its modules have moved.

tests/snapshots/queue_rows.json holds rows of the queue as version 0.1 wrote them, without empty columns. Its workflows:
DONE and FAILED had ended, BEGUN had extracted its batch, a report was made and its mails were not, the archive was
being written, and WAITING and another report were queued. The worker `earlier-1` died in them."""

import json
from pathlib import Path

import pytest

from scheduler.queue import stages, workflows
from scheduler.queue.serializer import JsonSerializer
from scheduler.queue.takeover import PoisonError
from scheduler.runs.runner import NotebookFailedError, Run
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing
from t3lib.problems import RefusedError, ServiceError, WrongUseError
from t3lib.settings import ROOT, SettingsError
from tests.support.feeding import LUNCH, at, put, rows, run
from tests.support.steps import change, one, until

pytestmark = pytest.mark.slow  # it starts workers

ROWS = json.loads((ROOT / "tests" / "snapshots" / "queue_rows.json").read_text())
REPORT, QUEUED_REPORT = "report:daily:2026-11-05:cfo", "report:daily:2026-11-05:chef:request-7"


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """The steps that today's worker runs, without kernels."""
    found: list[tuple] = []

    def run_stage(batch: str, stage: str, **_: object) -> None:
        found.append((stage, batch))
        if stage == "3_load":
            run(batch)

    def run_report(day: str, edition: str, **_: object) -> Run:
        found.append(("4_report", edition))
        return Run("4-today", Path("today.ipynb"), {})

    def prepare_mails(run_id: str, path: str, day: str, edition: str, **_: object) -> list[int]:
        found.append(("mails", edition, run_id, path))
        return [7]

    monkeypatch.setattr(stages, "run_stage", run_stage)
    monkeypatch.setattr(stages, "run_report", run_report)
    monkeypatch.setattr(stages, "prepare_mails", prepare_mails)
    monkeypatch.setattr(stages, "write_archive", lambda: found.append(("archive",)))
    return found


@pytest.fixture
def batches(bucket: Path) -> dict[str, str]:
    """An open batch of one sale for each that the recorded rows speak of; the queue's tables are there and empty."""
    found: dict[str, str] = {}
    for minute, name in enumerate(("FAILED", "BEGUN", "WAITING")):
        put(bucket, LUNCH.replace("A1", f"A{minute}"), at(f"12:0{minute}", "card", "4.99"))
        discover(Landing(), sweep=True)
        known = list(found.values())
        found[name] = one("SELECT batch_id FROM ops.batch WHERE NOT batch_id = ANY(:known)", known=known)
    with workflows.working():
        pass
    return found


def insert(batches: dict[str, str], left_out: tuple[str, ...] = ()) -> None:
    """Put the recorded rows of all workflows but some into the queue, about these batches."""
    for table, recorded in ROWS.items():
        for row in recorded:
            if row["workflow_uuid"] in left_out:
                continue
            text = json.dumps(row)
            for name, batch in batches.items():
                text = text.replace(name, batch)
            columns = ", ".join(row)
            made = f"SELECT {columns} FROM json_populate_record(NULL::dbos.{table}, CAST(:row AS json))"
            change(f"INSERT INTO dbos.{table} ({columns}) {made}", row=text)


def test_begun_work_ends_and_finished_steps_are_not_repeated(batches, done):
    insert(batches, left_out=("ingest:FAILED:1",))
    begun, waiting = batches["BEGUN"], batches["WAITING"]
    with workflows.working(name="earlier"):
        assert workflows.wait(REPORT) == workflows.wait(QUEUED_REPORT) == [7]
        for workflow in ("archive:2026-11-05T12:30", f"ingest:{begun}:1", f"ingest:{waiting}:1", "ingest:DONE:1"):
            assert workflows.wait(workflow) is None
    assert sorted(done) == sorted([
        ("2_clean", begun), ("3_load", begun),
        ("1_extract", waiting), ("2_clean", waiting), ("3_load", waiting),
        ("mails", "cfo", "4-0123456789ab", "outputs/runs/2026-11-05/4-0123456789ab/4_report.ipynb"),
        ("4_report", "chef"), ("mails", "chef", "4-today", "today.ipynb"),
        ("archive",),
    ])  # fmt: skip
    assert rows("SELECT count(*) FROM core.sale") == [(2,)]
    assert dict(rows("SELECT batch_id, state FROM ops.batch")) == {
        batches["FAILED"]: "open", begun: "done", waiting: "done",
    }  # fmt: skip
    assert rows("SELECT DISTINCT status FROM dbos.workflow_status") == [("SUCCESS",)]


def test_an_error_that_was_kept_parks_its_batch_without_another_try(batches, done):
    insert(batches)
    failed = f"ingest:{batches['FAILED']}:1"
    change("UPDATE dbos.workflow_status SET status = 'PENDING', completed_at = NULL WHERE workflow_uuid = :id",
           id=failed)  # fmt: skip
    change("DELETE FROM dbos.operation_outputs WHERE workflow_uuid = :id AND function_id = 3", id=failed)
    change("DELETE FROM dbos.workflow_output WHERE workflow_uuid = :id", id=failed)
    with workflows.working(name="earlier"):
        with pytest.raises(NotebookFailedError, match="The database closed the connection"):
            workflows.wait(failed)
        until(lambda: not rows("SELECT 1 FROM dbos.workflow_status WHERE status IN ('PENDING', 'ENQUEUED')"))
    assert ("2_clean", batches["FAILED"]) not in done
    state, error = rows("SELECT state, error FROM ops.batch WHERE batch_id = :id", id=batches["FAILED"])[0]
    assert (state, "cell In [3] of 2_clean" in error) == ("failed", True)


def test_errors_are_read_under_the_names_that_they_were_kept_by():
    kept = {"PoisonError": PoisonError, "RefusedError": RefusedError, "ServiceError": ServiceError,
            "SettingsError": SettingsError, "WrongUseError": WrongUseError}  # fmt: skip
    for name, kind in kept.items():
        text = json.dumps({"__error__": name, "args": ["Say why."]})
        found = JsonSerializer().deserialize(text)
        assert (type(found), str(found)) == (kind, "Say why.")
        assert JsonSerializer().serialize(found) == text
