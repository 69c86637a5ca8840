"""The queue's rows are JSON; anything else is refused, whatever process wrote it and whatever format it claims."""

import base64
import json
import pickle
from pathlib import Path

import pytest
from dbos import DBOS
from dbos._error import DBOSMaxStepRetriesExceeded

from scheduler.queue import stages, workflows
from scheduler.queue.serializer import NAME, JsonSerializer, WorkFailedError
from scheduler.runs.runner import NotebookFailedError
from t3lib.ingest import discovery
from t3lib.landing import Landing
from t3lib.problems import RefusedError
from tests.integration.queue.queueing import take_in
from tests.support.feeding import LUNCH, at, put, rows
from tests.support.steps import change, one, until

pytestmark = pytest.mark.slow  # it starts workers

TABLES = ("workflow_status", "workflow_input", "workflow_output", "operation_outputs")


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def pickled(value: object) -> str:
    return base64.b64encode(pickle.dumps(value)).decode()


@pytest.fixture(autouse=True)
def _stages(monkeypatch: pytest.MonkeyPatch):
    """Stages without kernels."""
    from tests.support.feeding import run

    monkeypatch.setattr(stages, "run_stage", lambda batch, stage, **_: stage == "3_load" and run(batch))


def plant(workflow: str, text: str, called: str | None, status: str = "ENQUEUED") -> None:
    change("""INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, serialization, inputs,
                                                application_version, executor_id)
              VALUES (:id, :status, 'ingest', 'work', :called, :text, '1', 'gone')""",
           id=workflow, text=text, called=called, status=status)  # fmt: skip


def test_a_planted_pickle_is_not_run_and_the_work_goes_on(bucket: Path, tmp_path: Path):
    proof = tmp_path / "proof"
    bomb = pickled({"args": (Bomb(proof),), "kwargs": {}})
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    with workflows.working():
        for number, called in enumerate(("py_pickle", None, NAME, "portable_json")):
            plant(f"ingest:evil-{number}:1", bomb, called)
        until(lambda: one("SELECT count(*) FROM dbos.workflow_status WHERE status = 'ERROR'") == 4)
        for number in range(4):
            with pytest.raises(Exception, match=r"it was not read|Expecting"):
                workflows.wait(f"ingest:evil-{number}:1")
        DBOS.list_workflows()
        DBOS.list_workflow_steps("ingest:evil-0:1")
        take_in()
    assert not proof.exists()
    assert rows("SELECT total_pence FROM core.sale") == [(499,)]


def test_pickled_results_steps_and_errors_are_not_read_either(bucket: Path, tmp_path: Path):
    proof = tmp_path / "proof"
    bomb = pickled(Bomb(proof))
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    with workflows.working():
        take_in()
        (workflow,) = rows("SELECT workflow_uuid FROM dbos.workflow_status WHERE name = 'ingest'")[0]
        for kind in ("py_pickle", NAME):
            change("UPDATE dbos.workflow_status SET serialization = :kind, output = :bomb", kind=kind, bomb=bomb)
            change("UPDATE dbos.workflow_output SET output = :bomb", bomb=bomb)
            change("UPDATE dbos.operation_outputs SET serialization = :kind, output = :bomb", kind=kind, bomb=bomb)
            with pytest.raises(ValueError, match="was not read"):
                workflows.wait(workflow)
            DBOS.list_workflows()
            DBOS.list_workflow_steps(workflow)
    assert not proof.exists()


@pytest.mark.parametrize("kind", ["py_pickle", NAME])
def test_a_planted_step_fails_its_batch_in_sight_of_the_operators(bucket: Path, tmp_path: Path, kind: str):
    proof = tmp_path / "proof"
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    with workflows.working():
        take_in()
        put(bucket, LUNCH.replace("A1", "B2"), at("12:30", "cash", "8"))
        discovery.discover(Landing(), sweep=True)
        batch = one("SELECT batch_id FROM ops.batch WHERE state = 'open'")
        plant(f"ingest:{batch}:1", json.dumps({"args": [batch], "kwargs": {}}), NAME, "PENDING")
        change("""INSERT INTO dbos.operation_outputs (workflow_uuid, function_id, function_name, output, serialization)
                  SELECT :planted, function_id, function_name, :bomb, :kind FROM dbos.operation_outputs
                  WHERE workflow_uuid <> :planted AND function_name LIKE '%stage%' ORDER BY function_id LIMIT 1""",
               planted=f"ingest:{batch}:1", bomb=pickled(Bomb(proof)), kind=kind)  # fmt: skip
        change("UPDATE dbos.workflow_status SET status = 'ENQUEUED' WHERE status = 'PENDING'")
        until(lambda: one("SELECT state FROM ops.batch WHERE batch_id = :batch", batch=batch) == "failed")
    assert not proof.exists()
    assert "was not read" in one("SELECT error FROM ops.batch WHERE batch_id = :batch", batch=batch)
    assert rows("SELECT total_pence FROM core.sale") == [(499,)]


def test_every_row_of_the_queue_is_json(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    with workflows.working():
        take_in()
    for text in (text for table in TABLES for found in rows(f"SELECT * FROM dbos.{table}") for text in found):
        assert not (isinstance(text, str) and text.startswith("gA")), text
    for table in ("workflow_status", "operation_outputs"):
        assert rows(f"SELECT DISTINCT serialization FROM dbos.{table}") == [(NAME,)]


def test_what_an_earlier_version_pickled_is_entered_anew_unread(bucket: Path, tmp_path: Path):
    proof = tmp_path / "proof"
    bomb = pickled({"args": (Bomb(proof),), "kwargs": {}})
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    with workflows.working():
        take_in()
    (batch,) = rows("SELECT batch_id FROM ops.batch")[0]
    change("DELETE FROM dbos.workflow_status")
    plant(f"ingest:{batch}:1", bomb, "py_pickle")
    plant("ingest-by-hand", bomb, "py_pickle", "PENDING")
    plant("ingest:old:1", bomb, "py_pickle", "SUCCESS")
    plant("ingest:older:1", bomb, None, "ERROR")
    with workflows.working():
        workflows.wait(f"ingest:{batch}:1")
        assert workflows.wait("ingest:old:1") is None
        for workflow in ("ingest:older:1", "ingest-by-hand"):
            with pytest.raises(WorkFailedError, match="failed under an earlier version"):
                workflows.wait(workflow)
    assert not proof.exists()
    assert rows("SELECT DISTINCT serialization FROM dbos.workflow_status") == [(NAME,)]


def test_errors_come_back_as_they_went_in():
    kept = JsonSerializer()
    failed = NotebookFailedError("2_clean", 3, "ZeroDivisionError", "division by zero", "outputs/x.ipynb", "1 / 0")
    for error in (failed, RefusedError("Say why."), DBOSMaxStepRetriesExceeded("_stage", 3, [failed, OSError("full")])):
        again = kept.deserialize(kept.serialize(error))
        assert (type(again), str(again)) == (type(error), str(error))
    assert again.errors[0].cell == 3
    assert str(again.errors[1]) == "OSError: full"
    assert json.loads(kept.serialize([1, "two", None, True])) == [1, "two", None, True]
    with pytest.raises(TypeError):
        kept.serialize(Path("x"))
