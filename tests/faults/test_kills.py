"""kill -9 at any moment of an ingest: afterwards everything is loaded, once, and nothing is left over. Where the rules
change before the next worker goes on, each row is judged once, under rules that are named beside it."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from t3lib import warehouse
from t3lib.ingest import pipeline
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing
from t3lib.settings import ROOT, settings
from t3lib.warehouse.checks import other_rules, reconciliation
from t3lib.warehouse.files import batches, status
from tests.faults.injection.supervisor import VICTIMS, Supervisor
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, sales
from tests.support.restating import (
    COSTS,
    COSTS_CSV,
    HELD,
    MENU_CSV,
    RECORDED,
    THURSDAY,
    left,
    place,
    reprocess,
    restated,
    sell,
    upload,
)
from tests.support.rulebooks import limit
from tests.support.steps import one

RUNS = int(os.environ.get("T3_FAULT_RUNS", len(VICTIMS)))
NOTEBOOKS = 15
_BY_DAY = """
    SELECT truck_id, business_date, count(*) AS rows, sum(total_pence) AS pence
    FROM core.sale GROUP BY truck_id, business_date ORDER BY truck_id, business_date
"""

BEFORE, AFTER = 50_00, 200_00  # the limit, as the dead worker knew it and as the next one does
KNOWN_BEFORE, KNOWN_AFTER = [(3, 2, 499)], [(3, 1, 9900), (3, 2, 499), (3, 3, 10100)]
# Where the worker dies, and which of the stages the queue repeats: a step that was finished is not.
MOMENTS = {
    "cleaning": ("t3lib.ingest.staging.Staging.write", "sales", ("clean_batch", "load_batch")),
    "staged": ("t3lib.ingest.pipeline.load_batch", "", ("load_batch",)),
    "loading": ("t3lib.warehouse.sales.rollups.update", "", ("load_batch",)),
    "loaded": ("t3lib.warehouse.files.batches.finish", "", ("load_batch",)),
}
_WORKER = """
import os, pkgutil, signal, sys
import pytest
from tests.support import feeding, rulebooks

batch_id, pence, place, name = sys.argv[1:]
patch = pytest.MonkeyPatch()
rulebooks.limit(patch, int(pence))
original = pkgutil.resolve_name(place)

def die(*given, **more):
    if not name or name in given:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*given, **more)

patch.setattr(place, die)
feeding.run(batch_id)
"""


@pytest.fixture
def supervisor(cluster, own_database, fleet, monkeypatch):
    """A worker's environment over the fleet's bucket, in a folder with a short name."""
    folder = Path(tempfile.mkdtemp(prefix="t3-f-", dir="/tmp"))
    monkeypatch.setenv("T3_OUTPUTS", str(folder / "outputs"))
    monkeypatch.setenv("T3_HOME", str(folder / "home"))
    monkeypatch.setenv("T3_LANDING_URL", fleet.folder.as_uri())
    monkeypatch.setenv("T3_SMTP_URL", "smtp://127.0.0.1:1")
    monkeypatch.setenv("T3_BATCH_BYTES", "65536")
    settings.cache_clear()
    own = Supervisor(folder, cluster.server)
    yield own
    own.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(RUNS))
def test_a_kill_at_any_moment_loses_and_doubles_nothing(supervisor, fleet, seed):
    chance = random.Random(seed)
    victim = VICTIMS[seed % len(VICTIMS)]
    notebooks, wait = chance.randrange(NOTEBOOKS), chance.uniform(0, 1)
    supervisor.keep()
    supervisor.until(lambda: one("SELECT count(*) FROM ops.run") >= notebooks or all_done())
    time.sleep(wait)
    supervisor.kill(victim, chance)
    supervisor.until(done_by_itself)
    supervisor.stop()
    equals(fleet.truth)
    assert left_in(settings().outputs / "staging") == []
    assert supervisor.left() == []


def done_by_itself() -> bool:
    """Whether everything is in; no batch may wait for an operator."""
    try:
        assert not one("SELECT count(*) FROM ops.batch WHERE state = 'failed'")
        return all_done()
    except sa.exc.OperationalError:
        return False


def all_done() -> bool:
    """Whether sales were found, and no file and no batch waits."""
    found = one("SELECT count(*) FROM ops.source_file WHERE kind = 'sales'")
    waiting = one("SELECT count(*) FROM ops.source_file WHERE state IN ('new', 'claimed')")
    return bool(found) and not waiting and not one("SELECT count(*) FROM ops.batch WHERE state <> 'done'")


def equals(truth: dict) -> None:
    """Rows, pence, reasons and files are the truth's, and every proof holds."""
    with warehouse.connect() as db:
        found = status.summary(db)
        by_day = [dict(row) | {"business_date": row["business_date"].isoformat(), "pence": int(row["pence"])}
                  for row in db.execute(sa.text(_BY_DAY)).mappings()]  # fmt: skip
        wrong = [check for check in reconciliation.checks(db) if not check.ok]
    names = ("rows_read", "rows_loaded", "rows_rejected", "pence_loaded", "rejected")
    assert {name: found[name] for name in names} == {name: truth[name] for name in names}
    assert by_day == truth["by_truck_and_date"]
    assert wrong == []


def left_in(folder: Path) -> list[str]:
    """Whatever lies in a folder."""
    return [str(path) for path in folder.rglob("*")] if folder.exists() else []


@pytest.fixture(params=MOMENTS)
def moment(request: pytest.FixtureRequest, bucket, monkeypatch: pytest.MonkeyPatch) -> str:
    """A batch of £99.00, £4.99 and £101.00 whose worker died at a moment; then the rules changed and it was resumed."""
    place, name, left = MOMENTS[request.param]
    put(bucket, LUNCH, at("12:00", "card", "99"), at("12:01", "card", "4.99"), at("12:02", "card", "101"))
    (batch_id,) = discover(Landing(), sweep=True)
    worker = [sys.executable, "-c", _WORKER, batch_id, str(BEFORE), place, name]
    ended = subprocess.run(worker, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    limit(monkeypatch, AFTER)
    monkeypatch.setattr(other_rules, "_SECONDS", 1e-9)
    for stage in left:
        getattr(pipeline, stage)(pipeline.open_batch(batch_id))
    with warehouse.connect() as db:
        batches.finish(db, batch_id)
    return request.param


def under_other_rules() -> int:
    with warehouse.connect() as db:
        return other_rules.find(db).files


@pytest.mark.slow
def test_a_batch_is_loaded_under_one_set_of_rules_and_says_which(moment):
    is_cleaned_anew = moment == "cleaning"
    assert sales() == (KNOWN_AFTER if is_cleaned_anew else KNOWN_BEFORE)
    assert under_other_rules() == (0 if is_cleaned_anew else 1)
    assert rows(RECORDED) == []
    assert_reconciles()
    reprocess()
    assert sales() == KNOWN_AFTER
    assert under_other_rules() == 0
    assert rows(RECORDED) == ([] if is_cleaned_anew else [("again", 3, "2026-11-05", 1, 3, 499, 20499)])
    assert_reconciles()


_APPLY = """
import os, signal, sys
from datetime import date
import pytest
from t3lib import warehouse
from t3lib.metrics.money.margins import contributions
from t3lib.warehouse.load import applying

pytest.MonkeyPatch().setattr(sys.argv[1], lambda *given, **more: os.kill(os.getpid(), signal.SIGKILL))
with warehouse.connect() as db:
    applying.apply(db, "menu", date(2026, 11, 5), contributions, actor="Ann", why="The supplier raised prices.")
"""


@pytest.mark.parametrize("moment", ["history.replace", "rollups.value_goods", "dimension_effects.apply", "dated.tell"])
def test_an_apply_that_dies_changes_nothing_and_can_be_repeated(bucket, moment):
    place(bucket, COSTS_CSV, ",vat,0,percent,2026-11-01", when="2026-11-01 08:00", header=COSTS)
    place(bucket, MENU_CSV, "1,Burrito,Mexican,7.00,1.50", when="2026-11-01 08:00")
    sell(bucket, THURSDAY, "7", "7")
    upload(bucket, MENU_CSV, "1,Burrito,Mexican,7.00,3.00", when="2026-11-06 07:00")
    before = rows(HELD)

    def run(patched: str) -> int:
        program = [sys.executable, "-c", _APPLY, patched]
        return subprocess.run(program, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}).returncode

    room = "sales" if moment.startswith("rollups") else "load"
    assert run(f"t3lib.warehouse.{room}.{moment}") == -signal.SIGKILL
    assert (rows(HELD), restated(), rows("SELECT * FROM ops.audit")) == (before, [], [])
    assert left(THURSDAY) == (3.00, 11.00, 0)
    assert_reconciles()
    assert run("t3lib.warehouse.checks.reconciliation.checks") == 0
    assert left(THURSDAY) == (6.00, 8.00, 0)
    assert [row[:5] for row in restated()] == [("applied", 1, "2026-11-05", 1100, 800)]
    assert_reconciles()
