"""A worker that starts tells the operators of a section of the report that would fail in the morning."""

from email import message_from_bytes
from email.policy import default

from scheduler.worker import loop
from t3lib import mail, warehouse
from t3lib.editions import NOTEBOOK
from t3lib.report import rehearsal
from tests.support.feeding import rows


def test_a_wrong_section_is_notified_once_and_by_its_cell(database, tmp_path, monkeypatch, caplog):
    loop.rehearse_report()
    assert rows("SELECT count(*) FROM ops.mail_outbox") == [(0,)]
    text = NOTEBOOK.read_text()
    assert "paid.share_pct" in text
    (tmp_path / "4_report.ipynb").write_text(text.replace("paid.share_pct", "paid.share"))
    monkeypatch.setattr(rehearsal, "NOTEBOOK", tmp_path / "4_report.ipynb")
    loop.rehearse_report()
    loop.rehearse_report()
    [(number,)] = rows("SELECT mail_id FROM ops.mail_outbox")
    with warehouse.connect() as db:
        _, content = mail.read(db, number)
    message = message_from_bytes(content, policy=default)
    assert message["Subject"] == "T3: a section of the report is wrong"
    assert "AttributeError: " in message.get_content()
    assert 'See cell In [12] (if day.includes("payments"):)' in message.get_content()
    assert 'See cell In [12] (if day.includes("payments"):)' in caplog.text
