"""The menu engineering matrix: how popular a dish is against what it leaves.

After Kasavana, M. L. and Smith, D. I., Menu Engineering: A Practical Guide to Menu Analysis, 1982."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil
from typing import Any

import pandas as pd
import sqlalchemy as sa

from t3lib.editions import menus
from t3lib.metrics.demand.places_and_hours import LONGEST_DAYS
from t3lib.metrics.menus.entries import entries, items, nearest, net
from t3lib.metrics.money.cost_lines import COST_LINES
from t3lib.metrics.money.vat_by_day import RATE
from t3lib.metrics.scope import Scope, bound
from t3lib.money import pounds
from t3lib.problems import RefusedError
from t3lib.warehouse import hash_joins

STAR, PLOWHORSE, PUZZLE, DOG = "star", "plowhorse", "puzzle", "dog"
NO_COST, NOTHING_SOLD = "no unit cost", "nothing sold"
_CLASSES = {(True, True): STAR, (True, False): PLOWHORSE, (False, True): PUZZLE, (False, False): DOG}

# One row per truck x place x entry with the days on which the truck traded and it was on the menu (rates and prices are
# null), and one per truck x place x entry x price x unit cost x rate of VAT.
_SOLD = f"""
WITH {COST_LINES},
sold_at AS (
    SELECT truck_id, {{place}} AS location_id, business_date, price_pence, sum(transactions) AS transactions
    FROM {{rollup}}
    WHERE business_date BETWEEN :first AND :last
      AND (:all_trucks OR truck_id = ANY(CAST(:trucks AS integer[]))) {{filters}}
    GROUP BY truck_id, {{group}}business_date, price_pence
),
traded AS (SELECT DISTINCT truck_id, location_id, business_date FROM sold_at),
entry AS (
    SELECT *
    FROM unnest(CAST(:entry_trucks AS integer[]), CAST(:entry_prices AS integer[]), CAST(:entry_firsts AS date[]),
                CAST(:entries AS text[])) AS named (truck_id, price_pence, first, dish)
),
menu AS (
    SELECT truck_id, price_pence, days, unit_cost_pence, vat_pct, vat_unstated, entry.dish
    FROM core.menu_price JOIN entry USING (truck_id, price_pence)
    WHERE lower(days) = first AND (:all_menus OR menu_type = ANY(CAST(:menus AS text[])))
)
SELECT traded.truck_id, traded.location_id, menu.dish, menu.price_pence, unit_cost_pence, vat_rate,
       grouping(menu.price_pence) AS of_all_prices, count(DISTINCT traded.business_date) AS days,
       max(traded.business_date) AS last_day, coalesce(sum(sold_at.transactions), 0)::bigint AS transactions
FROM traded
JOIN menu ON menu.truck_id = traded.truck_id AND menu.days @> traded.business_date
LEFT JOIN sold_at ON sold_at.truck_id = traded.truck_id AND sold_at.location_id = traded.location_id
                 AND sold_at.business_date = traded.business_date AND sold_at.price_pence = menu.price_pence
LEFT JOIN vat_default ON vat_default.truck_id = traded.truck_id AND vat_default.business_date = traded.business_date
CROSS JOIN LATERAL (SELECT {RATE} AS vat_rate) AS rated
GROUP BY GROUPING SETS ((traded.truck_id, traded.location_id, menu.dish),
                        (traded.truck_id, traded.location_id, menu.dish, menu.price_pence, unit_cost_pence, vat_rate))
"""
_FILTERS = """
      AND (:all_locations OR location_id = ANY(CAST(:locations AS integer[])))
      AND (:all_payments OR payment_type = ANY(CAST(:payments AS text[])))
      AND (business_date < :last OR (local_hour - :day_start + 24) % 24 < :hours)"""
# Which entry a price of a truck is of from a day on.
_PRICES = """
SELECT truck_id, price_pence, lower(days) AS first, upper(days) AS until
FROM core.menu_price WHERE days && daterange(:first, :last, '[]')"""
_NAMES = {
    "truck_id": "SELECT truck_id, name FROM core.truck",
    "location_id": "SELECT location_id, name FROM core.location",
}


@dataclass
class _Dish:
    """An entry at a truck or place: sales and days on the menu; margin and number of those with a unit cost."""

    dish: str
    days: int = 0
    sold: int = 0
    costed: int = 0
    margin: Fraction = Fraction(0)
    on_menu: Fraction | None = None  # the margin of one, by the menu alone
    price: tuple[date, int, int] = (date.min, 0, 0)  # last day, sales, pence

    @property
    def rate(self) -> Fraction:
        """Sales a day on which it was on the menu."""
        return Fraction(self.sold, self.days)

    @property
    def unit_margin(self) -> Fraction | None:
        """What one leaves: the mean of its sales, or what the menu says of a dish without any."""
        return self.margin / self.costed if self.costed else self.on_menu


def menu_matrix(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per truck and dish on its menu on a day that it traded, with or without a sale: truck_id, truck, dish
    (all that share a price, as one), price_pence (the latest), transactions, menu_days, sold_a_day, mix_pct,
    popular_from_pct, unit_margin_pence, average_margin_pence, menu_class, and what would move it into the better
    class: more_a_day and more_margin_pence.

    A dish is compared with the others of its truck. It is popular from 70 % of an equal share on (`popular_pct` of
    `[menus]` in editions.toml), profitable from the mean margin of a sale on: star (both), plowhorse (popular), puzzle
    (profitable), dog (neither); without a unit cost it has no margin and no class. All filters count; hours, payments
    and places are known for up to 35 days.

    >>> metrics.frame("menu_matrix", week)[["dish", "mix_pct", "unit_margin_pence", "menu_class"]]
                 dish  mix_pct  unit_margin_pence menu_class
    0         Burrito    100.0                348       star
    1  Mango smoothie    100.0                296       star
    """
    return _matrix(db, scope, by_place=False)


def menu_matrix_by_place(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per truck, place and dish on the menu on a day that it traded there: as `menu_matrix`, with location_id
    and location; a dish is compared with the others of its truck at this place.

    Its columns: truck_id, truck, location_id, location, dish, price_pence, transactions, menu_days, sold_a_day,
    mix_pct, popular_from_pct, unit_margin_pence, average_margin_pence, menu_class, more_a_day, more_margin_pence.

    >>> metrics.frame("menu_matrix_by_place", week)[["location", "dish", "transactions", "menu_class"]]
                 location            dish  transactions menu_class
    0  Place not recorded         Burrito             1       star
    1       Alnfield Park         Burrito             2       star
    2       Alnfield Park  Mango smoothie             1       star
    """
    return _matrix(db, scope, by_place=True)


def moves(found: pd.DataFrame) -> list[str]:
    """What would take each dish of `menu_matrix` into a better class, in words; empty for a star.

    >>> metrics.moves(metrics.frame("menu_matrix", week))
    ['', '']
    """
    return [_move(row) for row in found.itertuples()]


def nearest_to_better(found: pd.DataFrame) -> pd.DataFrame:
    """The rows of `menu_matrix` that are no star, the nearest to a better class first: the one that lacks the smallest
    share of what it sells a day, or of what one leaves.

    >>> len(metrics.nearest_to_better(metrics.frame("menu_matrix", week)))
    0
    """
    left = found[found["menu_class"] != STAR]
    sales = left["more_a_day"] / left["sold_a_day"]
    margin = (left["more_margin_pence"] / left["unit_margin_pence"].abs()).astype(float)
    return left.loc[pd.concat([sales, margin], axis=1).min(axis=1).sort_values(kind="stable").index]


def _move(row: Any) -> str:
    if row.menu_class == NO_COST:
        return "needs unit_cost in metadata/menu.csv"
    more = [] if pd.isna(row.more_a_day) else [f"{row.more_a_day:,.1f} more a day"]
    more += [] if pd.isna(row.more_margin_pence) else [f"{_pence(row.more_margin_pence)} more margin"]
    if row.menu_class != DOG:
        return "".join(f"{one}: {STAR}" for one in more)
    return ", or ".join(f"{one}: {named}" for one, named in zip(more, (PLOWHORSE, PUZZLE), strict=True))


def _pence(pence: int) -> str:
    return f"{pence}p" if pence < 100 else pounds(int(pence))


def _matrix(db: sa.Connection, scope: Scope, *, by_place: bool) -> pd.DataFrame:
    groups = _dishes(db, scope, by_place)
    names = {key: {row[0]: row[1] for row in db.execute(sa.text(query))} for key, query in _NAMES.items()}
    rows = [
        {
            "truck_id": truck,
            "truck": names["truck_id"].get(truck, f"Truck {truck} (not in details.xlsx)"),
            "location_id": place,
            "location": names["location_id"].get(place, f"Place {place}"),
            **row,
        }
        for (truck, place), dishes in sorted(groups.items())
        for row in _judged(sorted(dishes.values(), key=lambda one: (-one.rate, one.dish)))
    ]
    found = pd.DataFrame(rows, columns=_COLUMNS).astype(_TYPES)
    return found if by_place else found.drop(columns=["location_id", "location"])


_TYPES: dict[str, Any] = {
    "truck_id": "int64", "truck": "str", "location_id": "int64", "location": "str", "dish": "str",
    "price_pence": "int64", "transactions": "int64", "menu_days": "int64", "sold_a_day": float, "mix_pct": float,
    "popular_from_pct": float, "unit_margin_pence": "Int64", "average_margin_pence": "Int64", "menu_class": "str",
    "more_a_day": float, "more_margin_pence": "Int64",
}  # fmt: skip
_COLUMNS = list(_TYPES)


def _dishes(db: sa.Connection, scope: Scope, by_place: bool) -> dict[tuple[int, int], dict[str, _Dish]]:
    """The entries of each truck, or truck and place, by name."""
    hourly = by_place or bool(scope.locations or scope.payments or scope.until_hour is not None)
    if hourly and scope.days > LONGEST_DAYS:
        raise RefusedError(
            f"The matrix of places, payments and hours is read by hour and price: choose at most {LONGEST_DAYS} days."
        )
    query = _SOLD.format(
        place="location_id" if by_place else "0",
        group="location_id, " if by_place else "",
        rollup="mart.price_hourly" if hourly else "mart.price_daily",
        filters=_FILTERS if hourly else "",
    )
    groups: dict[tuple[int, int], dict[str, _Dish]] = defaultdict(dict)
    with hash_joins(db):
        sold = db.execute(sa.text(query), bound(scope) | _named(db, scope)).all()
    for row in sold:
        dish = groups[row.truck_id, row.location_id].setdefault(row.dish, _Dish(row.dish))
        if row.of_all_prices:
            dish.days, dish.sold = row.days, row.transactions
        else:
            _add(dish, row)
    return groups


def _named(db: sa.Connection, scope: Scope) -> dict[str, list[Any]]:
    """The entry of every truck, price and span of days of the scope."""
    found = items(db, scope.first, scope.last, scope.trucks)
    known, by_price = entries(found), defaultdict(list)
    for item in found:
        by_price[item.truck_id, item.price_pence].append(item)
    named = []
    for row in db.execute(sa.text(_PRICES), {"first": scope.first, "last": scope.last}):
        for item in by_price[row.truck_id, row.price_pence]:
            if item.first < row.until and row.first < item.until:
                named.append((row.truck_id, row.price_pence, row.first, known[item.key]))
                break
    columns = zip(*named, strict=True) if named else ((), (), (), ())
    return dict(zip(("entry_trucks", "entry_prices", "entry_firsts", "entries"), map(list, columns), strict=True))


def _add(dish: _Dish, row: Any) -> None:
    """Add what was sold at one price, unit cost and VAT."""
    dish.price = max(dish.price, (row.last_day, row.transactions, row.price_pence))
    if row.unit_cost_pence is None:
        return
    margin = net(row.price_pence, row.vat_rate) - row.unit_cost_pence
    if dish.on_menu is None or dish.price == (row.last_day, row.transactions, row.price_pence):
        dish.on_menu = margin
    dish.costed += row.transactions
    dish.margin += row.transactions * margin


def _judged(dishes: list[_Dish]) -> Iterator[dict[str, Any]]:
    """The rows of the dishes of one truck or place."""
    rates, costed = sum(one.rate for one in dishes), sum(one.costed for one in dishes)
    average = sum((one.margin for one in dishes), Fraction(0)) / costed if costed else None
    popular_from = Fraction(str(menus().popular_pct)) / 100 / len(dishes)
    for one in dishes:
        margin = one.unit_margin
        popular = bool(rates) and one.rate >= popular_from * rates
        profitable = margin is not None and average is not None and margin >= average
        row = {
            "dish": one.dish,
            "price_pence": one.price[2],
            "transactions": one.sold,
            "menu_days": one.days,
            "sold_a_day": float(one.rate),
            "mix_pct": float(100 * one.rate / rates) if rates else None,
            "popular_from_pct": float(100 * popular_from),
            "unit_margin_pence": None if margin is None else nearest(margin),
            "average_margin_pence": None if average is None else nearest(average),
            "menu_class": _CLASSES[popular, profitable],
            "more_a_day": None,
            "more_margin_pence": None,
        }
        if margin is None or average is None:
            row["menu_class"] = NO_COST if margin is None else NOTHING_SOLD
        elif not profitable:
            row["more_margin_pence"] = ceil((average - margin) / (1 - Fraction(one.costed, costed)))
        if rates and not popular:  # the others sell what they sold, so that the equal share grows with it
            row["more_a_day"] = ceil(10 * (popular_from * rates - one.rate) / (1 - popular_from)) / 10
        yield row
