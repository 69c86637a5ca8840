"""What cleaning knows of each truck: prices, how often it sold at which, highest believable total, card reader."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
import sqlalchemy as sa

from t3lib.business_day import BEGINNING, END
from t3lib.settings import Settings, settings

DEFAULT_LIMIT_PENCE = Settings.model_fields["limit_pence"].default

_PRICES_SOLD = """
    SELECT truck_id, price_pence, sum(transactions) AS transactions
    FROM mart.price_daily
    GROUP BY truck_id, price_pence
"""
# When each price was on a truck's menu, whatever dish it was the price of.
_PRICES_ON_MENUS = """
    SELECT truck_id, price_pence, lower(span), upper(span)
    FROM (SELECT truck_id, price_pence, unnest(range_agg(days)) AS span FROM core.menu_item
          GROUP BY truck_id, price_pence) AS priced
"""
_PRICES_OF_FILES = """
    SELECT sale.truck_id, total_pence, -count(*) AS transactions
    FROM core.sale
    JOIN ops.source_file AS file ON file.file_id = sale.file_id AND file.truck_id = sale.truck_id
    WHERE file.file_id = ANY(:files)
    GROUP BY sale.truck_id, total_pence
"""


@dataclass(frozen=True)
class TruckFacts:
    """Per-truck rules; pence. `prices` are the menu's; `sold` counts how often each price was sold so far.

    earlier: the menus before that one, oldest first, each with the business day on which it ended. without_reader: the
    trucks without a card reader. known: the trucks in details.xlsx. limit_pence: the highest believable total of a
    truck without prices."""

    prices: dict[int, set[int]] = field(default_factory=dict)
    sold: dict[int, Counter[int]] = field(default_factory=dict)
    without_reader: frozenset[int] = frozenset()
    known: frozenset[int] = frozenset()
    limit_pence: int = DEFAULT_LIMIT_PENCE
    earlier: tuple[tuple[date, dict[int, set[int]]], ...] = ()

    @property
    def menus(self) -> list[dict[int, set[int]]]:
        """The prices of every menu, oldest first: its place in this list is the number of a row's menu."""
        return [*(prices for _, prices in self.earlier), self.prices]

    def menu_of(self, days: np.ndarray) -> np.ndarray:
        """The number of each business day's menu."""
        changed = np.array([until for until, _ in self.earlier], "datetime64[D]")
        return np.searchsorted(changed, days, side="right").astype(np.int64)

    def counted(self, rows: pd.DataFrame, times: np.ndarray) -> Counter[tuple[int, int]]:
        """How often each truck sold at each total so far, the distinct rows of a batch included (truck, pence), which
        it has so many times."""
        truck, pence, _, place = _distinct(rows, np.zeros(len(rows), np.int64))
        own = np.bincount(place, weights=times, minlength=len(truck)).astype(np.int64).tolist()
        sold = Counter({(truck_id, price): n for truck_id, prices in self.sold.items() for price, n in prices.items()})
        sold.update(dict(zip(zip(truck.tolist(), pence.tolist(), strict=True), own, strict=True)))
        return sold

    def columns(self, rows: pd.DataFrame, menu: np.ndarray, sold: Counter[tuple[int, int]]) -> dict[str, np.ndarray]:
        """What is known of the truck and of the total of each distinct row (truck, pence), with the number of its menu.

        has_menu, on_menu, hundredth_on_menu: whether the truck has a menu on the row's day, and the total, or a
        hundredth of it, is a price on it. sold, hundredth_sold: how often the truck sold at it, as counted. in_details,
        without_reader."""
        of, price, on, place = _distinct(rows, menu)
        truck, trucks, menus = rows["truck"].to_numpy(np.int64), of.tolist(), self.menus
        listed = [menus[number].get(truck_id, set()) for number, truck_id in zip(on.tolist(), trucks, strict=True)]
        found = {"has_menu": np.array([len(prices) > 0 for prices in listed], bool)}
        for which, pence in (("", price), ("hundredth_", np.where(price % 100 == 0, price // 100, -1))):
            totals = pence.tolist()
            is_on = (total in prices for total, prices in zip(totals, listed, strict=True))
            found[f"{which}on_menu"] = np.array([*is_on], bool)
            found[f"{which}sold"] = np.array([sold[total] for total in zip(trucks, totals, strict=True)], np.int64)
        found["hundredth_sold"][(price <= 0) | (price % 100 != 0)] = 0  # rows without an amount are counted at -1
        return {name: values[place] for name, values in found.items()} | {
            "in_details": np.isin(truck, list(self.known)),
            "without_reader": np.isin(truck, list(self.without_reader)),
        }


def read_truck_facts(db: sa.Connection, without: Sequence[int] = ()) -> TruckFacts:
    """The rules as the dimensions and the sales so far give them.

    without: loaded files that are cleaned again; their own sales are not counted."""
    trucks = db.execute(sa.text("SELECT truck_id, has_card_reader FROM core.truck WHERE in_details")).all()
    *earlier, (_, prices) = menus(tuple(row) for row in db.execute(sa.text(_PRICES_ON_MENUS)))
    sold = db.execute(sa.text(_PRICES_SOLD)).all()
    own = db.execute(sa.text(_PRICES_OF_FILES), {"files": list(without)}).all() if without else []
    return TruckFacts(
        prices=prices,
        earlier=tuple(earlier),
        sold=_counted((truck, price, int(times)) for truck, price, times in [*sold, *own]),
        without_reader=frozenset(truck for truck, reader in trucks if reader is False),
        known=frozenset(truck for truck, _ in trucks),
        limit_pence=settings().limit_pence,
    )


def menus(listed: Iterable[tuple[int, int, date, date]]) -> list[tuple[date, dict[int, set[int]]]]:
    """Every menu of the fleet, oldest first, with the day on which it ended: from (truck, pence, first day, end)."""
    listed = list(listed)
    edges = sorted({END} | {day for _, _, *span in listed for day in span if day > BEGINNING})
    return [
        (end, _grouped((truck, price) for truck, price, first, until in listed if first < end <= until))
        for end in edges
    ]


def _distinct(rows: pd.DataFrame, menu: np.ndarray) -> tuple[np.ndarray, ...]:
    """(truck, pence, menu) of the distinct ones, -1 pence where there is no amount, and the place of each row's."""
    truck, pence = rows["truck"].to_numpy(np.int64), rows["pence"].fillna(-1).to_numpy(np.int64)
    codes, prices = pd.factorize(pence)
    of = (menu * (truck.max(initial=0) + 1) + truck) * (len(prices) + 1) + codes
    _, first, place = np.unique(of, return_index=True, return_inverse=True)
    return truck[first], pence[first], menu[first], place.reshape(-1)


def _grouped(pairs: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    groups: dict[int, set[int]] = defaultdict(set)
    for truck, price in pairs:
        groups[truck].add(price)
    return dict(groups)


def _counted(rows: Iterable[tuple[int, int, int]]) -> dict[int, Counter[int]]:
    counts: dict[int, Counter[int]] = defaultdict(Counter)
    for truck, price, times in rows:
        counts[truck][price] += times
    return dict(counts)
