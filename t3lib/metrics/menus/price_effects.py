"""The effect of a price change on what a dish sells, takes and leaves; docs/menus.md has the method."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

import pandas as pd
import sqlalchemy as sa

from t3lib.editions import Menus, menus
from t3lib.metrics.menus.difference import difference
from t3lib.metrics.menus.entries import items, nearest, net
from t3lib.metrics.menus.price_changes import Change, Pairs, Run, changes, runs
from t3lib.metrics.money.cost_lines import COST_LINES
from t3lib.metrics.money.vat_by_day import RATE
from t3lib.metrics.scope import Scope, bound
from t3lib.money import pounds
from t3lib.problems import RefusedError
from t3lib.warehouse import hash_joins

MOST_DAYS = 366
KNOWN, TOO_FEW, SHARED = "known", "too few days to say", "cannot be told apart"
ALONE, UNSOLD = "nothing to compare with", "not sold before"

_TOTALS = """
SELECT truck_id, business_date, sum(transactions)::bigint AS transactions
FROM mart.price_daily WHERE business_date BETWEEN :first AND :last GROUP BY truck_id, business_date"""
_SOLD = """
SELECT truck_id, business_date, price_pence, transactions
FROM mart.price_daily WHERE business_date BETWEEN :first AND :last AND truck_id = ANY(:trucks)"""
_RATES = f"""
WITH {COST_LINES}
SELECT menu.truck_id, day.business_date, price_pence, {RATE} AS vat_rate
FROM truck_day AS day
JOIN core.menu_price AS menu ON menu.truck_id = day.truck_id AND menu.days @> day.business_date
LEFT JOIN vat_default ON vat_default.truck_id = day.truck_id AND vat_default.business_date = day.business_date
WHERE day.truck_id = ANY(:trucks)"""


def price_effects(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per price change of a dish at a truck, the latest first: truck_id, truck, dish, changed_on,
    old_price_pence, new_price_pence, effect_state, effect_note (why there is no effect, or what it is compared with),
    window_weeks and day_pairs; then a day before and after it, the effect with its 95 % interval: before_sold,
    after_sold, effect_sold, low_sold, high_sold, before_sales_pence, after_sales_pence, effect_sales_pence,
    low_sales_pence, high_sales_pence, before_margin_pence, after_margin_pence, effect_margin_pence, low_margin_pence
    and high_margin_pence.

    Changes of the scope's days and of the weeks before them (`weeks` of `[menus]` in editions.toml), because an effect
    is known only weeks later; days after the scope are not read. Trucks and menu types count; other filters are
    refused, as prices are known for whole trucks and days.

    >>> metrics.frame("price_effects", week)["effect_state"].tolist()
    []
    """
    if scope.locations or scope.payments or scope.until_hour is not None:
        raise RefusedError("The effect of a price is known for whole trucks, all payments and whole days only.")
    if scope.days > MOST_DAYS:
        raise RefusedError(f"Effects of prices are read by day: choose at most {MOST_DAYS} days.")
    rules = menus()
    earliest = scope.first - timedelta(weeks=rules.weeks)
    read_from = earliest - timedelta(weeks=rules.weeks)
    found = runs(items(db, read_from, scope.last))
    every = changes(found)
    chosen = [
        one
        for one in every
        if earliest <= one.day <= scope.last
        and (not scope.trucks or one.dish.truck_id in scope.trucks)
        and (not scope.menus or one.dish.menu_type in scope.menus)
    ]
    chosen.sort(key=lambda one: (-one.day.toordinal(), one.dish.truck_id, one.dish.name))
    sold = _Sold.read(db, read_from, scope.last, {one.dish.truck_id for one in chosen}) if chosen else None
    rows = [_Effect(one, found, every, sold, rules, scope.last).row() for one in chosen if sold]
    return pd.DataFrame(rows, columns=list(_TYPES)).astype(_TYPES)


_TYPES: dict[str, Any] = {
    "truck_id": "int64", "truck": "str", "dish": "str", "changed_on": object, "old_price_pence": "int64",
    "new_price_pence": "int64", "effect_state": "str", "effect_note": "str", "window_weeks": "int64",
    "day_pairs": "int64",
    **{f"{of}_sold": float for of in ("before", "after", "effect", "low", "high")},
    **{f"{of}_{what}_pence": "Int64" for what in ("sales", "margin")
       for of in ("before", "after", "effect", "low", "high")},
}  # fmt: skip


@dataclass(frozen=True)
class _Sold:
    """What trucks sold: in all by truck and day; of trucks with a change by truck, day and price, and the rates
    of VAT."""

    in_all: dict[int, dict[date, int]]
    at_price: dict[tuple[int, date, int], int]
    rates: dict[tuple[int, date, int], Decimal | None]
    trucks: dict[int, str]

    @classmethod
    def read(cls, db: sa.Connection, first: date, last: date, trucks: set[int]) -> "_Sold":
        about = bound(Scope(first, last)) | {"trucks": sorted(trucks)}
        in_all: dict[int, dict[date, int]] = defaultdict(dict)
        for row in db.execute(sa.text(_TOTALS), about):
            in_all[row.truck_id][row.business_date] = row.transactions
        sold = db.execute(sa.text(_SOLD), about)
        at_price = {(row.truck_id, row.business_date, row.price_pence): row.transactions for row in sold}
        with hash_joins(db):
            rates = {(row.truck_id, row.business_date, row.price_pence): row.vat_rate
                     for row in db.execute(sa.text(_RATES), about)}  # fmt: skip
        names = {row.truck_id: row.name for row in db.execute(sa.text("SELECT truck_id, name FROM core.truck"))}
        return cls(in_all, at_price, rates, names)

    def days(self, truck_id: int) -> set[date]:
        """The days on which a truck traded."""
        return {day for day, sold in self.in_all.get(truck_id, {}).items() if sold}


@dataclass(frozen=True)
class _Effect:
    """A change, and what is needed to tell its effect."""

    change: Change
    found: Sequence[Run]
    every: Sequence[Change]
    sold: _Sold
    rules: Menus
    last: date

    def row(self) -> dict[str, Any]:
        """The row of `price_effects`."""
        dish, (weeks, pairs) = self.change.dish, self._window
        state, note = self._state()
        row = {
            "truck_id": dish.truck_id,
            "truck": self.sold.trucks.get(dish.truck_id, f"Truck {dish.truck_id} (not in details.xlsx)"),
            "dish": dish.name,
            "changed_on": self.change.day,
            "old_price_pence": self.change.old.price_pence,
            "new_price_pence": self.change.new.price_pence,
            "effect_state": state,
            "effect_note": note,
            "window_weeks": weeks,
            "day_pairs": len(pairs),
        }
        return row | dict(self._measures()) if state == KNOWN else row

    @cached_property
    def _window(self) -> tuple[int, Pairs]:
        traded = self.sold.days(self.change.dish.truck_id)
        return self.change.pairs(self.rules.weeks, self.last, traded)

    def _state(self) -> tuple[str, str]:
        """Whether the effect is known, and why not or what it is compared with."""
        change, pairs, fewest = self.change, self._window[1], self.rules.fewest_days
        if shared := self._shared():
            name, pence = shared
            return SHARED, f"{name} has the price {pounds(pence)}, too: their sales cannot be told apart."
        if len(pairs) < fewest:
            return TOO_FEW, f"Too few days to say: {len(pairs)} of at least {fewest} pairs of same weekdays."
        if not any(self._pieces[0]):
            return UNSOLD, f"Not sold at {pounds(change.old.price_pence)} on these days."
        others, name = self._others
        if not sum(before for before, _ in others):
            return ALONE, "No other truck or dish kept its prices on these days."
        return KNOWN, f"Compared with {name}."

    def _shared(self) -> tuple[str, int] | None:
        """Another dish of the truck at the old price before or at the new one after, and that price."""
        change, weeks = self.change, self.rules.weeks
        spans = ((change.old, change.days_before(weeks)), (change.new, change.days_after(weeks, self.last)))
        for run, (first, last) in spans:
            for other in self._of_truck():
                dish = other.parts[0]
                if dish.key != change.dish.key and other.price_pence == run.price_pence and other.overlaps(first, last):
                    return dish.name, run.price_pence
        return None

    def _of_truck(self) -> Iterator[Run]:
        return (run for run in self.found if run.parts[0].truck_id == self.change.dish.truck_id)

    @cached_property
    def _pieces(self) -> tuple[list[int], list[int]]:
        """Sales of the dish on the days before, at the old price, and after, at the new one."""
        truck, pairs = self.change.dish.truck_id, self._window[1]
        old, new = self.change.old.price_pence, self.change.new.price_pence
        before = [self.sold.at_price.get((truck, then, old), 0) for then, _ in pairs]
        return before, [self.sold.at_price.get((truck, now, new), 0) for _, now in pairs]

    @cached_property
    def _others(self) -> tuple[list[tuple[int, int]], str]:
        """What those without a change sold on each pair of days, and who they are: other trucks, else dishes."""
        pairs = self._window[1]
        first, last = min(then for then, _ in pairs), max(now for _, now in pairs)
        changed = {one.dish.truck_id for one in self.every if first < one.day <= last}
        known = {run.parts[0].truck_id for run in self.found if run.overlaps(first, last)}
        trucks = sorted(known - changed - {self.change.dish.truck_id})
        sold = [[_both(self.sold.in_all.get(truck, {}), *pair) for pair in pairs] for truck in trucks]
        count = sum(any(then for then, _ in one) for one in sold)
        if count:
            sums = [(sum(then for then, _ in one), sum(now for _, now in one)) for one in zip(*sold, strict=True)]
            return sums, f"{count} truck{'s' * (count != 1)} without a price change"
        return self._other_dishes(first, last)

    def _other_dishes(self, first: date, last: date) -> tuple[list[tuple[int, int]], str]:
        """The same of dishes of the truck whose price stayed, and that are alone at it."""
        truck, own = self.change.dish.truck_id, [run for run in self._of_truck() if run.overlaps(first, last)]
        moved = {run.price_pence for run in own if not run.covers(first, last)}
        prices = {run.price_pence for run in own if run.covers(first, last)} - moved
        sums = [
            tuple(sum(self.sold.at_price.get((truck, day, price), 0) for price in prices) for day in pair)
            for pair in self._window[1]
        ]
        return [(then, now) for then, now in sums], "dishes of the truck whose price stayed"

    def _measures(self) -> Iterator[tuple[str, Any]]:
        """Before, after, effect and interval of sales, pounds and margin a day; no margin without a unit cost."""
        before, after = self._pieces
        old, new = self.change.old.price_pence, self.change.new.price_pence
        yield from self._measure("sold", before, after, before)
        pence = [old * sold for sold in before]
        yield from self._measure("sales_pence", pence, [new * sold for sold in after], pence)
        margins = [self._margins(*pair) for pair in self._window[1]]
        if all(one is not None for one in margins):
            then, now, as_before = zip(*(one for one in margins if one), strict=True)
            left = ([sold * each for sold, each in zip(*pair, strict=True)]
                    for pair in ((before, then), (after, now), (before, as_before)))  # fmt: skip
            yield from self._measure("margin_pence", *left)

    def _margins(self, then: date, now: date) -> tuple[Fraction, Fraction, Fraction] | None:
        """What one sale leaves on the day before, on the day after, and on that day had the price stayed: with the VAT
        and the unit cost of the day, so that a dearer purchase is not taken for an effect of the price."""
        truck, old, new = self.change.dish.truck_id, self.change.old, self.change.new
        cost_then, cost_now = old.unit_cost(then), new.unit_cost(now)
        if cost_then is None or cost_now is None:
            return None
        rate_then = self.sold.rates.get((truck, then, old.price_pence))
        rate_now = self.sold.rates.get((truck, now, new.price_pence))
        old_now, new_now = net(old.price_pence, rate_now), net(new.price_pence, rate_now)
        return net(old.price_pence, rate_then) - cost_then, new_now - cost_now, old_now - cost_now

    def _measure(
        self, name: str, before: Sequence[Any], after: Sequence[Any], as_before: Sequence[Any]
    ) -> Iterator[tuple[str, Any]]:
        others = self._others[0]
        found = difference(
            [float(one) for one in as_before],
            [float(one) for one in after],
            [float(then) for then, _ in others],
            [float(now) for _, now in others],
        )
        whole = name.endswith("_pence")
        for of, days in (("before", before), ("after", after)):
            mean = Fraction(sum(days)) / len(days)
            yield f"{of}_{name}", nearest(mean) if whole else float(mean)
        for of in ("effect", "low", "high"):
            value = getattr(found, of)
            yield f"{of}_{name}", nearest(Fraction(value)) if whole else value


def _both(sold: dict[date, int], then: date, now: date) -> tuple[int, int]:
    """Sales of two days, none of either unless the truck traded on both."""
    pair = sold.get(then, 0), sold.get(now, 0)
    return pair if all(pair) else (0, 0)
