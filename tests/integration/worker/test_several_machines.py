"""Three workers on three machines, as docs/operating.md has them to copy and paste (here: three homes)."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from scheduler import schedule
from scheduler.embedded import services
from t3lib import warehouse
from t3lib.settings import ROOT, load, settings, unknown
from t3lib.simulate import simulate
from t3lib.warehouse.checks import reconciliation
from t3lib.warehouse.files import status
from tests.clusters import cluster, execute, named
from tests.support.steps import until

PAGE = (ROOT / "docs" / "operating.md").read_text()
SETTINGS, UNIT = re.findall(r"<<'EOF'\n(.*?)\nEOF", PAGE, re.DOTALL)
GIVEN = dict(line.split("=", 1) for line in SETTINGS.splitlines())
SERVICE = dict(re.findall(r"^(\w+)=(.*)$", UNIT, re.MULTILINE))

pytestmark = pytest.mark.slow


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """What the three share, by variable: a database made by the page's SQL, buckets and a mail server."""
    with cluster() as server:
        for statement in re.search(r"```sql\n(.*?)```", PAGE, re.DOTALL)[1].strip().splitlines():
            execute(server, statement)
        owner = sa.make_url(named(server, "t3")).set(username="t3", password="password")
        monkeypatch.setenv("T3_DATABASE_URL", owner.render_as_string(hide_password=False))
        with services(say=lambda line: None):
            settings.cache_clear()
            yield {name: settings().need(name.removeprefix("T3_").lower()) for name in (
                "T3_DATABASE_URL", "T3_LANDING_URL", "T3_ARCHIVE_URL", "T3_S3_REGION", "T3_S3_ACCESS_KEY_ID",
                "T3_S3_SECRET_ACCESS_KEY", "T3_S3_ENDPOINT", "T3_SMTP_URL")}  # fmt: skip


class Machine:
    """A machine with the page's settings file and unit, its own folders, and another health port."""

    def __init__(self, folder: Path, shared: dict[str, str]) -> None:
        folder.mkdir()
        self.outputs = folder / "outputs"
        own = {"T3_HOME": str(folder / "home"), "T3_OUTPUTS": str(self.outputs)}
        given = GIVEN | shared | own
        plain = {name: value for name, value in os.environ.items() if not name.startswith("T3_")}
        # So that the three, which are one machine here, have small batches of what is being worked on.
        self.env = plain | given | {"T3_BATCH_BYTES": "65536", "T3_EDITED_NOTEBOOKS": "1"}
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def start(self, which: str) -> subprocess.Popen[bytes]:
        words = shlex.split(SERVICE[which].replace("9464", str(self.port)))
        return subprocess.Popen([Path(sys.executable).with_name("t3"), *words[1:]], env=self.env, cwd="/")

    def health(self) -> str:
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5).read().decode().strip()
        except OSError as error:
            return str(error)


def test_the_page_names_settings_that_there_are_and_leaves_time_to_drain(monkeypatch: pytest.MonkeyPatch):
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)
    assert unknown() == {}
    assert load().recipients_operations == ("ops@company.example",)
    assert (SERVICE["Restart"], SERVICE["KillMode"]) == ("always", "mixed")
    assert int(SERVICE["TimeoutStopSec"]) > schedule.load().drain_seconds + 10


@pytest.mark.timeout(400)
def test_three_workers_share_the_work_and_stop_in_order(shared: dict[str, str], tmp_path: Path):
    machines = [Machine(tmp_path / f"machine-{n}", shared) for n in (1, 2, 3)]
    assert [upgrade.wait(120) for upgrade in [one.start("ExecStartPre") for one in machines]] == [0, 0, 0]
    workers = [one.start("ExecStart") for one in machines]
    try:
        until(lambda: [one.health() for one in machines] == ["ok"] * 3)
        made = simulate(shared["T3_LANDING_URL"], days=3, history_days=0, sales_per_day=1_000, mishaps=False)
        until(lambda: loaded() == made.accepted_pence, 200)
        family = [child for one in workers for child in psutil.Process(one.pid).children(recursive=True)]
        for one in workers:
            one.send_signal(signal.SIGTERM)
        assert [one.wait(90) for one in workers] == [0, 0, 0]
    finally:
        for one in workers:
            one.kill()
    until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in family), 20)
    with warehouse.connect() as db:
        assert len(db.scalars(sa.text("SELECT DISTINCT worker FROM ops.run")).all()) == 3
        assert [check for check in reconciliation.checks(db) if not check.ok] == []
    assert all(list(one.outputs.glob("runs/*/*/*.ipynb")) for one in machines)


def loaded() -> int:
    with warehouse.connect() as db:
        return status.summary(db)["pence_loaded"]
