"""What people decide about an item that is open: explained, written off, or undone. Kept when files change."""

from typing import Any

import sqlalchemy as sa

from t3lib.problems import RefusedError
from t3lib.warehouse.files import audit
from t3lib.warehouse.settlements import proof
from t3lib.warehouse.settlements.lines import IS_OPEN

EXPLAIN, WRITE_OFF, UNDO = "explain", "write_off", "undo"
_OPEN = sa.text(f"""
    SELECT coalesce(sum(pence), 0)::bigint AS pence, bool_or(state = 'over') AS is_over FROM mart.settled_daily
    WHERE item = :item AND {IS_OPEN}
""")
_LAST = sa.text("""
    SELECT action, pence FROM ops.settlement_decision WHERE item = :item ORDER BY decision_id DESC LIMIT 1
""")
_WRITE = sa.text("""
    INSERT INTO ops.settlement_decision (item, action, pence, actor, why)
    VALUES (:item, :action, :pence, :actor, :why)
""")
_ALL = sa.text("""
    SELECT made_at, item, action, pence, actor, why FROM ops.settlement_decision
    WHERE CAST(:item AS text) IS NULL OR item = :item
    ORDER BY decision_id DESC
""")


def decide(db: sa.Connection, item: str, action: str, *, actor: str, why: str) -> int:
    """Explain an open item, write it off, or undo the last decision; returns of how many pence. Raises RefusedError.

    Explained pence count as settled, written off ones stay short; both are open no longer. Over is explained only."""
    actor, why = audit.named(actor), audit.reasoned(why)
    pence = _undone(db, item) if action == UNDO else _open(db, item, action)
    db.execute(_WRITE, {"item": item, "action": action, "pence": pence, "actor": actor, "why": why})
    audit.write(db, action, item, actor, why)
    proof.refresh(db)
    return pence


def made(db: sa.Connection, item: str | None = None) -> list[dict[str, Any]]:
    """The decisions, latest first; of one item or all."""
    return [dict(row) for row in db.execute(_ALL, {"item": item}).mappings()]


def _open(db: sa.Connection, item: str, action: str) -> int:
    found, last = db.execute(_OPEN, {"item": item}).one(), db.execute(_LAST, {"item": item}).one_or_none()
    if not found.pence:
        raise RefusedError(f"Nothing of {item} is open: `t3 settlements --open` lists what is.")
    if action == WRITE_OFF and found.is_over:
        raise RefusedError(f"{item} is money that came on top: there is nothing to write off. Explain it instead.")
    before = last.pence if last and last.action == action else 0
    return int(found.pence + before)


def _undone(db: sa.Connection, item: str) -> int:
    last = db.execute(_LAST, {"item": item}).one_or_none()
    if last is None or last.action == UNDO:
        raise RefusedError(f"Nothing was decided about {item}: nothing was changed.")
    return int(last.pence)
