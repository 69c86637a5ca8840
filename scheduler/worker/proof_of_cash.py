"""Keeps the proof of cash: matches again when figures or the day changed, and tells operators of what is late."""

import sqlalchemy as sa

from t3lib import mail, warehouse
from t3lib.business_day import today
from t3lib.money import pounds
from t3lib.settlements.causes import CAUSES
from t3lib.settlements.layouts import layouts
from t3lib.warehouse.settlements import proof
from t3lib.warehouse.settlements.lines import IS_OPEN

MOST_LISTED = 30
# Open items past the limits of settlements.toml of which nobody was told.
_LATE = sa.text(f"""
    SELECT item, state, cause, provider, sum(pence)::bigint AS pence, max(expected_on) AS expected_on
    FROM mart.settled_daily
    WHERE {IS_OPEN}
      AND item NOT IN (SELECT item FROM ops.settlement_alert)
    GROUP BY item, state, cause, provider
    HAVING sum(pence) >= :least AND max(expected_on) + CAST(:days AS integer) < :today
    ORDER BY sum(pence) DESC, item
""")
_TOLD = sa.text("""
    INSERT INTO ops.settlement_alert (item) SELECT unnest(CAST(:items AS text[])) ON CONFLICT DO NOTHING
""")


def keep() -> int:
    """Match again where that is due, and tell the operators once of each item past the limits; returns how many."""
    with warehouse.connect() as db:
        if proof.is_stale(db):
            proof.refresh(db)
        return _tell(db)


def _tell(db: sa.Connection) -> int:
    rules, day = layouts(), today()
    limits = {"least": 100 * rules.alert_pounds, "days": rules.alert_days, "today": day}
    late = db.execute(_LATE, limits).all()
    if not late:
        return 0
    lines = [
        f"{pounds(row.pence)} {row.state.replace('_', ' ')}, expected on {row.expected_on:%-d %B %Y}: "
        f"{CAUSES[row.cause][0]}\n    t3 settlements show {row.item}"
        for row in late[:MOST_LISTED]
    ]
    if len(late) > MOST_LISTED:
        lines.append(f"... and {len(late) - MOST_LISTED:,} more: t3 settlements --open")
    count = "1 item is" if len(late) == 1 else f"{len(late):,} items are"
    text = "\n\n".join((f"More than {rules.alert_days} days late, from £{rules.alert_pounds} on:", *lines))
    mail.notify_operators(db, f"settlements {late[0].item}", day, f"{count} open between sales and bank", text)
    db.execute(_TOLD, {"items": [row.item for row in late]})
    return len(late)
