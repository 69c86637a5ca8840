"""What is due leaves: claim one, commit, talk SMTP, record.

A sender holds an advisory lock per mail for as long as it talks. A mail in `sending` whose lock is free
belongs to a sender that died: nobody knows whether it left, so it becomes `unknown`."""

import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from t3lib import addresses, warehouse
from t3lib.mail.incident import INCIDENT, tell_operators
from t3lib.mail.outbox import CORRECT_IT, TRIAL, read
from t3lib.mail.smtp import Outcome, deliver
from t3lib.settings import settings

MOST_ATTEMPTS = 12
_LOCKS = 7_433  # the first half of the advisory lock's key; the second is the mail's id
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Claim:
    """A mail that this process, and no other, is sending."""

    mail_id: int
    recipient: str
    message: bytes
    attempts: int


def send_due(engine: sa.Engine | None = None, *, limit: int = 1000) -> dict[str, int]:
    """Send what is due, each mail at most once; how many ended as sent, retry, failed and unknown.

    Without T3_MAIL_LIVE only trials leave: the rest is cancelled, so that none of it leaves later when it is old.
    Any number of processes may do this at once. Raises SettingsError when no SMTP server is known."""
    engine, counts = engine or warehouse.engine(), Counter[str]()
    url = settings().need("smtp_url")
    if not settings().mail_live:
        _cancel_all_but_trials(engine)
    counts["unknown"] = _give_up_on_the_dead(engine)
    for _ in range(limit):
        with _claimed(engine) as claim:
            if claim is None:
                break
            outcome = deliver(url, settings().mail_from, claim.recipient, claim.message)
            counts[_record(engine, claim, outcome)] += 1
    return {state: counts[state] for state in ("sent", "retry", "failed", "unknown")}


def wait_after(attempts: int) -> timedelta:
    """How long to leave a server alone: 1, 4, 16, then 60 minutes."""
    return timedelta(minutes=min(4 ** (attempts - 1), 60))


@contextmanager
def _claimed(engine: sa.Engine) -> Iterator[_Claim | None]:
    """The next due mail, in state `sending`, its lock held until the block ends."""
    guard = engine.connect()
    try:
        with engine.begin() as db:
            mail_id = db.execute(_NEXT).scalar()
            got = mail_id is not None and guard.execute(_LOCK, {"lock": _LOCKS, "mail_id": mail_id}).scalar()
            row = db.execute(_CLAIM, {"mail_id": mail_id}).one() if got else None
        yield _Claim(row.mail_id, row.recipient, bytes(row.message), row.attempts) if row else None
    finally:
        with suppress(sa.exc.DBAPIError):  # a connection that the database cut has lost its lock by itself
            guard.close()


def _cancel_all_but_trials(engine: sa.Engine) -> None:
    with engine.begin() as db:
        allowed = {addresses.parse(address).reader for address in settings().mail_trials}
        waiting = db.execute(_TRIALS, {"trial": TRIAL}).all()
        trials = [mail_id for mail_id, recipient in waiting if addresses.parse(recipient).reader in allowed]
        if count := db.execute(_CANCEL, {"trials": trials}).rowcount:
            _log.warning("%s mails are cancelled: T3_MAIL_LIVE is not set, so only trials leave", count)


def _record(engine: sa.Engine, claim: _Claim, outcome: Outcome) -> str:
    """Write down an outcome, patiently: it is known only here."""
    if outcome.state == "retry" and claim.attempts >= MOST_ATTEMPTS:
        outcome = Outcome("failed", f"given up after {claim.attempts} attempts; last: {outcome.reply}")
    for pause in (0.5, 1, 2, 4, 8, 16, None):
        try:
            with engine.begin() as db:
                _write(db, claim, outcome)
            return outcome.state
        except sa.exc.DBAPIError as error:
            if pause is None or not error.connection_invalidated:
                raise
            _log.warning("mail %s is %s; the database is away: %s", claim.mail_id, outcome.state, error.orig)
            time.sleep(pause)
    raise AssertionError("the last pause returns or raises")


def _write(db: sa.Connection, claim: _Claim, outcome: Outcome) -> None:
    values = {"mail_id": claim.mail_id, "attempts": claim.attempts, "state": outcome.state}
    values |= {"reply": outcome.reply, "wait": wait_after(claim.attempts)}
    written = db.execute(_RECORD, values).rowcount
    if written and outcome.state in ("failed", "unknown"):
        _tell(db, claim.mail_id, outcome)


def _give_up_on_the_dead(engine: sa.Engine) -> int:
    """Mails left in `sending` by a process that is gone become `unknown`; how many."""
    outcome = Outcome("unknown", "the sender stopped while sending: it may or may not have arrived")
    with engine.begin() as db:
        lost = db.scalars(_LOST, {"lock": _LOCKS, "reply": outcome.reply}).all()
        for mail_id in lost:
            _tell(db, mail_id, outcome)
    return len(lost)


def _tell(db: sa.Connection, mail_id: int, outcome: Outcome) -> None:
    """One mail to the operators about a mail that they must look after; of a wrong address one a day.

    Never about a mail to an operator that was not taken: that would have no end."""
    mail, _ = read(db, mail_id)
    wrong = addresses.parse(mail.recipient).wrong
    if mail.report == INCIDENT and not wrong:
        _log.error("mail %s to the operators (%s) is %s: %s", mail_id, mail.recipient, outcome.state, outcome.reply)
        return
    incident = f"address {mail.recipient}" if wrong else f"mail-{mail_id}"
    what = "did not reach" if outcome.state == "failed" else "may or may not have reached"
    subject = f"The {mail.edition} report of {mail.business_date:%-d %B} {what} {mail.recipient}"
    then = f"T3 does not send it again by itself. After a look at the reason:\n  t3 mail resend {mail_id}"
    then = f"Everybody else gets theirs. {CORRECT_IT}" if wrong else then
    text = f"State: {outcome.state}\nReason: {outcome.reply}\n\n{then}"
    tell_operators(db, incident, mail.business_date, subject, text)


_TRIALS = sa.text("""
    SELECT mail_id, recipient FROM ops.mail_outbox WHERE state IN ('prepared', 'retry') AND report = :trial""")

_CANCEL = sa.text("""
    UPDATE ops.mail_outbox
    SET state = 'cancelled', reply = 'not sent: T3_MAIL_LIVE is not set', finished_at = now()
    WHERE state IN ('prepared', 'retry') AND mail_id <> ALL(CAST(:trials AS bigint[]))""")

_NEXT = sa.text("""
    SELECT mail_id FROM ops.mail_outbox
    WHERE state IN ('prepared', 'retry') AND next_try_at <= now()
    ORDER BY next_try_at, mail_id LIMIT 1 FOR UPDATE SKIP LOCKED""")

_LOCK = sa.text("SELECT pg_try_advisory_xact_lock(:lock, CAST(:mail_id AS integer))")

_CLAIM = sa.text("""
    UPDATE ops.mail_outbox SET state = 'sending', attempts = attempts + 1 WHERE mail_id = :mail_id
    RETURNING mail_id, recipient, message, attempts""")

# `attempts` fences: a sender cut off from the database may still say what it knows of its own attempt.
_RECORD = sa.text("""
    UPDATE ops.mail_outbox
    SET state = :state, reply = :reply,
        next_try_at = CASE WHEN :state = 'retry' THEN now() + :wait ELSE next_try_at END,
        finished_at = CASE WHEN :state = 'retry' THEN NULL ELSE now() END
    WHERE mail_id = :mail_id AND attempts = :attempts AND state IN ('sending', 'unknown')""")

_LOST = sa.text("""
    WITH sending AS MATERIALIZED (SELECT mail_id FROM ops.mail_outbox WHERE state = 'sending'),
    free AS MATERIALIZED (
        SELECT mail_id FROM sending WHERE pg_try_advisory_xact_lock(:lock, CAST(mail_id AS integer)))
    UPDATE ops.mail_outbox AS mail
    SET state = 'unknown', reply = :reply, finished_at = now()
    FROM free
    WHERE mail.mail_id = free.mail_id AND mail.state = 'sending'
    RETURNING mail.mail_id""")
