"""What people decided about files and days: written once, never changed."""

import getpass

import sqlalchemy as sa

from t3lib.problems import RefusedError

_WRITE = sa.text("INSERT INTO ops.audit (action, subject, actor, why) VALUES (:action, :subject, :actor, :why)")


def write(db: sa.Connection, action: str, subject: str, actor: str, why: str) -> None:
    """Write one decision. Raises RefusedError without a name or a reason."""
    db.execute(_WRITE, {"action": action, "subject": subject, "actor": named(actor), "why": reasoned(why)})


def named(actor: str) -> str:
    """The name of who decides. Raises RefusedError when it is blank."""
    if not (name := actor.strip()):
        raise RefusedError("Say who decides this (--by NAME).")
    return name


def reasoned(why: str) -> str:
    """The reason of a decision. Raises RefusedError when it is blank."""
    if not (reason := why.strip()):
        raise RefusedError('Say why (--why "..."): it is kept with the decision.')
    return reason


def account() -> str:
    """The account name of the person at this terminal."""
    return getpass.getuser()
