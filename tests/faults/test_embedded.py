"""The embedded services when processes are killed, started at once, or find the machine in their way."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from scheduler.embedded import ServiceError, check, services
from scheduler.embedded.home import Home
from scheduler.embedded.postgres import Postgres
from t3lib import warehouse
from t3lib.settings import ROOT, SettingsError, load, settings
from tests.clusters import copy_database

# Uses the services until its standard input ends; says which server it found.
USER = """
import sys
from scheduler.embedded import services
from t3lib.settings import settings
with services(say=lambda line: None):
    import json, os
    from pathlib import Path
    pid = (Path(os.environ["T3_HOME"]) / "postgres" / "postmaster.pid").read_text().split()[0]
    known = json.loads((Path(os.environ["T3_HOME"]) / "embedded.json").read_text())
    print(json.dumps([int(pid), known["s3"]["pid"], known["inbox"]["pid"]]), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A T3_HOME through which every account may pass; nothing may run in it afterwards."""
    path = Path(tempfile.mkdtemp(prefix="t3-home-", dir="/tmp"))
    path.chmod(0o711)
    monkeypatch.setenv("T3_HOME", str(path))
    yield path
    left = running(path)
    for process in left:
        process.kill()
    shutil.rmtree(path, ignore_errors=True)
    assert left == []


@pytest.fixture
def with_data(home: Path, made_database: Path) -> Path:
    """The same with a database that was made before."""
    copy_database(made_database, home)
    return home


def running(home: Path) -> list[psutil.Process]:
    """Processes whose command line names the home."""
    every = psutil.process_iter(["cmdline", "status"])
    return [p for p in every if str(home) in " ".join(p.info["cmdline"] or []) and p.info["status"] != "zombie"]


def start() -> subprocess.Popen[str]:
    """Another t3 process, in a terminal session of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", USER],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def servers(user: subprocess.Popen[str]) -> list[int]:
    assert user.stdout
    return json.loads(user.stdout.readline())


def end(user: subprocess.Popen[str]) -> None:
    _, said = user.communicate()
    assert (user.returncode, said) == (0, "")


def test_two_at_once_start_one_set_and_the_last_one_stops_it(home: Path) -> None:
    first, second = start(), start()
    found = servers(first)
    assert servers(second) == found
    end(first)
    assert set(check().values()) == {None}
    end(second)
    assert running(home) == []


def test_services_of_a_killed_owner_are_adopted_and_then_stopped(home: Path) -> None:
    killed = start()
    found = servers(killed)
    killed.kill()
    killed.communicate()
    assert set(check().values()) == {None}
    heir = start()
    assert servers(heir) == found
    end(heir)
    assert running(home) == []


@pytest.mark.parametrize("after", [0.6, 0.75, 0.9, 1.05, 1.2] if "T3_FAULT_RUNS" in os.environ else [0.6, 0.9, 1.2])
def test_a_first_start_that_is_killed_midway_is_made_good_by_the_second(home: Path, after: float) -> None:
    killed = start()
    time.sleep(after)
    killed.kill()
    killed.communicate()
    with services(say=lambda line: None):
        assert set(check().values()) == {None}
        with warehouse.connect(settings().need("database_url_analyst")) as db:
            assert db.scalar(sa.text("SELECT count(*) FROM core.sale")) == 0
    assert list(home.glob(".postgres-*")) == []


@pytest.mark.parametrize("after", [0.6, 0.9, 1.2, 3.0])
def test_control_c_at_any_moment_leaves_no_process(home: Path, after: float) -> None:
    user = start()
    time.sleep(after)
    os.killpg(user.pid, signal.SIGINT)
    user.communicate()
    assert running(home) == []


def test_a_killed_database_server_restarts_with_what_was_committed(with_data: Path) -> None:
    with services(("database",)):
        with warehouse.connect() as db:
            db.execute(sa.text("INSERT INTO core.location VALUES (7, 'Market square')"))
        server = Postgres(Home(with_data), print).server
        assert server
        os.kill(server.pid, signal.SIGKILL)
        with services(("database",)), warehouse.connect() as db:
            assert db.scalar(sa.text("SELECT name FROM core.location WHERE location_id = 7")) == "Market square"


def test_killed_s3_and_mail_servers_restart_on_their_ports(home: Path) -> None:
    with services(("landing", "smtp")):
        first = settings().model_dump()
        memory = Home(home).memory
        for name in ("s3", "inbox"):
            os.kill(memory[name]["pid"], signal.SIGKILL)
        with services(("landing", "smtp")):
            assert settings().model_dump() == first
            assert check() == {"s3": None, "inbox": None}


def test_a_process_number_that_was_given_to_another_program_is_not_taken_for_the_server(with_data: Path) -> None:
    home = with_data
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        lines = [str(stranger.pid), str(home / "postgres"), "1", "5432", str(home / "run"), "", "1 1", "ready"]
        (home / "postgres" / "postmaster.pid").write_text("\n".join(lines))
        with services(("database",), say=lambda line: None):
            assert check()["database"] is None
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_taken_port_is_left_to_its_holder_and_the_new_one_is_printed(home: Path) -> None:
    with services(("landing",)):
        port = Home(home).memory["s3"]["port"]
    said: list[str] = []
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()
        with services(("landing",), say=said.append):
            assert not settings().need("s3_endpoint").endswith(str(port))
            assert check()["s3"] is None
    assert len(said) == 1
    assert said[0].startswith(f"Port {port} of the S3 server is used by another program")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_at_the_first_start_is_one_line_and_leaves_nothing_running(home: Path) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m,mode=711", "tmpfs", str(home)])
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises(ServiceError, match="disk is full"), services(say=lambda line: None):
            pass
        assert running(home) == []
    finally:
        subprocess.run(["umount", str(home)], check=True)


def test_a_home_that_cannot_be_written_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").touch()
    for path in (home / "file", home / "file" / "below", Path("/proc/t3")):
        monkeypatch.setenv("T3_HOME", str(path))
        with pytest.raises(ServiceError, match="T3_HOME"), services(("landing",)):
            pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root opens folders")
def test_root_opens_a_closed_way_and_says_so_but_never_a_private_home(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setenv("T3_HOME", str(closed / "t3"))
    said: list[str] = []
    with services(("database",), say=said.append):
        assert any(str(closed) in line for line in said)
    said.clear()
    with services(("database",), say=said.append):
        assert said == []
    private = home / "private"
    private.mkdir(mode=0o700)
    os.chown(private, 54321, 54321)
    monkeypatch.setenv("T3_HOME", str(private / "t3"))
    with pytest.raises(ServiceError, match="private folder"), services(("database",), say=said.append):
        pass
    assert private.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("major", "advice"), [("16", "upgrade_db"), ("19", "newer T3")])
def test_data_of_another_postgres_are_refused_with_what_to_do(with_data: Path, major: str, advice: str) -> None:
    (with_data / "postgres" / "PG_VERSION").write_text(f"{major}\n")
    with pytest.raises(ServiceError, match=advice), services(("database",)):
        pass


def test_data_that_another_machine_uses_are_not_started_twice(with_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scheduler.embedded.postgres.LOCK_SECONDS", 0.3)
    with services(("database",)):
        # As a container sees it that shares the folder but not the processes.
        monkeypatch.setattr(Postgres, "server", None)
        with pytest.raises(ServiceError, match="another container"), services(("database",)):
            pass
        monkeypatch.undo()


def test_a_damaged_file_of_the_services_is_named(home: Path) -> None:
    (home / "services.json").write_text("{half")
    with pytest.raises(SettingsError, match=r"services\.json cannot be read"):
        load()
    with pytest.raises(ServiceError, match="delete it"), services(("landing",)):
        pass
