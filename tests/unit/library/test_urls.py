"""Addresses are taken only when no two programs could read them differently, and nothing shows who logs in."""

import contextlib
import io
import logging
import os
import sys
import traceback
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import settings as options
from hypothesis import strategies as st

from scheduler import cli
from t3lib import settings, urls
from t3lib.landing import Landing
from t3lib.problems import error_line
from t3lib.settings import SettingsError

LOGINS = ("T3_DATABASE_URL", "T3_DATABASE_URL_ETL", "T3_DATABASE_URL_DASHBOARD", "T3_DATABASE_URL_ANALYST",
          "T3_DATABASE_URL_MAILER", "T3_DATABASE_URL_OPERATOR", "T3_SMTP_URL")  # fmt: skip
PLACES = ("T3_LANDING_URL", "T3_ARCHIVE_URL", "T3_S3_ENDPOINT", "T3_DASHBOARD_URL", "T3_DASK_SCHEDULER")
OTHERS = ("T3_PAGES_HOST", "T3_TIMEZONE", "T3_BUSINESS_DAY_START", "T3_LIMIT_PENCE", "T3_RECIPIENTS_CFO")
SCHEMES = ("postgresql", "postgres", "postgresql+psycopg2", "smtp", "smtps", "s3", "file", "http", "tcp", "nonsense")
# No word of a message holds any four of these in a row, so that a part of a login is known wherever it turns up.
LETTERS = "qzjxkv"
PIECES = st.text(LETTERS, min_size=4, max_size=8)
MARKS = st.sampled_from(["", "@", "/", "#", "?", ":", "%", "[", "]", " ", "\\", "&", "%zz", "\u2100", "\t", "'", '"'])


def parts(*texts: str) -> list[str]:
    """Every four letters in a row of these."""
    return [text[at : at + 4] for text in texts for at in range(len(text) - 3)]


@st.composite
def wrong(draw: st.DrawFn) -> tuple[str, list[str]]:
    """An address whose login has marks in it, anywhere, and the parts of that login."""
    pieces = [draw(PIECES) for _ in range(4)]
    marks = [draw(MARKS) for _ in range(2)]
    login = f"{pieces[0]}{marks[0]}{pieces[1]}:{pieces[2]}{marks[1]}{pieces[3]}"
    port = draw(st.sampled_from(["", ":5432", ":port", ":", ":99999999", ":-1"]))
    rest = draw(st.sampled_from(["", "/t3", "/t3?sslmode=require", "/", "/a@b"]))
    return f"{draw(st.sampled_from(SCHEMES))}://{login}@db.example{port}{rest}", parts(*pieces)


@pytest.mark.slow  # it tries hundreds of addresses
@pytest.mark.parametrize("name", [*LOGINS, *PLACES, *OTHERS])
@given(case=wrong())
@options(deadline=None, max_examples=40)
def test_no_message_about_an_address_holds_a_part_of_its_login(name: str, case: tuple[str, list[str]]) -> None:
    address, secrets = case
    with patch.dict(os.environ, {name: address}):
        said = ""
        try:
            known = settings.load()
            said = repr(known) if name in LOGINS else ""
        except SettingsError as error:
            said = "".join(traceback.format_exception(error))
        assert [part for part in secrets if part in said] == []


@pytest.mark.slow  # it runs commands
@given(case=wrong())
@options(deadline=None, max_examples=30)
def test_no_message_of_a_bucket_or_a_command_holds_a_part_of_a_login(case: tuple[str, list[str]]) -> None:
    address, secrets = case
    for words in (["simulate", "--out", address, "--trucks", "1", "--days", "1"], [address], ["run", address],
                  ["demo", "--port", address], ["diff", address], ["ingest", "--reprocess", address]):  # fmt: skip
        printed = io.StringIO()
        if words[0] == "simulate" and address.startswith("file"):
            continue  # a folder, which would be made
        with contextlib.redirect_stderr(printed), contextlib.suppress(SystemExit):
            cli.main(words)
        assert [part for part in secrets if part in printed.getvalue()] == [], words
    printed = io.StringIO()
    with patch.dict(os.environ, {"T3_DATABASE_URL": address}), contextlib.redirect_stderr(printed):
        settings.settings.cache_clear()
        if not (urls.scheme(address).startswith("postgres") and urls.is_unambiguous(address)):  # else it is asked
            with pytest.raises(SystemExit):
                cli.main(["status"])
    settings.settings.cache_clear()
    assert [part for part in secrets if part in printed.getvalue()] == []
    with pytest.raises(Exception) as failed:  # noqa: PT011
        Landing(address)
    assert [part for part in secrets if part in error_line(failed.value)] == []


@pytest.mark.parametrize(
    "address",
    ["postgres://user:pa@ss/word@host/t3", "postgres://user:pa/ss@host/t3", "postgres://user:pa#ss@host/t3",
     "postgres://user:pa?ss@host/t3", "postgres://user:pass@host:port/t3", "postgres://user:pass@ho st/t3"],
)  # fmt: skip
def test_an_address_that_can_be_read_in_two_ways_is_refused_with_what_to_write(address: str, monkeypatch) -> None:
    monkeypatch.setenv("T3_DATABASE_URL", address)
    with pytest.raises(SettingsError, match=r"T3_DATABASE_URL: .* write / as %2F, @ as %40"):
        settings.load()


@pytest.mark.parametrize(
    ("name", "address"),
    [("database_url", "postgresql://t3:p%40ss%2Fword@db.example:5432/t3?sslmode=require"),
     ("database_url", "postgresql+psycopg2://t3:secret of etl@/t3?host=/srv/t3/run"),
     ("database_url", "postgresql://t3:a^b$c!d*e@[::1]:5432/t3"),
     ("smtp_url", "smtp://reports%40company.example:secret@smtp.example:587"), ("smtp_url", "smtp://127.0.0.1:1"),
     ("landing_url", "s3://trucks-landing/a/b"), ("landing_url", "file:///srv/me@home/landing"),
     ("s3_endpoint", "http://127.0.0.1:9000"), ("dashboard_url", "https://figures.example/?a=b"),
     ("dask_scheduler", "tcp://10.0.0.1:8786")],
)  # fmt: skip
def test_an_address_that_is_written_rightly_is_taken(name: str, address: str, monkeypatch) -> None:
    monkeypatch.setenv(f"T3_{name.upper()}", address)
    assert settings.load().need(name) == address


@pytest.mark.parametrize(
    ("text", "shown"),
    [("no way to postgres://u:pa ss/w@rd@host/t3 at all", "no way to postgres://***@host/t3 at all"),
     ("see http://127.0.0.1:8866/ and ask hiram@x.example", "see http://127.0.0.1:8866/ and ask hiram@x.example"),
     ("proxy http://me:word@proxy:3128 refused", "proxy http://***@proxy:3128 refused"),
     ('password authentication failed for user "jane"', 'password authentication failed for user "***"'),
     ("postgresql:///t3?host=/run&user=jane&password=x", "postgresql:///t3?host=/run&user=***&password=***")],
)  # fmt: skip
def test_a_message_keeps_everything_but_the_login(text: str, shown: str) -> None:
    assert urls.scrubbed(text, {}) == shown


def test_what_a_setting_holds_is_left_out_of_any_message() -> None:
    known = {"T3_SMTP_URL": "smtp://reports%40x.example:p%2Fw@mail.example", "T3_S3_SECRET_ACCESS_KEY": "sesame-123"}
    said = urls.scrubbed("535 no p/w for reports@x.example (p%2Fw), sesame-123", known)
    assert said == "535 no *** for *** (***), ***"


def test_a_traceback_for_developers_tells_no_login_either(monkeypatch, capsys) -> None:
    monkeypatch.setenv("T3_DATABASE_URL", "postgresql://jane:qzjxkv@127.0.0.1:9/t3")
    monkeypatch.setattr(cli, "app", lambda words: sys.exit("unreachable") if words else _raise())
    monkeypatch.setenv("T3_DEBUG", "1")
    with pytest.raises(SystemExit):
        cli.main([])
    printed = capsys.readouterr().err
    assert "Traceback" in printed
    assert "qzjxkv" not in printed


def test_a_log_tells_no_login_in_its_line_or_in_a_traceback() -> None:
    printed, log = io.StringIO(), logging.getLogger("t3 of a test")
    handler = logging.StreamHandler(printed)
    handler.addFilter(urls.scrub_record)
    log.addHandler(handler)
    try:
        _raise()
    except RuntimeError:
        log.exception("no way to %s", "smtp://jane:qzjxkv@mail.example")
    assert "no way to smtp://***@mail.example" in printed.getvalue()
    assert "RuntimeError: could not use postgresql://***@127.0.0.1:9/t3" in printed.getvalue()
    assert "qzjxkv" not in printed.getvalue()


def _raise() -> None:
    raise RuntimeError("could not use postgresql://jane:qzjxkv@127.0.0.1:9/t3")
