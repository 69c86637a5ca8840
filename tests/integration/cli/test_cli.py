"""What people read when something is wrong: one plain line, exit code 1, no traceback."""

import inspect
import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import scheduler.cli
from scheduler.cli import app

pytestmark = pytest.mark.slow  # it starts every service


def one_line(result: subprocess.CompletedProcess, *words: str, code: int = 1) -> None:
    """One line that says what to do."""
    last = result.stderr.strip().splitlines()[-1]
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    assert all(word in last for word in words), last


def test_a_database_that_is_down(home):
    one_line(
        home.t3("status", T3_DATABASE_URL="postgresql://u:p@127.0.0.1:1/t3"), "No database answers", "T3_DATABASE_URL"
    )


def test_a_wrong_setting_is_named(home):
    one_line(home.t3("status", T3_TIMEZONE="Mars"), "T3_TIMEZONE", "Europe/London")


def test_a_wrong_password(home):
    url = json.loads((home.path / "services.json").read_text())["database_url"]
    wrong = re.sub(r":[^:@/]+@", ":wrong@", url)
    one_line(home.t3("status", T3_DATABASE_URL=wrong), "password", "T3_DATABASE_URL")


def test_a_database_without_the_schemas(home, postgres):
    one_line(home.t3("status", T3_DATABASE_URL=postgres), "has no T3 tables yet", "t3 db upgrade")


@pytest.mark.slow
def test_a_missing_folder_and_a_missing_bucket(home):
    one_line(home.t3("ingest", T3_LANDING_URL="file:///nowhere"), "/nowhere", "does not exist")
    endpoint = {"T3_S3_ENDPOINT": "http://127.0.0.1:1", "T3_S3_ACCESS_KEY_ID": "key12345",
                "T3_S3_SECRET_ACCESS_KEY": "secret12345"}  # fmt: skip
    one_line(home.t3("ingest", T3_LANDING_URL="s3://nowhere", **endpoint), "Nothing answers at", "T3_S3_ENDPOINT")


@pytest.mark.slow
def test_the_bucket_of_the_embedded_store_that_is_missing(home):
    known = json.loads((home.path / "services.json").read_text())
    env = {f"T3_{name.upper()}": value for name, value in known.items() if name.startswith("s3_")}
    one_line(home.t3("ingest", T3_LANDING_URL="s3://nowhere", **env), "does not exist", "T3_LANDING_URL")


@pytest.mark.slow
def test_a_full_disk_while_staging_loads_nothing_and_the_next_run_everything(home, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", small], capture_output=True)
    if mounted.returncode:
        pytest.skip("this account may not mount a small disk (run as root to include this test)")
    bucket = tmp_path / "bucket" / "trucks" / "2026-11" / "5" / "12"
    bucket.mkdir(parents=True)
    rows = "".join(f"2026-11-05 10:{n % 60:02d}:00+00:00,card,{5 + n % 7}.{n % 100:02d}\n" for n in range(30_000))
    (bucket / "T3_T1_A1.csv").write_text("timestamp,type,total\n" + rows)
    env = {"T3_LANDING_URL": (tmp_path / "bucket").as_uri()}
    try:
        one_line(home.t3("ingest", T3_OUTPUTS=str(small), **env), "disk is full", "outputs/")
        assert home.status()["rows_loaded"] == 0
    finally:
        subprocess.run(["umount", small], check=True)
    assert home.t3("ingest", **env).returncode == 0
    assert home.status()["rows_read"] == 30_000


def test_a_taken_port_is_avoided_and_said(home):
    from scheduler.web.processes import free_port

    said: list[str] = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port, "dashboard page", said.append) != port
    assert str(port) in said[0]


def test_wrong_use_is_exit_code_2(home):
    assert home.t3("ingest", "--nonsense").returncode == 2
    assert home.t3().returncode == 2


def test_a_date_that_is_none_is_named(home):
    one_line(home.t3("report", "--date", "yesterday"), "--date 'yesterday'", "2026-11-05", code=2)


@pytest.mark.parametrize(
    ("line", "words"),
    [("files --state nope", "choose one of new, claimed, loaded"), ("run nope", "choose one of 1_extract, 2_clean"),
     ("ingest --reprocess 2026-11-09..2026-11-01", "write the earlier date first"),
     ("dashboard --port 99999", "less than or equal to 65535"), ("rejects list --reason nope", "missing_total")],
)  # fmt: skip
def test_what_was_typed_wrongly_is_exit_code_2(home, line, words):
    done = home.t3(*line.split())
    assert (done.returncode, words in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr


def test_the_old_name_of_reprocess_works_is_not_in_the_help_and_says_the_new_one(t3):
    code, _, said = t3("ingest", "--again", "2026-11-09..2026-11-01")
    assert code == 2
    old, wrong = said.splitlines()
    assert old == "t3: --again is now --reprocess; the next version will not accept --again."
    assert wrong.startswith("t3: --reprocess '2026-11-09..2026-11-01' ends before it begins")
    code, _, said = t3("ingest", "--again", "2026-11-05", "--reprocess", "2026-11-05")
    assert (code, said.splitlines()[1]) == (2, "t3: --again is the old name of --reprocess: use --reprocess alone.")
    _, shown, _ = t3("ingest", "--help")
    assert ("--reprocess" in shown, "--again" in shown) == (True, False)


def test_what_does_not_exist_is_exit_code_1(home):
    one_line(home.t3("mail", "show", "99"), "There is no mail 99", "`t3 mail list`")
    one_line(home.t3("reproduce", "--run", "3-none"), "no finished run 3-none")


def test_a_variable_that_is_no_setting_is_named_beside_the_one_that_was_meant(home):
    done = home.t3("status", "--json", T3_LANDING_ULR="file:///x", T3_ODD="1")
    assert done.returncode == 0
    assert "T3_LANDING_ULR is not a setting and is ignored; did you mean T3_LANDING_URL?" in done.stderr
    assert "T3_ODD is not a setting and is ignored.\n" in done.stderr
    assert "rows_read" in json.loads(done.stdout)


@pytest.mark.slow
def test_an_ingest_says_what_it_did_not_load(home, tmp_path):
    folder = tmp_path / "bucket" / "trucks" / "2026-11" / "5" / "12"
    folder.mkdir(parents=True)
    (folder / "T3_T1_A1.csv").write_text("timestamp,type,total\n2026-11-05 10:00:00+00:00,card,VOID\n")
    (folder / "T3_T2_A1.csv").write_text("")
    done = home.t3("ingest", T3_LANDING_URL=(tmp_path / "bucket").as_uri())
    assert done.returncode == 0
    assert "1 row was not loaded: `t3 rejects list` shows why." in done.stderr
    assert "1 file is unreadable: `t3 files --state unreadable` shows why." in done.stderr


def test_debug_shows_the_traceback(home):
    assert "Traceback" in home.t3("--debug", "status", T3_TIMEZONE="Mars").stderr


def commands() -> list[list[str]]:
    import typer

    def walk(command, path):
        if hasattr(command, "commands"):
            return [found for name, sub in command.commands.items() for found in walk(sub, [*path, name])]
        return [path]

    return walk(typer.main.get_command(app), [])


@pytest.mark.parametrize("name", sorted({path[0] for path in commands()}))
def test_each_command_lies_in_the_one_file_of_its_name(name):
    import typer

    command = typer.main.get_group(app).commands[name]
    functions = [one.callback for one in getattr(command, "commands", {name: command}).values()]
    files = {Path(inspect.unwrap(function).__code__.co_filename) for function in functions}
    assert files == set(Path(scheduler.cli.__file__).parent.glob(f"*/{name}.py"))


def test_no_folder_of_commands_has_more_than_twelve_modules():
    folder = Path(scheduler.cli.__file__).parent
    counts = {one.name: len(list(one.glob("*.py"))) for one in [folder, *folder.iterdir()] if one.is_dir()}
    assert {name: count for name, count in counts.items() if count > 12} == {}
    assert sum(counts.values()) > 30


def test_the_help_loads_nothing_heavy():
    code = "import sys\nimport scheduler.cli\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"pandas", "pyarrow", "sqlalchemy", "rich", "dbos", "obstore", "jupyter_client", "t3lib.warehouse"}
    assert heavy & set(loaded) == set()


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_every_command_has_help_with_an_example(path):
    from typer.testing import CliRunner

    shown = CliRunner().invoke(app, [*path, "--help"]).output
    assert f"Example: t3 {' '.join(path)}" in " ".join(shown.split())


@pytest.mark.parametrize("path", [[], ["rejects"], ["files"], ["archive"], ["mail"], ["db"]], ids=" ".join)
def test_the_list_of_commands_has_whole_sentences(path):
    from typer.testing import CliRunner

    assert "..." not in CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "80"}).output.split("Commands:")[1]


def test_the_command_is_installed():
    assert (Path(sys.executable).parent / "t3").exists()
