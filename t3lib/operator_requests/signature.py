"""Signatures of requests: the page's server signs a visitor's name, the visitor's kernel signs each transaction.

ops.require_visitor() computes the same hashes (migration 0012). A kernel has only its own visitor's key."""

import hashlib
import time

import sqlalchemy as sa

LASTS_SECONDS = 24 * 3600


def key(db: sa.Connection) -> bytes:
    """The key that signs for visitors; only the owner of the schemas may read it."""
    return bytes(db.scalar(sa.text("SELECT key FROM ops.visitor_key")))


def statement(key: bytes, name: str) -> str:
    """A visitor's statement for its kernel: name in hex, last valid second, own key. An empty name is typed later."""
    content = f"{' '.join(name.split()).encode().hex()}|{int(time.time()) + LASTS_SECONDS}"
    return f"{content}|{_signed(key, content).hex()}"


def name_in(statement: str) -> str:
    """The visitor's name of a statement."""
    return bytes.fromhex(statement.split("|")[0]).decode()


def sign(db: sa.Connection, statement: str) -> None:
    """Sign this transaction, and only this one, with the visitor's name."""
    content, _, own = statement.rpartition("|")
    transaction = db.scalar(sa.text("SELECT CAST(pg_current_xact_id() AS text)"))
    proof = _signed(bytes.fromhex(own), transaction).hex()
    db.execute(sa.text("SELECT set_config('t3.visitor', :content, true)"), {"content": f"{content}|{proof}"})


def _signed(key: bytes, message: str) -> bytes:
    return hashlib.sha256(key + hashlib.sha256(key + message.encode()).digest()).digest()
