"""Sending of due mails: claim one, commit, talk SMTP, record the outcome."""

import logging
import time
from collections import Counter
from datetime import timedelta
from functools import partial

import sqlalchemy as sa

from t3lib import addresses, warehouse
from t3lib.mail.claims import LOST, MOST_ATTEMPTS, Claim, begin, claimed, release_mails_of_dead_senders
from t3lib.mail.incident import INCIDENT, notify_operators
from t3lib.mail.outbox import CORRECT_IT, TRIAL, read
from t3lib.mail.smtp import Outcome, deliver
from t3lib.settings import settings

_log = logging.getLogger(__name__)


def send_due(engine: sa.Engine | None = None, *, limit: int = 1000) -> dict[str, int]:
    """Send what is due, each mail at most once; returns how many ended as sent, retry, failed and unknown.

    Without T3_MAIL_LIVE only trials are sent: the rest is cancelled, so that no old mail is sent later.
    Any number of processes may do this at once. Raises SettingsError when no SMTP server is known."""
    engine, counts = engine or warehouse.engine(), Counter[str]()
    url = settings().need("smtp_url")
    if not settings().mail_live:
        _cancel_all_but_trials(engine)
    counts["unknown"] = _release_mails_of_dead_senders(engine)
    for _ in range(limit):
        with claimed(engine) as claim:
            if claim is None:
                break
            outcome = deliver(
                url, settings().mail_from, claim.recipient, claim.message, begin=partial(begin, engine, claim)
            )
            counts[_record(engine, claim, outcome)] += 1
    return {state: counts[state] for state in ("sent", "retry", "failed", "unknown")}


def wait_after(attempts: int) -> timedelta:
    """The back-off after so many attempts: 1, 4, 16, then 60 minutes."""
    return timedelta(minutes=min(4 ** (attempts - 1), 60))


def _cancel_all_but_trials(engine: sa.Engine) -> None:
    with engine.begin() as db:
        allowed = {addresses.parse(address).reader for address in settings().mail_trials}
        waiting = db.execute(_TRIALS, {"trial": TRIAL}).all()
        trials = [mail_id for mail_id, recipient in waiting if addresses.parse(recipient).reader in allowed]
        if count := db.execute(_CANCEL, {"trials": trials}).rowcount:
            _log.warning("%s mails are cancelled: T3_MAIL_LIVE is not set, so only trials are sent", count)


def _record(engine: sa.Engine, claim: Claim, outcome: Outcome) -> str:
    """Record an outcome, with retries: no other process knows it."""
    if outcome.state == "retry" and claim.attempts >= MOST_ATTEMPTS:
        outcome = Outcome("failed", f"given up after {claim.attempts} attempts; last: {outcome.reply}")
    for pause in (0.5, 1, 2, 4, 8, 16, None):
        try:
            with engine.begin() as db:
                _write(db, claim, outcome)
            return outcome.state
        except sa.exc.DBAPIError as error:
            away = error.connection_invalidated or isinstance(error, sa.exc.OperationalError)
            if pause is None or not away:
                raise
            _log.warning("mail %s is %s; the database does not answer: %s", claim.mail_id, outcome.state, error.orig)
            time.sleep(pause)
    raise AssertionError("the last pause returns or raises")


def _write(db: sa.Connection, claim: Claim, outcome: Outcome) -> None:
    values: dict[str, object] = {"mail_id": claim.mail_id, "attempts": claim.attempts, "state": outcome.state}
    values |= {"reply": outcome.reply, "wait": wait_after(claim.attempts)}
    written = db.execute(_RECORD, values).rowcount
    if written and outcome.state in ("failed", "unknown"):
        _mail_operators(db, claim.mail_id, outcome)


def _release_mails_of_dead_senders(engine: sa.Engine) -> int:
    """Mails whose sender died during the handover become `unknown`; returns how many."""
    with engine.begin() as db:
        lost = release_mails_of_dead_senders(db)
        for mail_id in lost:
            _mail_operators(db, mail_id, Outcome("unknown", LOST))
    return len(lost)


def _mail_operators(db: sa.Connection, mail_id: int, outcome: Outcome) -> None:
    """Mail the operators about a failed or unknown mail; about a wrong address once a day.

    Not about a mail to the operators themselves: that would never end."""
    mail, _ = read(db, mail_id)
    wrong = addresses.parse(mail.recipient).wrong
    if mail.report == INCIDENT and not wrong:
        _log.error("mail %s to the operators (%s) is %s: %s", mail_id, mail.recipient, outcome.state, outcome.reply)
        return
    incident = f"address {mail.recipient}" if wrong else f"mail-{mail_id}"
    what = "did not reach" if outcome.state == "failed" else "may or may not have reached"
    name = "A message to the operators" if mail.report == INCIDENT else f"The {mail.edition} report"
    subject = f"{name} of {mail.business_date:%-d %B} {what} {mail.recipient}"
    then = f"T3 does not send it again by itself. Once the reason is dealt with:\n  t3 mail resend {mail_id}"
    then = f"The other readers get their mails. {CORRECT_IT}" if wrong else then
    text = f"State: {outcome.state}\nReason: {outcome.reply}\n\n{then}"
    notify_operators(db, incident, mail.business_date, subject, text)


_TRIALS = sa.text("""
    SELECT mail_id, recipient FROM ops.mail_outbox WHERE state IN ('prepared', 'retry') AND report = :trial""")

_CANCEL = sa.text("""
    UPDATE ops.mail_outbox
    SET state = 'cancelled', reply = 'not sent: T3_MAIL_LIVE is not set', finished_at = now()
    WHERE state IN ('prepared', 'retry') AND mail_id <> ALL(CAST(:trials AS bigint[]))""")

# `attempts` is a fence: a sender that lost the database may still record its own attempt.
_RECORD = sa.text("""
    UPDATE ops.mail_outbox
    SET state = :state, reply = :reply, not_begun = false,
        next_try_at = CASE WHEN :state = 'retry' THEN now() + :wait ELSE next_try_at END,
        finished_at = CASE WHEN :state = 'retry' THEN NULL ELSE now() END
    WHERE mail_id = :mail_id AND attempts = :attempts AND state IN ('sending', 'unknown')""")
