"""Restatements: sales, pence and contribution before and after."""

import sqlalchemy as sa

from t3lib.dashboard.html import paging
from t3lib.dashboard.operations import cells, lists
from t3lib.dashboard.operations.choices import Choices
from t3lib.money import pounds
from t3lib.warehouse.sales import restated_figures
from t3lib.warehouse.sales.restated_figures import Restatement

_HEAD = ("Restated", "Business day", "Truck", "Cause", "Sales before", "after", "Gross sales before", "after",
         "Contribution before", "after", "Why")  # fmt: skip


def card(db: sa.Connection, choices: Choices) -> str:
    """The newest restatements of this choice; for a single day all of its restatements, whenever they were made."""
    days = {"first": choices.day, "last": choices.day} if choices.day else {"since": choices.bound["since"]}
    chosen = days | {"truck": choices.truck}
    shown = paging.part(choices.pages, "restated", lists.MOST, restated_figures.count(db, **chosen))
    rows = [_row(one) for one in restated_figures.changes(db, **chosen, limit=shown.most, skip=shown.skip)]
    return cells.card("Restated figures", _HEAD, rows, numbers=(4, 5, 6, 7, 8, 9), nothing="No figures were restated.",
                      aside="one row per truck, business day and cause" if rows else "",
                      foot=lists.foot(choices, shown))  # fmt: skip


def _row(one: Restatement) -> tuple[object, ...]:
    why = ": ".join(filter(None, (one.actor, one.why or ", ".join(one.keys[:2]))))
    left = ("" if pence is None else pounds(pence) for pence in (one.contribution_before, one.contribution_after))
    return (one.made_at, one.business_date, one.truck_id or "fleet", one.cause.replace("_", " "), one.rows_before,
            one.rows_after, pounds(one.pence_before), pounds(one.pence_after), *left,
            cells.shorter(why, 80))  # fmt: skip
