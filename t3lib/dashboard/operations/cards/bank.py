"""What is open between sales and bank past the limit of settlements.toml; an operator explains it or writes it off."""

import sqlalchemy as sa

from t3lib.dashboard.html.cards import Cell
from t3lib.dashboard.operations import cells, lists
from t3lib.dashboard.operations.choices import Choices
from t3lib.money import pounds
from t3lib.settlements.causes import said
from t3lib.settlements.layouts import layouts
from t3lib.warehouse.settlements.lines import IS_OPEN

_LATE = sa.text(f"""
    SELECT count(*) OVER () AS of_all, * FROM (
        SELECT tender, truck_id, min(settled.business_date) AS business_date, state, cause, item,
               sum(pence)::bigint AS pence, max(matching.business_date) - max(expected_on) AS days_late
        FROM mart.settled_daily AS settled
        CROSS JOIN mart.matching
        WHERE {IS_OPEN}
          AND (CAST(:truck AS integer) IS NULL OR truck_id = :truck)
        GROUP BY tender, truck_id, state, cause, item
    ) AS late
    WHERE days_late > :days AND pence >= :least
    ORDER BY days_late DESC, pence DESC, item LIMIT :most OFFSET :skip
""")
_HEAD = ("Late", "Amount", "State", "Truck", "Day", "What it is, and what to do", "")


def card(db: sa.Connection, choices: Choices) -> str:
    """The items past the limit, the latest first."""
    rules = layouts()
    limits = {"days": rules.alert_days, "least": 100 * rules.alert_pounds}
    found, shown = lists.read(db, _LATE, choices, "bank", **limits)
    rows = [
        (f"{row.days_late:,} days", pounds(row.pence), row.state.replace("_", " "), row.truck_id or "fleet",
         row.business_date, cells.shorter(said(row.cause), 120), _offers(choices, row))
        for row in found
    ]  # fmt: skip
    limit = f"more than {rules.alert_days} days late, from £{rules.alert_pounds} on"
    return cells.card("Open between sales and bank", _HEAD, rows, numbers=(1, 3), nothing=f"Nothing is {limit}.",
                      aside=limit if rows else "", foot=lists.foot(choices, shown))  # fmt: skip


def _offers(choices: Choices, row: sa.Row) -> Cell:
    about = {"item": row.item}
    give_up = () if row.state == "over" else (("write_off", "Write off", about),)
    return cells.request_links(choices, ("explain", "Explain", about), *give_up)
