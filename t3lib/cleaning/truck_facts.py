"""What cleaning knows of each truck: prices, how often it sold at which, highest believable total, card reader."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import sqlalchemy as sa

from t3lib.settings import Settings, settings

DEFAULT_LIMIT_PENCE = Settings.model_fields["limit_pence"].default

_PRICES_SOLD = """
    SELECT truck_id, price_pence, sum(transactions) AS transactions
    FROM mart.price_daily
    GROUP BY truck_id, price_pence
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

    without_reader: the trucks without a card reader. known: the trucks in details.xlsx. limit_pence: the highest
    believable total of a truck without prices."""

    prices: dict[int, set[int]] = field(default_factory=dict)
    sold: dict[int, Counter[int]] = field(default_factory=dict)
    without_reader: frozenset[int] = frozenset()
    known: frozenset[int] = frozenset()
    limit_pence: int = DEFAULT_LIMIT_PENCE

    def counted(self, rows: pd.DataFrame, times: np.ndarray) -> Counter[tuple[int, int]]:
        """How often each truck sold at each total so far, the distinct rows of a batch included (truck, pence), which
        it has so many times."""
        truck, pence, place = _distinct(rows)
        own = np.bincount(place, weights=times, minlength=len(truck)).astype(np.int64).tolist()
        sold = Counter({(truck_id, price): n for truck_id, prices in self.sold.items() for price, n in prices.items()})
        sold.update(dict(zip(zip(truck.tolist(), pence.tolist(), strict=True), own, strict=True)))
        return sold

    def columns(self, rows: pd.DataFrame, sold: Counter[tuple[int, int]]) -> dict[str, np.ndarray]:
        """What is known of the truck and of the total of each distinct row (truck, pence).

        on_menu, hundredth_on_menu: whether the total, or a hundredth of it, is a price on the truck's menu. sold,
        hundredth_sold: how often the truck sold at it, as counted. has_menu, in_details, without_reader."""
        of, price, place = _distinct(rows)
        totals = list(zip(of.tolist(), price.tolist(), strict=True))
        hundredths = list(zip(of.tolist(), np.where(price % 100 == 0, price // 100, -1).tolist(), strict=True))
        menu = {(truck_id, price) for truck_id, prices in self.prices.items() for price in prices}
        truck = rows["truck"].to_numpy(np.int64)
        found = {
            "on_menu": np.array([total in menu for total in totals], bool),
            "hundredth_on_menu": np.array([total in menu for total in hundredths], bool),
            "sold": np.array([sold[total] for total in totals], np.int64),
            "hundredth_sold": np.array([sold[total] if total[1] > 0 else 0 for total in hundredths], np.int64),
        }
        return {name: values[place] for name, values in found.items()} | {
            "has_menu": np.isin(truck, [truck_id for truck_id, prices in self.prices.items() if prices]),
            "in_details": np.isin(truck, list(self.known)),
            "without_reader": np.isin(truck, list(self.without_reader)),
        }


def read_truck_facts(db: sa.Connection, without: Sequence[int] = ()) -> TruckFacts:
    """The rules as the dimensions and the sales so far give them.

    without: loaded files that are cleaned again; their own sales are not counted."""
    trucks = db.execute(sa.text("SELECT truck_id, has_card_reader FROM core.truck WHERE in_details")).all()
    menu = db.execute(sa.text("SELECT truck_id, price_pence FROM core.menu_item")).all()
    sold = db.execute(sa.text(_PRICES_SOLD)).all()
    own = db.execute(sa.text(_PRICES_OF_FILES), {"files": list(without)}).all() if without else []
    return TruckFacts(
        prices=_grouped((truck, price) for truck, price in menu),
        sold=_counted((truck, price, int(times)) for truck, price, times in [*sold, *own]),
        without_reader=frozenset(truck for truck, reader in trucks if reader is False),
        known=frozenset(truck for truck, _ in trucks),
        limit_pence=settings().limit_pence,
    )


def _distinct(rows: pd.DataFrame) -> tuple[np.ndarray, ...]:
    """(truck, pence) of each distinct pair, -1 pence where there is no amount, and the pair's place of each row."""
    truck, pence = rows["truck"].to_numpy(np.int64), rows["pence"].fillna(-1).to_numpy(np.int64)
    codes, prices = pd.factorize(pence)
    _, first, place = np.unique(truck * (len(prices) + 1) + codes, return_index=True, return_inverse=True)
    return truck[first], pence[first], place.reshape(-1)


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
