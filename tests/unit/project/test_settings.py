"""Settings: named when wrong, secret when secret, documented all."""

import json
import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default

import pytest

from t3lib import settings
from t3lib.settings import ROOT, SettingsError


@pytest.mark.parametrize(
    ("name", "value"),
    [("T3_TIMEZONE", "Mars/Olympus"), ("T3_LANDING_URL", "ftp://x"), ("T3_DATABASE_URL", "mysql://x"),
     ("T3_SMTP_URL", "http://x"), ("T3_BUSINESS_DAY_START", "soon"),
     ("T3_BUSINESS_DAY_START", "04:30"), ("T3_BATCH_BYTES", "1"),
     ("T3_SMTP_URL", "smtp://t3:se/cret@mail.example"), ("T3_SMTP_URL", "smtp://mail.example:99999"),
     ("T3_MAIL_FROM", "T3 reports"), ("T3_MAIL_FROM", "T3 <a@t3.example>, U <b@t3.example>"),
     ("T3_MAIL_FROM", "a@t3.example <b@t3.example>"), ("T3_MAIL_FROM", "T3\nBcc: c@t3.example <a@t3.example>"),
     ("T3_MAIL_FROM", "müller@t3.example"), ("T3_MAIL_FROM", f"T3, {'Reports ' * 9} <a@t3.example>")],
)  # fmt: skip
def test_a_wrong_value_is_refused_by_name(name, value, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        settings.load()


def test_a_missing_setting_says_what_to_do():
    with pytest.raises(SettingsError, match=r"T3_LANDING_URL is not set .* `t3 up`"):
        settings.load().need("landing_url")


def test_secrets_are_not_shown(monkeypatch):
    monkeypatch.setenv("T3_DATABASE_URL", "postgresql://u:hush@localhost/t3")
    monkeypatch.setenv("T3_S3_SECRET_ACCESS_KEY", "hush")
    assert "hush" not in repr(settings.load())


def test_recipients_are_a_list_of_addresses(monkeypatch):
    monkeypatch.setenv("T3_RECIPIENTS_CFO", 'a@t3.example, "Courcelle, Miranda" <b@t3.example>; c@t3.example,')
    assert settings.load().recipients == {
        "cfo": ("a@t3.example", '"Courcelle, Miranda" <b@t3.example>', "c@t3.example"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "shown"),
    [("T3, Reports <reports@t3.example>", '"T3, Reports" <reports@t3.example>'),
     (f"T3, {'Reports ' * 5} <reports@t3.example>", f'"T3, {"Reports " * 4}Reports" <reports@t3.example>'),
     ('"T3, Reports" <reports@T3.example>', '"T3, Reports" <reports@t3.example>'),
     ("reports@bücher.example", "reports@xn--bcher-kva.example")],
)  # fmt: skip
def test_the_sender_is_one_mailbox_however_it_is_written(written, shown, monkeypatch):
    monkeypatch.setenv("T3_MAIL_FROM", written)
    assert settings.load().mail_from == shown
    message = EmailMessage()
    message["From"] = shown
    sent = message_from_bytes(message.as_bytes(policy=SMTP), policy=default)
    assert len(sent["From"].addresses) == 1


def test_a_wrong_url_of_the_mail_server_is_refused_without_a_part_of_its_password(monkeypatch):
    monkeypatch.setenv("T3_SMTP_URL", "smtp://t3:se/cret@mail.example")
    with pytest.raises(SettingsError) as refused:
        settings.load()
    assert "cret" not in str(refused.value)


def test_mail_is_live_by_a_setting_or_where_nothing_reaches_anybody(monkeypatch, tmp_path):
    assert not settings.load().mail_live
    monkeypatch.setenv("T3_HOME", str(tmp_path))
    (tmp_path / "services.json").write_text(json.dumps({"smtp_url": "smtp://the.embedded:1"}))
    assert settings.load().mail_live  # the embedded inbox sends nothing on
    monkeypatch.setenv("T3_SMTP_URL", "smtp://mail.example:587")
    assert not settings.load().mail_live
    monkeypatch.setenv("T3_MAIL_LIVE", "1")
    assert settings.load().mail_live


def test_the_embedded_services_fill_what_the_environment_leaves_open(monkeypatch, tmp_path):
    monkeypatch.setenv("T3_HOME", str(tmp_path))
    (tmp_path / "services.json").write_text(json.dumps({"landing_url": "s3://here", "smtp_url": "smtp://a:1"}))
    monkeypatch.setenv("T3_LANDING_URL", "s3://there")
    assert settings.load().landing_url == "s3://there"
    assert settings.load().need("smtp_url") == "smtp://a:1"


def test_every_setting_stands_in_the_table_and_none_besides():
    table = (ROOT / "docs" / "operating.md").read_text()
    rows = re.findall(r"^\| `(T3_[\w<>]+)` \| (.*?) \| (.*?) \|$", table, re.MULTILINE)
    assert rows == [
        (name, f"`{default}`" if default else "", meaning) for name, default, meaning in settings.variables()
    ]
