"""Where profit is made: contribution by truck, place, event, weekday, hour, menu type or dish."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pandas as pd
import sqlalchemy as sa

from t3lib.metrics.money.allocation import DIMENSIONS, MILLION, Share, shares
from t3lib.metrics.money.contribution import Contribution, contribution, is_labour
from t3lib.metrics.sales.breakdown import inputs
from t3lib.metrics.sales.totals import half_up, locations, trucks
from t3lib.metrics.scope import Scope
from t3lib.problems import RefusedError
from t3lib.settings import settings

NO_SALE = "Without a sale"
_NEEDS = {
    "place": ("pitches", "which truck stood at which place"),
    "event": ("pitches", "which stays belong to an event"),
    "menu_type": ("menu", "what costs which price"),
    "dish": ("menu", "what costs which price"),
}
_TIMED = ("truck", "place", "event", "weekday", "hour")
_MEASURES = {
    **dict.fromkeys(("transactions", "gross_sales_pence", "direct_costs_pence", "shared_costs_pence"), "int64"),
    "labour_pence": "Int64", "contribution_pence": "int64", "margin_pct": "float64", "labour_share_pct": "float64",
    "trading_hours": "float64", "sales_per_hour_pence": "Int64", "labour_per_hour_pence": "Int64",
}  # fmt: skip

Part = tuple[int | None, str | None]
NOWHERE: Part = (None, None)


def contribution_by(
    db: sa.Connection, scope: Scope, dimension: str = "truck", whole: Contribution | None = None
) -> pd.DataFrame:
    """One row per part of a dimension, with a sale or a cost: truck, place, event, weekday, hour, menu_type or dish.

    Its own columns first (truck_id and truck; location_id and location; event; weekday; local_hour; menu_type;
    truck_id, truck and dish), then transactions, gross_sales_pence, direct_costs_pence, shared_costs_pence,
    labour_pence, contribution_pence, margin_pct, labour_share_pct, trading_hours, sales_per_hour_pence and
    labour_per_hour_pence.

    Costs are shared out by the rules of docs/kpis.md. Each cost adds up to that of `contribution` to the penny: parts
    are rounded down, and the pence that are left go to the largest remainders. Costs of days without a sale are in a
    row of their own; by dish and menu type those of hours without one, too. The best contribution is first; weekdays
    and hours are in their order. Hours are missing for dishes, menu types and payments, labour where no cost is labour.
    `whole` is the contribution of the scope, where it is known already.

    Raises RefusedError where metadata lacks what the dimension needs, and for a part of a day.

    >>> table = metrics.frame("contribution_by", week, dimension="weekday")
    >>> table[["weekday", "direct_costs_pence", "shared_costs_pence", "contribution_pence"]]
       weekday  direct_costs_pence  shared_costs_pence  contribution_pence
    0        3                 364                 500                -164
    1        4                 932                 700                 267
    """
    _must_have_inputs(db, dimension)
    whole = whole or contribution(db, scope)
    assert whole is not None
    found = shares(db, scope, DIMENSIONS[dimension])
    has_hours = dimension in _TIMED and not (scope.payments or scope.menus)
    parts = _rounded(found, whole)
    rows = [_row(part, some, whole.labour_pence is not None, has_hours) for part, some in parts.items()]
    rows = [row for row in rows if row["gross_sales_pence"] or row["contribution_pence"]]
    rows.sort(key=lambda row: _order(dimension, row))
    measures = pd.DataFrame(rows, columns=list(_MEASURES)).astype(_MEASURES)
    return pd.DataFrame(_named(db, dimension, [row["part"] for row in rows])).join(measures)


def contribution_in_all(parts: pd.DataFrame) -> dict[str, Any]:
    """The measures of all parts of `contribution_by` together: those of the whole.

    >>> whole = metrics.contribution_in_all(metrics.frame("contribution_by", week))
    >>> whole["contribution_pence"], whole["labour_per_hour_pence"]
    (103, 400)
    """
    names = ["transactions", "gross_sales_pence", "direct_costs_pence", "shared_costs_pence"]
    counted = {name: int(parts[name].sum()) for name in names}
    labour = int(parts["labour_pence"].sum()) if parts["labour_pence"].notna().any() else None
    hours, gross = round(parts["trading_hours"].sum() * MILLION), counted["gross_sales_pence"]
    left = gross - counted["direct_costs_pence"] - counted["shared_costs_pence"]
    return counted | {"labour_pence": labour} | _ratios(gross, left, labour, hours)


def _must_have_inputs(db: sa.Connection, dimension: str) -> None:
    if dimension not in DIMENSIONS:
        raise RefusedError(f"There is no dimension {dimension!r}: choose one of {', '.join(DIMENSIONS)}.")
    known = inputs(db)
    if not known["costs"]:
        raise RefusedError("This needs metadata/costs.csv with the costs per truck or of the fleet.")
    file, what = _NEEDS.get(dimension, ("costs", ""))
    if not known[file]:
        raise RefusedError(f"This needs metadata/{file}.csv: {what}.")
    if dimension == "event" and not db.scalar(sa.text("SELECT EXISTS (SELECT FROM core.pitch WHERE event <> '')")):
        raise RefusedError("No stay of metadata/pitches.csv has an event yet: name it in the column EVENT.")


def apportioned(millionths: Sequence[int], total: int) -> list[int]:
    """Parts in whole pence that add up to the total: each is rounded down, then the largest remainders get one more, of
    equal ones the larger part.

    >>> apportioned([1_500_000, 1_500_000, 250_000], 3)
    [2, 1, 0]
    """
    pence = [part // MILLION for part in millionths]
    order = sorted(range(len(pence)), key=lambda n: (-(millionths[n] % MILLION), -millionths[n], n))
    left = total - sum(pence)
    for n in range(abs(left)):
        pence[order[n % len(order)] if left > 0 else order[-1 - n % len(order)]] += 1 if left > 0 else -1
    return pence


def _rounded(found: Sequence[Share], whole: Contribution) -> dict[Part, list[tuple[Share, int]]]:
    """The shares of each part in whole pence; those of a cost add up to that of the whole. A cost that is direct and
    shared, such as a pitch fee, is divided first, so that both add up to the same by every dimension."""
    of_cost: dict[tuple[str, bool], list[Share]] = defaultdict(list)
    for share in sorted(found, key=lambda share: not share.of_sales):
        of_cost[share.cost, share.of_sales].append(share)
    parts: dict[Part, list[tuple[Share, int]]] = defaultdict(list)
    left = dict(whole.costs)
    for (cost, of_sales), some in of_cost.items():
        millionths = [share.millionths for share in some]
        is_divided = of_sales and (cost, False) in of_cost
        total = (half_up(sum(millionths), MILLION) or 0) if is_divided else left.get(cost, 0)
        left[cost] = left.get(cost, 0) - total
        for share, rounded in zip(some, apportioned(millionths, total), strict=True):
            parts[share.number, share.label].append((share, rounded))
    return parts


def _row(part: Part, found: list[tuple[Share, int]], has_labour: bool, has_hours: bool) -> dict[str, Any]:
    gross = sum(share.gross_sales_pence for share, _ in found)
    direct = sum(pence for share, pence in found if share.of_sales)
    shared = sum(pence for share, pence in found if not share.of_sales)
    labour = sum(pence for share, pence in found if is_labour(share.cost)) if has_labour else None
    hours = sum(share.hour_millionths for share, _ in found) if has_hours else 0
    counted = {"transactions": sum(share.transactions for share, _ in found), "gross_sales_pence": gross,
               "direct_costs_pence": direct, "shared_costs_pence": shared, "labour_pence": labour}  # fmt: skip
    return {"part": part} | counted | _ratios(gross, gross - direct - shared, labour, hours)


def _ratios(gross: int, contribution: int, labour: int | None, hours: int) -> dict[str, Any]:
    """The figures that are made of others; `hours` in millionths, 0 where they are not known."""
    return {
        "contribution_pence": contribution,
        "margin_pct": 100 * contribution / gross if gross else None,
        "labour_share_pct": 100 * labour / gross if gross and labour is not None else None,
        "trading_hours": hours / MILLION if hours else None,
        "sales_per_hour_pence": half_up(gross * MILLION, hours),
        "labour_per_hour_pence": None if labour is None else half_up(labour * MILLION, hours),
    }


def _order(dimension: str, row: dict[str, Any]) -> tuple[Any, ...]:
    """Weekdays and hours in their order, others by contribution; what has no part is last."""
    (number, label), nowhere = row["part"], row["part"] == NOWHERE
    return (nowhere, number) if dimension in ("weekday", "hour") else (
        nowhere, -row["contribution_pence"], number, label)  # fmt: skip


def _named(db: sa.Connection, dimension: str, parts: list[Part]) -> dict[str, Any]:
    """The columns that name these parts."""
    numbers, labels = [number for number, _ in parts], pd.array([label or NO_SALE for _, label in parts], "str")
    whole = pd.array(numbers, "Int64")
    if dimension == "weekday":
        return {"weekday": whole}
    if dimension == "hour":
        return {"local_hour": (whole + settings().business_day_start.hour) % 24}
    if dimension in ("menu_type", "event"):
        return {dimension: labels}
    known, id_column, name = (
        (locations(db), "location_id", "location") if dimension == "place" else (trucks(db), "truck_id", "truck")
    )
    names = [NO_SALE if n is None else known.get(n, f"{name.capitalize()} {n}") for n in numbers]
    return {id_column: whole, name: pd.array(names, "str")} | ({"dish": labels} if dimension == "dish" else {})
