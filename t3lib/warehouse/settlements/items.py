"""One item of the matching: its days, its payout, and the decisions about it."""

from typing import Any

import sqlalchemy as sa

from t3lib.problems import RefusedError
from t3lib.warehouse.settlements import decisions

_DAYS = sa.text("""
    SELECT business_date, tender, truck_id, state, cause, provider, expected_on, pence FROM mart.settled_daily
    WHERE item = :item ORDER BY business_date, tender, truck_id, state, cause
""")
_PAYOUT = sa.text("SELECT * FROM mart.payout WHERE item = :item")


def show(db: sa.Connection, item: str) -> dict[str, Any]:
    """days, payout and decisions of an item. Raises RefusedError when there is none of that name."""
    days, payout = ([dict(row) for row in db.execute(query, {"item": item}).mappings()] for query in (_DAYS, _PAYOUT))
    made = decisions.made(db, item)
    if not days and not payout and not made:
        raise RefusedError(f"There is no item {item}: `t3 settlements --open` lists those that are open.")
    return {"item": item, "days": days, "payout": payout, "decisions": made}
