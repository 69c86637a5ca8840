"""kill -9 at any moment of an ingest: afterwards everything is loaded, once, and nothing is left over."""

import os
import random
import shutil
import tempfile
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from t3lib import warehouse
from t3lib.settings import settings
from t3lib.warehouse.checks import reconciliation
from t3lib.warehouse.files import status
from tests.faults.injection.supervisor import VICTIMS, Supervisor
from tests.support.steps import one

RUNS = int(os.environ.get("T3_FAULT_RUNS", len(VICTIMS)))
NOTEBOOKS = 15
_BY_DAY = """
    SELECT truck_id, business_date, count(*) AS rows, sum(total_pence) AS pence
    FROM core.sale GROUP BY truck_id, business_date ORDER BY truck_id, business_date
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
