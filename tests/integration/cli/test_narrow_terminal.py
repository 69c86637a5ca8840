"""Commands on terminals that are narrow, know ASCII only, or can do nothing but print lines."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.cli import terminal
from tests.support.feeding import LUNCH, at, put, rows, take_in

pytestmark = pytest.mark.slow  # it runs twenty commands

COMMANDS = (
    "status", "files", "files --state loaded", "rejects list", "rejects show 2 2", "mail list",
    "trace --truck 3 --date 2026-11-05", "reproduce", "diff 2026-11-05", "ingest --reprocess 2026-11-05 --why Again",
    "archive verify", "backfill --from 2026-11-05 --to 2026-11-05 --mode all --dry-run", "--help", "files --help",
)  # fmt: skip
TABLES = ("files", "rejects list", "mail list", "reproduce")  # other commands leave long lines to the terminal


@pytest.fixture
def day(bucket: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A day of a truck with names beyond ASCII, and the environment of a command that looks at it."""
    for name in ("COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    put(bucket, "metadata/menu.csv", "3,Jalapeño – für £5,Café,4.99", header="truck_id,menu_item,menu_type,price")
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "499"), at("12:02", "cash", "VOID – £"))
    take_in()
    rows("""INSERT INTO ops.mail_outbox (report, business_date, edition, recipient, message_id, subject, message)
            VALUES ('daily', '2026-11-05', 'cfo', 'hiram.boulie@t3.example', 'm', 'Sales – £4.99 ▲', 'x')
            RETURNING 1""")
    archive, home = bucket.parent / "archive", bucket.parent / "home"
    archive.mkdir(exist_ok=True)
    return {
        "T3_DATABASE_URL": database, "T3_LANDING_URL": bucket.as_uri(), "T3_ARCHIVE_URL": archive.as_uri(),
        "T3_SMTP_URL": "smtp://127.0.0.1:1", "T3_HOME": str(home), "T3_OUTPUTS": str(home / "outputs"),
        "T3_EDITED_NOTEBOOKS": "1",
    }  # fmt: skip


@pytest.fixture
def on_terminal(day: dict[str, str]) -> Callable[..., tuple[int, bytes]]:
    """Runs a command on a terminal of so many columns; its exit code and what the terminal got."""
    return lambda command, columns, **more: terminal.run(command.split(), columns, **day | more)


def stacked(text: str) -> list[str]:
    """Lines in which words were broken into letters: three in a row of at most two letters each."""
    lines = [line.strip() for line in text.split("\n")]
    return [lines[n] for n in range(len(lines) - 2) if all(0 < len(line) < 3 for line in lines[n : n + 3])]


@pytest.mark.parametrize("command", COMMANDS)
def test_forty_columns_of_ascii_hold_every_table(on_terminal, command: str):
    code, written = on_terminal(command, 40, PYTHONIOENCODING="ascii", TERM="dumb")
    text = written.decode("ascii")
    assert code == (1 if command == "archive verify" else 0), text  # nothing is written there yet
    assert "Traceback" not in text
    assert stacked(text) == []
    if command in TABLES:
        assert max(map(len, text.split("\n"))) <= 40


def test_tables_become_records_and_pounds_become_words(on_terminal):
    _, written = on_terminal("rejects list", 40, PYTHONIOENCODING="ascii", TERM="dumb")
    lines = [" ".join(line.split()) for line in written.decode("ascii").split("\n")]
    assert "suggested GBP 4.99" in lines
    assert "total VOID - GBP" in lines
    assert "reason decimal_shift" in lines


def test_wide_terminals_keep_their_tables_and_signs(on_terminal):
    _, written = on_terminal("rejects list", 160, PYTHONIOENCODING="utf-8", TERM="xterm")
    text = written.decode()
    assert "£4.99" in text
    (head,) = [line for line in text.split("\n") if "suggested" in line]
    assert "payment" in head


@pytest.mark.parametrize("locale", [{}, {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}], ids=["utf-8", "ascii"])
def test_the_c_locale_ends_no_command(day: dict[str, str], locale: dict[str, str]):
    """Python decides about encodings at its start, so this command gets a process of its own."""
    line = [sys.executable, "-m", "scheduler.cli", "status"]
    env = os.environ | day | {"TERM": "dumb", "LC_ALL": "C"} | locale
    with terminal.terminal(80) as (master, slave):

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(line, env=env, stdin=slave, stdout=slave, stderr=slave)

        code, text = terminal.outcome(master, start)
    assert code == 0, text


def test_a_list_says_how_many_more_there_are(on_terminal):
    _, written = on_terminal("rejects list --limit 1", 100, PYTHONIOENCODING="utf-8")
    assert "These are the newest 1 of 2: `--limit 2` shows all." in written.decode()
    _, written = on_terminal("files --limit 1 --json", 100, PYTHONIOENCODING="utf-8")
    assert "These are the newest 1 of 2" in written.decode()
    rows("""INSERT INTO ops.mail_outbox (report, business_date, edition, recipient, message_id, subject, message)
            VALUES ('daily', '2026-11-06', 'cfo', 'hiram.boulie@t3.example', 'n', 's', 'x') RETURNING 1""")
    _, written = on_terminal("mail list --limit 1", 100, PYTHONIOENCODING="utf-8")
    assert "These are the newest 1 of 2" in written.decode()
