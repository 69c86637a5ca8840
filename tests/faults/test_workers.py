"""Workers are killed, stopped and cut off at any moment: every piece is loaded once, and the figures are right.

T3_FAULT_RUNS=100 makes more rounds than the few of the suite."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from t3lib import warehouse
from t3lib.settings import ROOT, settings
from t3lib.simulate import simulate
from t3lib.warehouse import reconciliation, status

ROUNDS = int(os.environ.get("T3_FAULT_RUNS", "3"))
STAGES = ("1_extract", "2_clean", "3_load", "between")
WORK = """
import signal, threading
from scheduler.worker import work
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
thread = threading.Thread(target=work, args=(stop,))
thread.start()
thread.join()
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def bucket(database, tmp_path, monkeypatch):
    """A week of three trucks in a folder, and everything a worker needs in the environment."""
    made = simulate(tmp_path / "bucket", trucks=3, days=7, end=date(2026, 11, 15), seed=2)
    monkeypatch.setenv("T3_LANDING_URL", (tmp_path / "bucket").as_uri())
    monkeypatch.setenv("T3_SMTP_URL", "smtp://127.0.0.1:1")
    monkeypatch.setenv("T3_BATCH_BYTES", "65536")
    settings.cache_clear()
    return made


@pytest.fixture
def worker():
    """Starts workers; what is left of them is killed at the end."""
    started = []

    def start(**environment):
        env = {**os.environ, **environment}
        started.append(subprocess.Popen([sys.executable, "-c", WORK], cwd=ROOT, env=env, start_new_session=True))
        return started[-1]

    yield start
    for process in started:
        kill(process)


def kill(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def until(condition, seconds=90):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def one(query):
    with warehouse.connect() as db:
        return db.scalar(sa.text(query))


def running(stage):
    if stage == "between":
        idle = "NOT EXISTS (SELECT FROM ops.run WHERE state = 'running')"
        return one(f"SELECT {idle} AND EXISTS (SELECT FROM ops.run WHERE notebook = '2_clean' AND state = 'succeeded')")
    return one(f"SELECT count(*) FROM ops.run WHERE notebook = '{stage}' AND state = 'running'")


def all_done():
    left = "SELECT (SELECT count(*) FROM ops.batch WHERE state <> 'done') + (SELECT count(*) FROM ops.source_file"
    return one("SELECT count(*) FROM ops.batch") > 1 and not one(f"{left} WHERE state IN ('new', 'claimed'))")


def agrees(made):
    with warehouse.connect() as db:
        found = status.summary(db)
        assert [check for check in reconciliation.checks(db) if not check.ok] == []
    assert (found["rows_read"], found["rows_loaded"], found["pence_loaded"]) == (
        made.rows, made.accepted_rows, made.accepted_pence,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(ROUNDS))
@pytest.mark.timeout(300)
def test_a_worker_killed_in_or_between_notebooks_loses_and_doubles_nothing(bucket, worker, seed):
    chance = random.Random(seed)
    process = worker()
    for stage in chance.sample(STAGES, 2):
        until(lambda stage=stage: running(stage) or all_done())
        time.sleep(chance.random() * 0.4)
        kill(process)
        process = worker()
    until(all_done, 120)
    agrees(bucket)
    until(lambda: not one("SELECT count(*) FROM ops.run WHERE state = 'running'"))


def test_the_runs_of_a_dead_worker_are_marked_lost_within_fifteen_seconds(bucket, worker):
    first = worker()
    until(lambda: one("SELECT count(*) FROM ops.run WHERE state = 'running'"))
    second = worker()
    until(lambda: one("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") >= 3)
    time.sleep(2)
    until(lambda: one("SELECT count(*) FROM ops.run WHERE state = 'running' AND worker LIKE '%-1'") or all_done())
    working = one("SELECT count(*) FROM ops.run WHERE state = 'running' AND worker LIKE '%-1'")
    kill(first)
    begun = time.monotonic()
    if working:
        until(lambda: one("SELECT count(*) FROM ops.run WHERE state = 'lost'"), 15)
        assert time.monotonic() - begun < 15
    until(all_done, 120)
    agrees(bucket)
    assert second.poll() is None


def test_a_worker_told_to_stop_finishes_its_notebook_and_leaves_the_rest(bucket, worker):
    process = worker()
    until(lambda: running("1_extract"))
    process.terminate()
    assert process.wait(60) == 0
    assert one("SELECT count(*) FROM ops.run WHERE state IN ('running', 'lost', 'failed')") == 0
    assert one("SELECT count(*) FROM dbos.workflow_status WHERE status = 'ERROR'") == 0
    worker()
    until(all_done, 120)
    agrees(bucket)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_worker_told_to_stop_at_any_moment_fails_nothing(bucket, worker, seed):
    chance = random.Random(seed)
    process = worker()
    until(lambda: running(chance.choice(STAGES)) or all_done())
    time.sleep(chance.random())
    process.terminate()
    assert process.wait(60) == 0
    worker()
    until(all_done, 120)
    agrees(bucket)
    assert one("SELECT count(*) FROM dbos.workflow_status WHERE status = 'ERROR'") == 0
    assert one("SELECT count(*) FROM ops.mail_outbox WHERE report = 'incident'") == 0


class Proxy:
    """A socket before the database's, that can go silent as a broken network does."""

    def __init__(self, url, folder):
        target = parse_qs(urlsplit(url).query)["host"][0]
        self.target = next(str(path) for path in Path(target).glob(".s.PGSQL.*") if not path.name.endswith(".lock"))
        self.folder, self.silent, self.pairs = folder, False, []
        folder.mkdir()
        folder.chmod(0o755)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(folder / Path(self.target).name))
        os.chmod(folder / Path(self.target).name, 0o777)
        self.socket.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def url(self, url):
        return url.replace(parse_qs(urlsplit(url).query)["host"][0], str(self.folder))

    def accept(self):
        while True:
            client, _ = self.socket.accept()
            if self.silent:
                self.pairs.append((client, None))
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.target)
            self.pairs.append((client, server))
            for here, there in ((client, server), (server, client)):
                threading.Thread(target=self.forward, args=(here, there), daemon=True).start()

    def forward(self, here, there):
        try:
            while data := here.recv(65536):
                if self.silent:
                    return
                there.sendall(data)
        except OSError:
            return
        if not self.silent:
            there.close()

    def cut(self):
        """The worker hears nothing more; the server notices that its clients are gone."""
        self.silent = True
        for _, server in self.pairs:
            if server:
                server.shutdown(socket.SHUT_RDWR)

    def mend(self):
        """New connections pass; the old ones are reset."""
        self.silent = False
        for client, _ in self.pairs:
            client.close()


@pytest.mark.timeout(300)
def test_a_worker_cut_off_from_the_database_does_not_commit_over_its_successor(bucket, worker, database):
    short = Path("/tmp") / f"t3-cut-{os.getpid()}"
    proxy = Proxy(database, short)
    try:
        zombie = worker(T3_DATABASE_URL=proxy.url(database))
        until(lambda: running("3_load"))
        proxy.cut()
        worker()
        until(all_done, 150)
        agrees(bucket)
        loads = one("SELECT count(*) FROM ops.source_file WHERE state = 'loaded'")
        proxy.mend()
        time.sleep(15)
        agrees(bucket)
        assert one("SELECT count(*) FROM ops.batch WHERE state <> 'done'") == 0
        assert one("SELECT count(*) FROM ops.source_file WHERE state = 'loaded'") == loads
        assert one("SELECT count(*) FROM ops.mail_outbox WHERE report = 'incident'") == 0
        assert zombie.poll() in (None, 0)
    finally:
        shutil.rmtree(short)
