"""The mails as a real mail client shows them: sent over SMTP, put into a maildir, opened by mutt.

What it shows is kept in tests/snapshots; T3_WRITE_SNAPSHOTS=1 rewrites it, to be read before it is committed."""

import fcntl
import mailbox as maildirs
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import termios
import time

import pytest

from t3lib import mail, period, warehouse
from t3lib.metrics import Attention
from t3lib.metrics.money.contribution import Contribution
from t3lib.report.output.message import build
from t3lib.settings import ROOT, settings
from tests.support.mailbox import mailbox
from tests.support.reporting import executed, figures, pack, rows, totals, typical

SNAPSHOTS = ROOT / "tests" / "snapshots"
WRITE = bool(os.environ.get("T3_WRITE_SNAPSHOTS"))
RC = """
set charset="utf-8" folder="{home}" record="" pager="{home}/pager" header_cache=""
set prompt_after=no wait_key=no quit=yes move=no delete=no confirmcreate=no mail_check=0
ignore *
unignore from to subject references
hdr_order from to subject references
alternative_order text/plain
push "<display-message><exit>"
"""

pytestmark = [
    pytest.mark.slow,  # it starts a mail client
    pytest.mark.skipif(not shutil.which("mutt"), reason="needs a mail client: apt-get install mutt"),
]


def morning():
    fleet = rows(
        "truck_id",
        (1, "Burrito Madness", 100, 90_000, 90, 80_000, 90, 80_000),
        (2, "Hartmann's Jellied Eels of Old Lichfield", 40, 22_000, 35, 20_000, 35, 20_000),
        label="truck",
    )
    eels = Attention(
        "sales_high", 2, "Hartmann's Jellied Eels of Old Lichfield", "x", "It sold in 9 hours; usually in 7."
    )
    costs = Contribution(112_000, {"Cost of goods": 38_000, "vat": 18_667}, 0)
    inputs = {"menu": True, "pitches": True, "costs": True}
    return figures(totals(112_000, 140), totals(100_000, 125), typical(100_000, 125), trucks=fleet, attention=(eels,),
                   contribution=costs, inputs=inputs)  # fmt: skip


def month():
    year_before = period.of("month", morning().period.last.replace(year=2025))
    return figures(totals(150_000, 200), totals(120_000, 180), typical(100_000, 160, weeks=1), edition_name="cfo_month",
                   usual_of=year_before, pack=pack())  # fmt: skip


@pytest.mark.parametrize(("name", "day"), [("morning", morning), ("month", month)])
def test_a_mail_client_shows_what_was_meant(name, day, database, tmp_path, monkeypatch):
    shown = read_by_mutt(sent(build(executed(day(), tmp_path)), day().period.last, monkeypatch), tmp_path)
    file = SNAPSHOTS / f"{name}.txt"
    if WRITE:
        file.write_text(shown)
    assert shown == file.read_text()


def sent(message, last, monkeypatch):
    """The bytes that arrived at an SMTP server."""
    with mailbox() as box:
        monkeypatch.setenv("T3_SMTP_URL", box.url)
        monkeypatch.setenv("T3_MAIL_LIVE", "1")
        settings.cache_clear()
        with warehouse.connect() as db:
            mail.prepare(db, message, "hiram.boulie@t3.example", report="daily", business_date=last, edition="cfo")
        assert mail.send_due()["sent"] == 1
    [(_, content)] = box.received
    return content


def read_by_mutt(content, home):
    """What mutt hands to its pager for the only mail of a maildir; sizes, which depend on pictures, left out."""
    maildirs.Maildir(home / "Maildir", create=True).add(content)
    (home / "rc").write_text(RC.format(home=home))
    (home / "pager").write_text(f'#!/bin/sh\ncp "$1" "{home}/shown"\n')
    (home / "pager").chmod(0o755)
    (home / "Mail").mkdir()
    terminal, client_side = pty.openpty()
    fcntl.ioctl(client_side, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "vt100", "LC_ALL": "C.UTF-8"}
    command = ["mutt", "-n", "-F", str(home / "rc"), "-R", "-f", str(home / "Maildir")]
    with subprocess.Popen(command, stdin=client_side, stdout=client_side, stderr=client_side, env=env,
                          start_new_session=True) as client:  # fmt: skip
        os.close(client_side)
        end, screen = time.monotonic() + 30, b""
        while client.poll() is None and time.monotonic() < end:
            if select.select([terminal], [], [], 0.1)[0]:
                screen += _read(terminal)
        if client.poll() is None:
            client.kill()
    os.close(terminal)
    assert (home / "shown").exists(), screen.decode(errors="replace")
    lines = re.sub(r", Size: \S+", "", (home / "shown").read_text()).splitlines()
    return "\n".join(line.rstrip() for line in lines).strip() + "\n"


def _read(terminal):
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the client closed its side
        return b""
