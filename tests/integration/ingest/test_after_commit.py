"""A failure after the load was committed is not reported as not loaded; one at its own limit is not retried."""

import email
import shutil
from dataclasses import replace
from datetime import date, timedelta
from email import policy

import nbformat
import psycopg
import pytest
import sqlalchemy as sa
from nbformat.v4 import new_code_cell

from scheduler import schedule
from scheduler.cli.ingesting.batches import take_in
from scheduler.cli.ingesting.ingest import outcome, summary
from scheduler.queue import stages, step_retries, takeover, workflows
from scheduler.runs import runner
from scheduler.runs.runner import NotebookFailedError
from scheduler.schedule import Limits
from t3lib import warehouse
from t3lib.business_day import today
from t3lib.settings import ROOT
from t3lib.warehouse.db.cursor import transaction
from t3lib.warehouse.files import reprocessing
from tests.integration.queue.queueing import put
from tests.support import feeding
from tests.support.steps import change, one

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("short_pauses")]  # it starts servers

# kill -9 of the kernel, in its first `deaths` runs.
DIES = """
import os, pathlib
died = pathlib.Path({flag!r})
died.write_text(died.read_text() + "x" if died.exists() else "x")
if len(died.read_text()) <= {deaths}:
    os.kill(os.getpid(), 9)
"""


def yesterday() -> date:
    """A day whose sales are all in the past, at whatever hour the tests run."""
    return today() - timedelta(days=1)


@pytest.fixture
def notebooks(tmp_path, monkeypatch):
    """Puts a cell behind a stage's cell that holds this call; returns how."""
    folder = tmp_path / "notebooks"
    shutil.copytree(ROOT / "notebooks", folder)
    monkeypatch.setattr(runner, "NOTEBOOKS", folder)

    def behind(stage, call, source):
        path = folder / f"{stage}.ipynb"
        notebook = nbformat.read(path, 4)
        place = next(n for n, cell in enumerate(notebook.cells) if call in cell.source)
        notebook.cells.insert(place + 1, new_code_cell(source))
        nbformat.write(notebook, path)

    return behind


@pytest.fixture
def killed(notebooks, tmp_path):
    """Kernels that are killed between a load's commit and the end of its notebook, so many times."""
    return lambda deaths: notebooks(
        "3_load", "load_batch(", DIES.format(flag=str(tmp_path / "died"), deaths=deaths)
    )  # fmt: skip


def ingest():
    """What `t3 ingest` says at its end: what changed, and a line for each batch that failed."""
    with workflows.working():
        before = summary()
        failed = take_in()
        return failed, outcome(before, summary())


def notices():
    with warehouse.connect() as db:
        found = db.execute(sa.text("SELECT subject, message FROM ops.mail_outbox ORDER BY mail_id")).all()
    return [(subject, _text(bytes(message))) for subject, message in found]


def _text(message: bytes) -> str:
    """The lines of a mail as its reader sees them, however long lines are folded on the way."""
    return email.message_from_bytes(message, policy=policy.default).get_content()


def runs(notebook):
    with warehouse.connect() as db:
        query = "SELECT state, error FROM ops.run WHERE notebook = :notebook ORDER BY started_at"
        return [tuple(row) for row in db.execute(sa.text(query), {"notebook": notebook})]


DIED = ("failed", "DeadKernelError: The kernel died in this cell: it was killed from outside or ran out of memory.")


def test_a_kernel_killed_once_after_the_commit_is_followed_by_a_run_that_changes_nothing(bucket, killed):
    put(bucket, yesterday(), total="4.99")
    killed(1)
    assert ingest() == ([], ["+1 sales, £4.99; now 1 sales, £4.99."])
    assert (one("SELECT state FROM ops.batch"), notices()) == ("done", [])
    assert runs("3_load") == [DIED, ("succeeded", None)]
    feeding.assert_reconciles()


def test_a_kernel_killed_at_every_try_after_the_commit_is_not_reported_as_not_loaded(bucket, killed):
    put(bucket, yesterday(), total="4.99")
    killed(99)
    assert ingest() == ([], ["+1 sales, £4.99; now 1 sales, £4.99."])
    assert (one("SELECT state FROM ops.batch"), one("SELECT error FROM ops.batch")) == ("done", None)
    assert runs("3_load") == [DIED] * 3
    batch = one("SELECT batch_id FROM ops.batch")
    [(subject, text)] = notices()
    assert subject == f"T3: {batch} is loaded; a later step failed"
    assert "The files were loaded before this error: there is nothing to do." in text
    assert "cell In [" in text
    assert "Nothing of this batch was loaded" not in text
    feeding.assert_reconciles()
    assert (ingest(), len(runs("3_load"))) == (([], ["Nothing new."]), 3)


def test_reprocessed_days_whose_kernel_is_killed_after_the_commit_are_done(bucket, killed):
    put(bucket, yesterday(), total="4.99")
    ingest()
    killed(99)
    with warehouse.connect() as db:
        [batch] = reprocessing.claim_days(
            db, yesterday(), yesterday(), actor="Ann", why="Looked again", batch_bytes=2**20
        )
    assert ingest()[0] == []
    assert one("SELECT state FROM ops.batch WHERE batch_id = :batch", batch=batch) == "done"
    assert one("SELECT outcome FROM ops.again_file") == "unchanged"
    assert [subject for subject, _ in notices()] == [f"T3: {batch} is loaded; a later step failed"]


def test_dimensions_whose_kernel_is_killed_after_the_commit_are_loaded(bucket, killed):
    menu = "truck_id,menu_item,menu_type,price"
    feeding.put(bucket, "metadata/menu.csv", "1,Taco,Mexican,5.00", header=menu)
    killed(99)
    assert ingest()[0] == []
    assert (one("SELECT state FROM ops.batch"), one("SELECT count(*) FROM core.menu_item")) == ("done", 1)


def test_a_kernel_killed_before_the_commit_is_reported_as_not_loaded(bucket, notebooks, tmp_path):
    put(bucket, yesterday())
    notebooks("3_load", "from t3lib import", DIES.format(flag=str(tmp_path / "died"), deaths=3))
    [said], changed = ingest()
    batch = one("SELECT batch_id FROM ops.batch")
    assert (one("SELECT state FROM ops.batch"), one("SELECT count(*) FROM core.sale")) == ("failed", 0)
    assert said.startswith(f"{batch} was not loaded: DeadKernelError")
    assert changed == ["+0 sales, £0.00; now 0 sales, £0.00."]
    assert "Nothing of this batch was loaded." in notices()[0][1]
    assert ingest()[0] == []
    assert [subject for subject, _ in notices()][1:] == [f"T3: ingest of {batch} succeeded after all"]


def test_work_that_could_not_write_its_end_after_the_commit_is_closed_as_loaded(bucket, monkeypatch):
    put(bucket, yesterday())
    assert ingest()[0] == []
    change("UPDATE ops.batch SET state = 'open', finished_at = NULL")
    batch = one("SELECT batch_id FROM ops.batch")
    monkeypatch.setattr(takeover, "stranded_batches", lambda: [batch])
    stages.park_stranded()
    assert one("SELECT state FROM ops.batch") == "done"
    assert [subject for subject, _ in notices()] == [f"T3: {batch} is loaded; a later step failed"]


def test_a_batch_that_five_workers_died_in_after_its_load_is_done(bucket):
    put(bucket, yesterday())
    assert ingest()[0] == []
    batch = one("SELECT batch_id FROM ops.batch")
    change("UPDATE ops.batch SET state = 'open', attempt = 2, finished_at = NULL")
    for number in range(5):
        change("INSERT INTO ops.run (run_id, workflow_id, notebook, state) VALUES (:run, :workflow, '3_load', 'lost')",
               run=f"3-{number}", workflow=f"ingest:{batch}:2")  # fmt: skip
    assert ingest()[0] == []
    assert one("SELECT state FROM ops.batch") == "done"


def test_a_report_whose_mails_exist_already_is_not_reported_as_without_mail(database):
    change("INSERT INTO ops.mail_outbox (report, business_date, edition, recipient, message_id, subject, message) "
           "VALUES ('daily', '2026-11-20', 'cfo', 'hiram@t3.example', '<1@t3.example>', 'Sales', 'x')")  # fmt: skip
    stages.fail_report("2026-11-20", "cfo", "The disk is full.")
    stages.fail_report("2026-11-20", "culinary", "The disk is full.")
    texts = [text for subject, text in notices() if "report failed" in subject]
    assert ["No mail was sent." in text for text in texts] == [False, True]
    assert "1 mail of this report was queued before" in texts[0]


@pytest.fixture
def limited(monkeypatch):
    """Sets limits of the schedule for this process."""
    plan = schedule.load()

    def limit(**limits):
        monkeypatch.setattr(runner.schedule, "load", lambda: replace(plan, limits=Limits(**limits)))

    return limit


@pytest.mark.parametrize(
    ("limits", "name"), [({"cell_seconds": 3}, "CellTimeoutError"), ({"run_seconds": 5}, "RunTimeoutError")]
)
def test_a_cell_that_ran_into_its_own_limit_is_reported_at_once_with_its_number(
    bucket, notebooks, limited, limits, name
):
    put(bucket, yesterday())
    notebooks("2_clean", "import", "import time; time.sleep(60)")
    limited(**limits)
    [said], _ = ingest()
    batch = one("SELECT batch_id FROM ops.batch")
    assert len(runs("2_clean")) == 1
    assert said.startswith(f"{batch} was not loaded: {name}: ")
    assert "(cell In [3] of 2_clean" in said
    [(subject, text)] = notices()
    assert (subject, "Notebook: 2_clean, cell In [3]" in text) == (f"T3: ingest of {batch} failed", True)


def test_a_cell_without_memory_is_reported_at_once(bucket, notebooks):
    put(bucket, yesterday())
    notebooks("2_clean", "import", "x = bytearray(2**62)")
    [said], _ = ingest()
    assert len(runs("2_clean")) == 1
    assert "MemoryError" in said


def test_a_report_that_ran_into_its_limit_is_reported_at_once(bucket, notebooks, limited, database):
    notebooks("4_report", "report.read(", "import time; time.sleep(60)")
    limited(cell_seconds=3)
    with workflows.working(), pytest.raises(NotebookFailedError, match=r"CellTimeoutError.*cell In \[3\] of 4_report"):
        workflows.wait(workflows.enqueue_report("2026-11-20", "cfo"))
    assert len(runs("4_report")) == 1


def test_a_limit_of_postgres_is_not_retried_though_the_driver_calls_it_operational(database):
    columns = ", ".join(f"{n} AS c{n}" for n in range(1_700))
    with pytest.raises(sa.exc.OperationalError) as raised:
        change(f"SELECT {columns}")
    assert not step_retries.is_temporary(raised.value)
    with pytest.raises(psycopg.OperationalError) as refused, transaction() as cursor:
        cursor.execute(f"SELECT {columns}")
    assert not step_retries.is_temporary(refused.value)
