"""The embedded services as a person meets them: first start, second start, what they hold, how they end."""

import json
import os
import shutil
import smtplib
import stat
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Unpack
from urllib.error import HTTPError
from urllib.parse import urlsplit

import obstore
import psutil
import psycopg2
import pytest
import sqlalchemy as sa
from obstore.store import S3Store

from scheduler.embedded import check, inbox, services
from t3lib import warehouse
from t3lib.settings import ROOT, settings

if TYPE_CHECKING:
    from obstore.store import S3Config

pytestmark = pytest.mark.slow  # it starts services


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A T3_HOME through which every account may pass; nothing may run in it afterwards."""
    path = Path(tempfile.mkdtemp(prefix="t3-home-", dir="/tmp"))
    path.chmod(0o711)
    monkeypatch.setenv("T3_HOME", str(path))
    yield path
    left = processes(path)
    shutil.rmtree(path)
    assert left == []


def processes(home: Path) -> list[str]:
    """Command lines that name the home."""
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if str(home) in line]


def bucket(name: str = "landing", **changes: Unpack["S3Config"]) -> S3Store:
    known = settings()
    given: S3Config = {
        "endpoint": known.need("s3_endpoint"),
        "access_key_id": known.need("s3_access_key_id"),
        "secret_access_key": known.need("s3_secret_access_key"),
        "region": known.s3_region,
    }
    return S3Store(name, config=given | changes, client_options={"allow_http": True})


def keys(store: S3Store) -> list[str]:
    return [meta["path"] for page in obstore.list(store) for meta in page]


def fetch(url: str) -> tuple[str, dict[str, str]]:
    with urllib.request.urlopen(url, timeout=10) as reply:
        return reply.read().decode(), dict(reply.headers)


def test_first_start_brings_everything_and_the_last_one_out_stops_it(home: Path) -> None:
    with services() as running:
        assert set(check().values()) == {None}
        assert stat.S_IMODE((home / "services.json").stat().st_mode) == 0o600
        assert running.embedded == ("database", "landing", "smtp", "archive")
        with warehouse.connect(settings().need("database_url_etl")) as db:
            assert db.scalar(sa.text("SELECT count(*) FROM ops.source_file")) == 0
        with services():
            pass
        assert set(check().values()) == {None}, "an inner user is not the last one"
    assert processes(home) == []
    assert settings().database_url is None


def test_second_start_finds_the_same_data_passwords_and_ports(home: Path) -> None:
    with services(say=lambda line: None):
        first = settings().model_dump()
        with warehouse.connect() as db:
            db.execute(sa.text("INSERT INTO core.location VALUES (7, 'Market square')"))
        obstore.put(bucket("archive"), "kept.parquet", b"kept")
    said: list[str] = []
    with services(say=said.append):
        assert settings().model_dump() == first
        with warehouse.connect() as db:
            assert db.scalar(sa.text("SELECT name FROM core.location WHERE location_id = 7")) == "Market square"
        assert keys(bucket("archive")) == ["kept.parquet"]
    assert said == []


def test_configured_services_are_left_alone(home: Path, database: str) -> None:
    with services(("database", "landing")) as running:
        assert running.embedded == ("landing",)
        assert settings().need("database_url") == database
        assert settings().database_url_etl is None
    assert not (home / "postgres").exists()


def test_buckets_are_folders_where_the_s3_settings_belong_to_another_store(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("T3_LANDING_URL", "s3://the-real-one")
    settings.cache_clear()
    with services(("landing", "archive")):
        assert settings().need("archive_url") == (home / "s3" / "archive").as_uri()
        assert settings().s3_endpoint is None


def test_a_password_is_needed_and_it_is_checked(home: Path) -> None:
    with services(("database",)):
        for name in ("database_url", "database_url_etl", "database_url_analyst"):
            url = sa.make_url(settings().need(name))
            for wrong in ("", "wrong"):
                with pytest.raises(psycopg2.OperationalError, match="password"):
                    psycopg2.connect(
                        url.set(password=wrong).render_as_string(hide_password=False), passfile="/dev/null"
                    )
        assert "trust" not in (home / "postgres" / "pg_hba.conf").read_text().split()
        with warehouse.connect() as db:
            assert not db.scalar(sa.text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))


def test_no_secret_is_on_a_command_line(home: Path) -> None:
    with services():
        known = settings()
        secrets = {known.need("s3_secret_access_key"), urlsplit(known.need("smtp_url")).password}
        assert not any(secret in line for line in processes(home) for secret in secrets if secret)


def test_a_home_with_a_long_path_still_gets_a_socket(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = home / ("a-long-name-" * 8)
    monkeypatch.setenv("T3_HOME", str(deep))
    with services(("database",)):
        folder = Path(sa.make_url(settings().need("database_url")).normalized_query["host"][0])
        assert len(str(folder)) < 85
        with warehouse.connect() as db:
            db.execute(sa.text("SELECT 1"))
    assert not folder.exists()


def test_a_file_dropped_into_the_folder_is_listed_and_an_edited_one_is_another_version(home: Path) -> None:
    with services(("landing",)) as running:
        assert running.landing_folder == home / "s3" / "landing"
        dropped = running.landing_folder / "trucks" / "2026-11" / "5" / "12" / "T3_T3_a1.csv"
        dropped.parent.mkdir(parents=True)
        dropped.write_text("timestamp,type,total\n")
        _eventually(lambda: keys(bucket()) == ["trucks/2026-11/5/12/T3_T3_a1.csv"])
        before = obstore.head(bucket(), keys(bucket())[0])["e_tag"]
        assert obstore.head(bucket(), keys(bucket())[0])["e_tag"] == before
        # Same length, same second: only the content tells them apart.
        dropped.write_text("timestamp,type,totaL\n")
        assert obstore.head(bucket(), keys(bucket())[0])["e_tag"] != before


def test_a_listing_of_many_files_is_complete(home: Path) -> None:
    with services(("landing",)) as running:
        assert running.landing_folder
        for number in range(2500):
            (running.landing_folder / f"file-{number}.csv").touch()
        _eventually(lambda: len(set(keys(bucket()))) == 2500)


def test_the_bucket_outlives_its_last_file_and_a_wrong_secret_opens_nothing(home: Path) -> None:
    with services(("landing",)):
        obstore.put(bucket(), "a/b.csv", b"x")
        obstore.delete(bucket(), "a/b.csv")
        assert keys(bucket()) == []
        with pytest.raises(obstore.exceptions.BaseError, match="SignatureDoesNotMatch"):
            keys(bucket(secret_access_key="wrong-secret"))


def test_loopback_services_are_reached_without_the_proxy(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with services(("landing", "smtp")):
        assert keys(bucket()) == []
        assert "127.0.0.1" in os.environ["NO_PROXY"]


def test_a_mail_is_kept_as_a_file_and_shown_as_a_page(home: Path) -> None:
    with services(("smtp",)) as running:
        _send(_report())
        (kept,) = (home / "inbox").glob("*.eml")
        assert b"Subject: Friday: sales up 4 %" in kept.read_bytes()
        page, _ = fetch(str(running.inbox_page))
        assert "Friday: sales up 4 %" in page
        assert "Six trucks traded" in page
        mail, _ = fetch(f"{running.inbox_page}mail/{kept.name}")
        assert "sales.csv" in mail
        html, headers = fetch(f"{running.inbox_page}mail/{kept.name}/html")
        assert f'src="{running.inbox_page}mail/{kept.name}/part/2"' in html
        assert "sandbox" in headers["Content-Security-Policy"]
        assert "script-src" not in headers["Content-Security-Policy"]
        with urllib.request.urlopen(f"{running.inbox_page}mail/{kept.name}/part/2") as picture:
            assert picture.read() == b"\x89PNG"
            assert picture.headers["Content-Type"] == "image/png"
        assert "Six trucks traded" in fetch(f"{running.inbox_page}mail/{kept.name}/text")[0]


@pytest.mark.parametrize(("greeting", "adopted"), [("t3 inbox", True), ("another greeting", False)])
def test_a_server_that_was_started_by_a_moved_module_is_adopted_or_replaced(
    home: Path, tmp_path: Path, greeting: str, adopted: bool
) -> None:
    """Adopted when it still answers as today's does. Its owner died, and its files are gone, as after an upgrade."""
    tree = tmp_path / "before"
    for name in ("scheduler", "t3lib"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tree / Path(inbox.__file__).parent.relative_to(ROOT)).rename(tree / "scheduler" / "sink_of_then")
    for file in tree.rglob("*.py"):
        text = file.read_text().replace(inbox.__name__, "scheduler.sink_of_then")
        file.write_text(text.replace('b"t3 inbox"', f'b"{greeting}"'))
    owner = "import os; from scheduler.embedded import services\nwith services(('smtp',)): os._exit(0)"
    known = os.environ | {"PYTHONPATH": str(tree)}
    subprocess.run([sys.executable, "-P", "-c", owner], env=known, cwd=tree, check=True)
    shutil.rmtree(tree)
    before = json.loads((home / "embedded.json").read_text())["inbox"]
    assert "scheduler.sink_of_then" in " ".join(psutil.Process(before["pid"]).cmdline())
    with services(("smtp",)) as running:
        now = json.loads((home / "embedded.json").read_text())["inbox"]
        assert (now["pid"] == before["pid"], now["smtp_port"]) == (adopted, before["smtp_port"])
        _send(_report())
        assert "Six trucks traded" in fetch(str(running.inbox_page))[0]


def test_mail_is_taken_only_after_logging_in(home: Path) -> None:
    with services(("smtp",)):
        url = urlsplit(settings().need("smtp_url"))
        with smtplib.SMTP(url.hostname or "", url.port or 0) as smtp:
            with pytest.raises(smtplib.SMTPSenderRefused, match="Authentication required"):
                smtp.send_message(_report())
            with pytest.raises(smtplib.SMTPAuthenticationError):
                smtp.login("t3", "wrong")
        assert list((home / "inbox").iterdir()) == []


def test_what_a_mail_carries_is_shown_and_never_run(home: Path) -> None:
    bad = EmailMessage()
    bad["From"] = '"<script>alert(1)</script>" <a@t3.example>'
    bad["To"] = "b@t3.example"
    bad["Subject"] = "<img src=x onerror=alert(2)>"
    bad.set_content("</pre><script>alert(3)</script>")
    bad.add_alternative("<script>alert(4)</script><p>Figures</p>", "html")
    bad.add_attachment(b"<script>", maintype="text", subtype="html", filename="../../<b>.html")
    with services(("smtp",)) as running:
        _send(bad)
        (kept,) = (home / "inbox").glob("*.eml")
        address = f"{running.inbox_page}mail/{kept.name}"
        for page in (str(running.inbox_page), address, f"{address}/text", f"{address}/headers"):
            html, headers = fetch(page)
            assert "<script" not in html
            assert "<img" not in html
            assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "sandbox" in fetch(f"{address}/html")[1]["Content-Security-Policy"]
        _, headers = fetch(f"{address}/part/2")
        assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''%3Cb%3E.html"
        assert headers["Content-Type"] == "application/octet-stream"


def test_the_page_gives_out_mails_only_and_only_to_this_machine(home: Path) -> None:
    with services(("smtp",)) as running:
        for path in ("mail/..%2fembedded.json", "mail/../embedded.json", "mail/x.eml", "embedded.json", "mail/"):
            with pytest.raises(HTTPError, match="404"):
                fetch(f"{running.inbox_page}{path}")
        request = urllib.request.Request(str(running.inbox_page), headers={"Host": "elsewhere.example"})
        with pytest.raises(HTTPError, match="403"):
            urllib.request.urlopen(request)


def _report() -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = "T3 reports <reports@t3.example>", "hiram.boulie@t3.example"
    mail["Subject"] = "Friday: sales up 4 %"
    mail.set_content("Six trucks traded.")
    mail.add_alternative('<h1>Friday</h1><img src="cid:chart@t3"><a href="https://t3.example">More</a>', "html")
    html = mail.get_body(("html",))
    html.add_related(b"\x89PNG", "image", "png", cid="<chart@t3>")
    mail.add_attachment(b"truck,pence\n", maintype="text", subtype="csv", filename="sales.csv")
    return mail


def _send(mail: EmailMessage) -> None:
    url = urlsplit(settings().need("smtp_url"))
    with smtplib.SMTP(url.hostname or "", url.port or 0) as smtp:
        smtp.login(url.username or "", url.password or "")
        smtp.send_message(mail)


def _eventually(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
