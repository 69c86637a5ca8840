"""What code in a notebook can reach of the secrets of T3, tried by real kernels beside all the other processes."""

import json
import os
import pwd
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from glob import glob
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import nbformat
import psutil
import pytest
from jupyter_client.blocking import BlockingKernelClient
from nbformat.v4 import new_code_cell, new_notebook

from scheduler import environment
from scheduler.accounts import server_accounts, shared_folders
from scheduler.cli.session import require_schema
from scheduler.runs import runner
from scheduler.web import processes
from t3lib import warehouse
from t3lib.landing import Landing
from t3lib.settings import ROOT, settings
from t3lib.urls import scrubbed
from t3lib.warehouse.db import roles
from tests.conftest import PASSWORDS
from tests.integration.conftest import Home
from tests.support.steps import until
from tests.support.visitor import given

pytestmark = pytest.mark.slow
as_root = pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="only root has accounts to give")
TOKEN = "the token of the dashboard"
Serve = Callable[[str], processes.Page]
MAIL = "smtp://t3:the-password-of-the-mail-server@127.0.0.1:1"
# Reads whatever it can into its own folder, and says which strange processes it could touch.
ATTACK = """
import ctypes, glob, json, os, signal, stat
home, touched, libc = os.path.dirname(os.environ["T3_HOME"]), [], ctypes.CDLL(None)
places = [f"/proc/{pid}/{name}" for pid in os.listdir("/proc") if pid.isdecimal()
          for name in ("environ", "cmdline", "maps", "stack", "auxv")]
places += [os.path.join(at, name) for at, _, names in os.walk(home) for name in names]
places += ["/proc/1/root", *glob.glob(os.path.expanduser("~root/*")), *glob.glob("/proc/self/fd/*")]
places += [os.path.join(home, name) for name in ("services.json", "embedded.json", "logs/s3.log")]
with open(os.path.join(os.environ["HOME"], "loot"), "wb") as loot:
    for place in places:
        try:
            if stat.S_ISREG(os.stat(place).st_mode) and not place.endswith("/loot"):
                loot.write(open(place, "rb").read(2**22))
        except OSError:
            pass
for pid in (int(name) for name in os.listdir("/proc") if name.isdecimal()):
    try:
        if os.stat(f"/proc/{pid}").st_uid == os.geteuid() or pid == os.getpid():
            continue
    except FileNotFoundError:  # it ended since the folder was read
        continue
    for what, touch in (("memory", lambda: open(f"/proc/{pid}/mem", "rb").close()),
                        ("files", lambda: os.listdir(f"/proc/{pid}/fd")), ("signal", lambda: os.kill(pid, 0)),
                        ("trace", lambda: libc.ptrace(16, pid, 0, 0) and os.stat("/none"))):
        try:
            touch()
            touched.append((pid, what))
        except OSError:
            pass
status = open("/proc/self/status").read()
caps = [line.split()[1] for line in status.splitlines() if line.startswith(("CapPrm", "CapEff", "CapAmb"))]
print(json.dumps({"touched": touched, "uid": os.getuid(), "groups": os.getgroups(), "caps": caps}))
"""


def run(connection: str, code: str) -> str:
    """What code prints in the kernel of a connection file."""
    client = BlockingKernelClient(connection_file=connection)
    client.load_connection_file()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    parts: list[str] = []
    client.execute_interactive(code, timeout=60, output_hook=lambda m: parts.append(
        m["content"].get("text", "") + "\n".join(m["content"].get("traceback", []))))  # fmt: skip
    client.stop_channels()
    return "".join(parts)


def in_lab(page: processes.Page, code: str) -> str:
    """The same in a new kernel of JupyterLab."""
    root, token = page.url.split("/lab")[0], parse_qs(urlsplit(page.url).query)["token"][0]
    asked = urllib.request.Request(f"{root}/api/kernels?token={token}", b'{"name": "t3"}', method="POST")
    with urllib.request.urlopen(asked, timeout=60) as answer:
        kernel = json.load(answer)["id"]
    return run(str(settings().home / f"lab/own/.local/share/jupyter/runtime/kernel-{kernel}.json"), code)


def secrets(home: Path, *own: tuple[str, str]) -> list[str]:
    """Every password, key and token of this T3 but those of one place."""
    known = json.loads((home / "embedded.json").read_text())
    names = {"database": ("owner", "etl", "dashboard", "analyst", "mailer", "operator"), "inbox": ("password",),
             "s3": ("key_id", "secret"), "s3_reading": ("key_id", "secret")}  # fmt: skip
    found = [known[part][name] for part, all_of_it in names.items() for name in all_of_it
             if (part, name) not in own and part in known]  # fmt: skip
    return [*found, TOKEN, "the-password-of-the-mail-server"]


@pytest.fixture(scope="module")
def working(home: Home) -> Iterator[dict[str, str]]:
    """The environment of a home in which services and a worker run, with tokens and a mail server's password."""
    variables = {"T3_HOME": str(home.path), "T3_OUTPUTS": str(home.path / "outputs"), "T3_EDITED_NOTEBOOKS": "1",
                 "T3_DASHBOARD_TOKEN": TOKEN, "T3_OPERATIONS_TOKEN": TOKEN}  # fmt: skip
    other = {name: value for name, value in os.environ.items() if not name.startswith("T3_")}
    worker = subprocess.Popen([sys.executable, "-m", "scheduler.cli", "worker"], stderr=subprocess.DEVNULL,
                              env=other | variables | {"T3_SMTP_URL": MAIL})  # fmt: skip
    try:
        until(psutil.Process(worker.pid).children)  # its warm process is looked at, too
        yield variables
    finally:
        worker.terminate()
        worker.wait(60)


@pytest.fixture(scope="module")
def serve(working: dict[str, str]) -> Iterator[Serve]:
    """The dashboard, the operations page and JupyterLab of that home, each started for the first test that wants it."""
    with ExitStack() as running:
        started: dict[str, processes.Page] = {}

        def page(name: str) -> processes.Page:
            if name not in started:
                with pytest.MonkeyPatch.context() as patch:
                    given(patch, **working)
                    started[name] = running.enter_context(processes.lab() if name == "lab" else processes.page(name))
                settings.cache_clear()
            return started[name]

        yield page


@pytest.fixture
def full(working: dict[str, str], home: Home, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home in which everything runs; this test's settings are its settings."""
    for name, value in working.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    return home.path


def test_the_environment_of_each_process_holds_only_the_secrets_that_it_needs(full: Path, serve: Serve) -> None:
    assert serve("dashboard").answer() == 200
    here = {process.pid: process for process in psutil.process_iter() if _belongs(process, full)}
    known = json.loads((full / "embedded.json").read_text())
    allowed = {known["s3"]["pid"]: ["key_id", "secret"], known["inbox"]["pid"]: ["password"]}
    assert len(here) >= 5
    for pid, process in here.items():
        shown = Path(f"/proc/{pid}/environ").read_bytes() + " ".join(process.cmdline()).encode()
        mine = [("s3" if "secret" in names else "inbox", name) for names in [allowed.get(pid, [])] for name in names]
        held = [secret for secret in secrets(full, *mine) if secret.encode() in shown]
        is_worker = process.cmdline()[-1:] == ["worker"]
        assert held == ([TOKEN, "the-password-of-the-mail-server"] if is_worker else []), process.cmdline()


@as_root
def test_code_in_jupyterlab_and_in_the_pages_finds_no_secret_and_touches_no_process(full: Path, serve: Serve) -> None:
    assert [serve(name).answer() for name in ("dashboard", "operations")] == [200, 200]
    for name, said, own in (
        ("lab", in_lab(serve("lab"), ATTACK),
         [("database", "analyst"), ("s3_reading", "key_id"), ("s3_reading", "secret")]),
        ("dashboard", run(_of_page("dashboard"), ATTACK), [("database", "dashboard")]),
        ("operations", run(_of_page("operations"), ATTACK), [("database", "operator")]),
    ):  # fmt: skip
        found, entry = json.loads(said), pwd.getpwnam(server_accounts.NAMES[name])
        assert (found["touched"], found["uid"], found["groups"]) == ([], entry.pw_uid, [])
        assert set(found["caps"]) == {"0000000000000000"}
        loot = (full / name / "own" / "loot").read_bytes()
        assert b"\0PATH=" in loot or loot.startswith(b"PATH=")  # it read what it may
        assert [secret for secret in secrets(full, *own) if secret.encode() in loot] == []


@as_root
def test_an_analyst_reads_the_bucket_and_saves_notebooks_and_changes_nothing_else(full: Path, serve: Serve) -> None:
    Landing().write("menu/of/today", b"Taco")
    look = (
        "from t3lib import warehouse\nfrom t3lib.landing import Landing\nimport os, sqlalchemy as sa\n"
        "landing = Landing()\n(found,) = landing.objects('menu')\nprint(landing.read(found.key, found.etag))\n"
        "with warehouse.connect() as db:\n    print(db.scalar(sa.text('SELECT current_user')))\n"
        f"open({str(ROOT / 'notebooks' / 'explore' / 'first_look.ipynb')!r}, 'r+').close()\n"
    )
    forbidden = (
        "notebooks/editions.toml",
        "notebooks/6_operations.ipynb",
        "t3lib/money.py",
        "scheduler/schedule.toml",
        ".git/t3" if (ROOT / ".git").is_dir() else ".git",
    )
    lab = serve("lab")
    assert in_lab(lab, look).split() == ["b'Taco'", "t3_analyst"]
    for place in forbidden:
        assert "PermissionError" in in_lab(lab, f"open({str(ROOT / place)!r}, 'a')"), place
    assert "Operation not permitted" in in_lab(
        lab, f"import os; os.remove({str(ROOT / 'notebooks' / 'editions.toml')!r})"
    )
    assert "Error" in in_lab(lab, "from t3lib.landing import Landing\nLanding().write('menu/of/today', b'Stolen')")
    (kept,) = Landing().objects("menu")
    assert Landing().read(kept.key, kept.etag) == b"Taco"


@as_root
def test_a_link_that_an_analyst_put_there_changes_no_file_elsewhere(tmp_path: Path) -> None:
    elsewhere, folder, entry = tmp_path / "elsewhere.ipynb", tmp_path / "notebooks", pwd.getpwnam("nobody")
    (folder / "explore").mkdir(parents=True)
    elsewhere.write_text("root's")
    elsewhere.chmod(0o600)
    (folder / "explore" / "a.ipynb").symlink_to(elsewhere)
    os.link(elsewhere, folder / "b.ipynb")
    (folder / "c").symlink_to(tmp_path)
    os.mkfifo(folder / "d.ipynb")
    (folder / "e.ipynb").write_text("{}")
    shared_folders.let_edit(folder, entry)
    assert (stat.S_IMODE(elsewhere.stat().st_mode), elsewhere.stat().st_gid) == (0o600, 0)
    assert ((folder / "e.ipynb").stat().st_mode & 0o777, (folder / "e.ipynb").stat().st_gid) == (0o664, entry.pw_gid)


@pytest.mark.parametrize(
    ("role", "keys"), [("etl", True), ("analyst", True), ("report", False), ("dashboard", False), ("operations", False)]
)
def test_a_kernel_gets_its_own_database_and_a_key_only_where_it_reads_files(role, keys, monkeypatch) -> None:
    for name in ("", "_ETL", "_DASHBOARD", "_ANALYST", "_MAILER", "_OPERATOR"):
        monkeypatch.setenv(f"T3_DATABASE_URL{name}", f"postgresql://t3{name.lower()}:x{name.lower()}@db.example/t3")
    others = {"T3_SMTP_URL": MAIL, "T3_DASHBOARD_TOKEN": TOKEN, "DBOS_X": "1", "MY_API_KEY": "2", "PGPASSWORD": "3"}
    for name, value in {**others, "T3_S3_ACCESS_KEY_ID": "key", "T3_S3_SECRET_ACCESS_KEY": "s", "T3_TIMEZONE": "UTC",
                        "AWS_SESSION_TOKEN": "s"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    shown = runner.kernel_environment(role)
    wanted = {"report": "mailer", "operations": "operator"}.get(role, role)
    assert shown["T3_DATABASE_URL"] == f"postgresql://t3_{wanted}:x_{wanted}@db.example/t3"
    assert [name for name in (*others, "T3_DATABASE_URL_ETL", "T3_DATABASE_URL_ANALYST") if name in shown] == []
    assert ("T3_S3_SECRET_ACCESS_KEY" in shown, "AWS_SESSION_TOKEN" in shown) == (keys, keys)
    assert shown["T3_TIMEZONE"] == "UTC"
    assert "MY_API_KEY" not in environment.system()


def test_a_page_needs_no_more_than_the_url_of_its_role(database, monkeypatch) -> None:
    with warehouse.connect() as db:
        roles.ensure(db, PASSWORDS)
    monkeypatch.setenv("T3_DATABASE_URL", roles.urls(database, PASSWORDS)["database_url_dashboard"])
    settings.cache_clear()
    require_schema()
    with processes.page("dashboard") as board:
        assert board.answer() == 200


def test_a_run_that_fails_at_the_database_tells_no_login(database, monkeypatch) -> None:
    url = settings().need("database_url")
    code = "import psycopg2, os\nraise RuntimeError('no way with ' + os.environ['T3_DATABASE_URL'] + ' at all')"
    monkeypatch.setenv("T3_DATABASE_URL_ETL", url.replace("postgres@", "postgres:the%2Fpassword@"))
    settings.cache_clear()
    path = settings().outputs / "trial.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(new_notebook(cells=[new_code_cell(code)]), path)
    found = runner.source.Source(nbformat.read(path, 4), None)
    monkeypatch.setattr(runner.source, "committed", lambda path, **more: found)
    with pytest.raises(runner.NotebookFailedError) as failed:
        runner.run_notebook("2_clean", {})
    with runner.warehouse.connect() as db:
        kept = db.exec_driver_sql("SELECT error FROM ops.run").scalar()
    copy = Path(failed.value.copy).read_text()
    for text in (kept, str(failed.value), copy):
        assert "at all" in text
        assert "the%2Fpassword" not in text
        assert "the/password" not in text
    assert scrubbed(kept) == kept


def _of_page(name: str) -> str:
    uid = pwd.getpwnam(server_accounts.NAMES[name]).pw_uid
    found = [path for path in glob("/tmp/voila_*/kernel-*.json") if os.stat(path).st_uid == uid]
    return max(found, key=os.path.getmtime)  # servers that were killed before left theirs


def _belongs(process: psutil.Process, home: Path) -> bool:
    """Whether it is of this T3, for /tmp has others: the home is in its command line, or its parent's or its own
    environment names it."""
    try:
        shown = Path(f"/proc/{process.pid}/environ").read_bytes() + " ".join(process.cmdline()).encode()
    except (OSError, psutil.Error):
        return False
    return str(home).encode() in shown and process.pid != os.getpid()
