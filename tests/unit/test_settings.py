"""Settings: named when wrong, secret when secret, documented all."""

import json
import re

import pytest

from t3lib import settings
from t3lib.settings import ROOT, SettingsError


@pytest.mark.parametrize(
    ("name", "value"),
    [("T3_TIMEZONE", "Mars/Olympus"), ("T3_LANDING_URL", "ftp://x"), ("T3_DATABASE_URL", "mysql://x"),
     ("T3_SMTP_URL", "http://x"), ("T3_BUSINESS_DAY_START", "soon"),
     ("T3_BUSINESS_DAY_START", "04:30"), ("T3_RECIPIENTS_CFO", "nobody"),
     ("T3_BATCH_BYTES", "1")],
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
    monkeypatch.setenv("T3_RECIPIENTS_CFO", "a@t3.example, b@t3.example")
    assert settings.load().recipients == {"cfo": ("a@t3.example", "b@t3.example")}


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
