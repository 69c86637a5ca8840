"""The outbox: one row per (report, business date, edition, recipient, revision), each with a state.

prepared -> sending -> sent | failed | unknown | retry (-> sending ...). Only a person resends an `unknown` mail;
`waiting` is a correction that only a person releases; `cancelled` is never sent."""

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from types import MappingProxyType
from typing import TypedDict

import sqlalchemy as sa

from t3lib import addresses
from t3lib.addresses import Address
from t3lib.problems import RefusedError
from t3lib.settings import settings

TRIAL = "trial"
CORRECT_IT = (
    "`t3 doctor` names the setting that holds it: correct it there. `t3 report --again` then sends the report to those "
    "who did not get it."
)
_COLUMNS = """mail_id, report, business_date, edition, recipient, revision, message_id, subject, state,
    attempts, next_try_at, reply, run_id, prepared_at, finished_at"""


@dataclass(frozen=True)
class Mail:
    """One row of the outbox, without the message itself."""

    mail_id: int
    report: str
    business_date: date
    edition: str
    recipient: str
    revision: int
    message_id: str
    subject: str
    state: str
    attempts: int
    next_try_at: datetime
    reply: str | None
    run_id: str | None
    prepared_at: datetime
    finished_at: datetime | None


class ReportKey(TypedDict):
    """What all mails of one report have in common."""

    report: str
    business_date: date
    edition: str


class _Key(ReportKey):
    """What makes a row of the outbox unique."""

    recipient: str
    revision: int


class MailError(RefusedError):
    """The request for this mail cannot be carried out; the text says why."""


def prepare(
    db: sa.Connection,
    message: EmailMessage,
    recipient: str,
    *,
    report: str,
    business_date: date,
    edition: str,
    revision: int = 1,
    run_id: str | None = None,
    state: str = "prepared",
    headline: Mapping[str, int] = MappingProxyType({}),
) -> int:
    """mail_id of this recipient's copy, stored as it will be sent; a second call gives the same mail, however the
    address is spelled. A mail to a wrong address is stored too and ends as `failed`, with the reason.

    headline: gross_sales_pence, transactions and contribution_pence, so that later figures can be compared with the
    sent ones."""
    to = addresses.parse(recipient)
    key = _Key(report=report, business_date=business_date, edition=edition, recipient=to.key, revision=revision)
    if (found := _mail_of_reader(db, key, to)) is not None:
        return found
    own = copy.deepcopy(message)
    if not to.wrong:
        own["To"] = to.header
    own["Date"] = format_datetime(datetime.now(UTC))
    own["Message-ID"] = message_id(**key)
    if revision > 1 and report != TRIAL:
        first = message_id(report, business_date, edition, to.key)
        own["In-Reply-To"], own["References"] = first, first
    names = ("gross_sales_pence", "transactions", "contribution_pence")
    row: dict[str, object] = {name: headline.get(name) for name in names}
    row |= {"message_id": own["Message-ID"], "subject": str(own["Subject"]), "run_id": run_id, "state": state}
    content = own.as_bytes(policy=SMTP if to.key.isascii() else SMTPUTF8)
    made = db.execute(_INSERT, {**key, **row, "message": content}).scalar()
    return made if made is not None else db.execute(_FIND, key).scalar_one()


def message_id(report: str, business_date: date, edition: str, recipient: str, revision: int = 1) -> str:
    """The Message-ID of a mail: the same for the same key, so that a resent copy is recognised as one."""
    reader = addresses.parse(recipient).reader
    text = "\n".join((report, business_date.isoformat(), edition, reader, str(revision)))
    domain = addresses.parse(settings().mail_from).mailbox.rpartition("@")[2]
    return f"<{business_date:%Y%m%d}.{hashlib.sha256(text.encode()).hexdigest()[:32]}@{domain}>"


def list_mails(
    db: sa.Connection, state: str | None = None, *, business_date: date | None = None, limit: int = 100
) -> list[Mail]:
    """Mails of the outbox, newest first."""
    query = f"""SELECT {_COLUMNS} FROM ops.mail_outbox
                WHERE (:state IS NULL OR state = :state)
                  AND (CAST(:day AS date) IS NULL OR business_date = :day)
                ORDER BY mail_id DESC LIMIT :limit"""
    rows = db.execute(sa.text(query), {"state": state, "day": business_date, "limit": limit})
    return [Mail(**row) for row in rows.mappings()]


def count_mails(db: sa.Connection, state: str | None = None) -> int:
    """How many mails there are, in a state or in all."""
    query = sa.text("SELECT count(*) FROM ops.mail_outbox WHERE (CAST(:state AS text) IS NULL OR state = :state)")
    return int(db.scalar(query, {"state": state}) or 0)


def read(db: sa.Connection, mail_id: int) -> tuple[Mail, bytes]:
    """One mail and its message as stored. Raises MailError when there is none."""
    query = sa.text(f"SELECT {_COLUMNS}, message FROM ops.mail_outbox WHERE mail_id = :mail_id")
    row = db.execute(query, {"mail_id": mail_id}).mappings().one_or_none()
    if row is None:
        raise MailError(f"There is no mail {mail_id}; `t3 mail list` shows what there is.")
    return _mail(row), bytes(row["message"])


def resend(db: sa.Connection, mail_id: int) -> Mail:
    """Put a finished mail back into the queue, by a person's decision: the same message, the same Message-ID.

    A waiting correction is released, to all of its readers. Raises MailError for a mail that is still to be sent, or
    to a wrong address."""
    mail, _ = read(db, mail_id)
    to = addresses.parse(mail.recipient)
    if mail.state == "waiting":
        _set_state(db, mail, "prepared", "released by a person")
    elif to.wrong:
        raise MailError(f"Mail {mail_id} cannot be sent: {to.why}. {CORRECT_IT}")
    elif db.execute(_RESEND, {"mail_id": mail_id}).scalar() is None:
        raise MailError(f"Mail {mail_id} is {mail.state}: only a finished mail can be sent again.")
    return read(db, mail_id)[0]


def drop(db: sa.Connection, mail_id: int) -> Mail:
    """Cancel a waiting correction, for all of its readers. Raises MailError for any other mail."""
    mail, _ = read(db, mail_id)
    if mail.state != "waiting":
        raise MailError(f"Mail {mail_id} is {mail.state}: only a correction that waits can be dropped.")
    _set_state(db, mail, "cancelled", "dropped by a person")
    return read(db, mail_id)[0]


def _mail_of_reader(db: sa.Connection, key: _Key, to: Address) -> int | None:
    """mail_id of the mail that this reader already has; older rows hold the address as it was typed."""
    rows = db.execute(_READERS, key).all()
    return next((mail_id for mail_id, recipient in rows if addresses.parse(recipient).reader == to.reader), None)


def _set_state(db: sa.Connection, mail: Mail, state: str, reply: str) -> None:
    """Change the state of a waiting revision for all of its readers together."""
    key = {name: getattr(mail, name) for name in ("report", "business_date", "edition", "revision")}
    db.execute(_SET_STATE, key | {"state": state, "reply": reply})


def _mail(row: sa.RowMapping) -> Mail:
    return Mail(**{name: row[name] for name in Mail.__dataclass_fields__})


_FIND = sa.text("""
    SELECT mail_id FROM ops.mail_outbox
    WHERE report = :report AND business_date = :business_date AND edition = :edition
      AND recipient = :recipient AND revision = :revision""")

_READERS = sa.text("""
    SELECT mail_id, recipient FROM ops.mail_outbox
    WHERE report = :report AND business_date = :business_date AND edition = :edition AND revision = :revision
    ORDER BY mail_id""")

_INSERT = sa.text("""
    INSERT INTO ops.mail_outbox
        (report, business_date, edition, recipient, revision, message_id, subject, message, run_id, state,
         gross_sales_pence, transactions, contribution_pence)
    VALUES (:report, :business_date, :edition, :recipient, :revision, :message_id, :subject, :message, :run_id, :state,
            :gross_sales_pence, :transactions, :contribution_pence)
    ON CONFLICT (report, business_date, edition, recipient, revision) DO NOTHING
    RETURNING mail_id""")

_SET_STATE = sa.text("""
    UPDATE ops.mail_outbox
    SET state = :state, reply = :reply, next_try_at = now(),
        finished_at = CASE WHEN :state = 'cancelled' THEN now() END
    WHERE report = :report AND business_date = :business_date AND edition = :edition AND revision = :revision
      AND state = 'waiting'""")

_RESEND = sa.text("""
    UPDATE ops.mail_outbox
    SET state = 'prepared', next_try_at = now(), finished_at = NULL,
        reply = 'sent again by hand; before: ' || state || coalesce(', ' || reply, '')
    WHERE mail_id = :mail_id AND state IN ('sent', 'failed', 'unknown', 'cancelled')
    RETURNING mail_id""")
