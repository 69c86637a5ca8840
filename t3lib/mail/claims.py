"""Claims on mails: one sender at a time, and the state of a mail whose sender died.

A sender locks the mail's row (its key, so that the row may be written) for as long as it talks to the server, and
records when it begins to hand the message over. A mail in `sending` whose row is not locked belongs to a sender that
died. If it had begun, the mail may have left and becomes `unknown`; if not, nothing left and it is retried."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import sqlalchemy as sa

MOST_ATTEMPTS = 12
LOST = "the sender stopped while sending: the mail may or may not have arrived"


@dataclass(frozen=True)
class Claim:
    """A mail that this process, and no other, is sending."""

    mail_id: int
    recipient: str
    message: bytes
    attempts: int


@contextmanager
def claimed(engine: sa.Engine) -> Iterator[Claim | None]:
    """The next due mail, in state `sending`, its lock held until the block ends."""
    guard = engine.connect()
    try:
        with engine.begin() as db:
            mail_id = db.execute(_NEXT).scalar()
            got = mail_id is not None and guard.execute(_LOCK, {"mail_id": mail_id}).scalar()
            row = db.execute(_CLAIM, {"mail_id": mail_id}).one() if got else None
        yield Claim(row.mail_id, row.recipient, bytes(row.message), row.attempts) if row else None
    finally:
        with suppress(sa.exc.DBAPIError):  # a connection that the database cut has lost its lock by itself
            guard.close()


def begin(engine: sa.Engine, claim: Claim) -> bool:
    """Record that the handover begins. False where that fails, and then nothing may be sent: the database does not
    answer, or another sender took the mail meanwhile."""
    with suppress(sa.exc.DBAPIError), engine.begin() as db:
        return db.execute(_BEGIN, {"mail_id": claim.mail_id, "attempts": claim.attempts}).rowcount == 1
    return False


def release_mails_of_dead_senders(db: sa.Connection) -> list[int]:
    """Mails left in `sending` by a dead process become `unknown` (their ids), or `retry` where not begun."""
    lost = db.execute(_LOST, {"most": MOST_ATTEMPTS, "reply": LOST})
    return [mail_id for mail_id, state in lost if state == "unknown"]


_NEXT = sa.text("""
    SELECT mail_id FROM ops.mail_outbox
    WHERE state IN ('prepared', 'retry') AND next_try_at <= now()
    ORDER BY next_try_at, mail_id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED""")

_LOCK = sa.text("SELECT mail_id FROM ops.mail_outbox WHERE mail_id = :mail_id FOR KEY SHARE SKIP LOCKED")

_CLAIM = sa.text("""
    UPDATE ops.mail_outbox SET state = 'sending', attempts = attempts + 1, not_begun = true WHERE mail_id = :mail_id
    RETURNING mail_id, recipient, message, attempts""")

# `attempts` is a fence: a sender that was declared dead meanwhile cannot begin.
_BEGIN = sa.text("""
    UPDATE ops.mail_outbox SET not_begun = false
    WHERE mail_id = :mail_id AND attempts = :attempts AND state = 'sending' AND not_begun""")

_LOST = sa.text("""
    WITH free AS MATERIALIZED (
        SELECT mail_id FROM ops.mail_outbox WHERE state = 'sending' FOR UPDATE SKIP LOCKED)
    UPDATE ops.mail_outbox AS mail
    SET state = CASE WHEN not_begun AND attempts < :most THEN 'retry' ELSE 'unknown' END,
        reply = CASE WHEN not_begun AND attempts < :most THEN 'the sender stopped before it began' ELSE :reply END,
        next_try_at = CASE WHEN not_begun AND attempts < :most THEN now() ELSE next_try_at END,
        finished_at = CASE WHEN not_begun AND attempts < :most THEN NULL ELSE now() END,
        not_begun = false
    FROM free
    WHERE mail.mail_id = free.mail_id AND mail.state = 'sending'
    RETURNING mail.mail_id, mail.state""")
