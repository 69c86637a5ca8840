"""What cleaning knows about each truck: prices, limit, card reader."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from t3lib.settings import Settings, settings

DEFAULT_LIMIT_PENCE = Settings.model_fields["limit_pence"].default
LIMIT_FACTOR = 5
SEEN_OFTEN = 20

_PRICES_SOLD = """
    SELECT truck_id, price_pence, sum(transactions) AS transactions
    FROM mart.price_daily
    GROUP BY truck_id, price_pence
"""
_PRICES_OF = """
    SELECT sale.truck_id, total_pence, -count(*) AS transactions
    FROM core.sale
    JOIN ops.source_file AS file ON file.file_id = sale.file_id AND file.truck_id = sale.truck_id
    WHERE file.file_id = ANY(:files)
    GROUP BY sale.truck_id, total_pence
"""


@dataclass(frozen=True)
class TruckFacts:
    """Per-truck rules; pence. `prices` are the menu's; `sold` counts how often each price was sold so far.

    `limit_pence` is the highest believable total of a truck that has neither."""

    prices: dict[int, set[int]] = field(default_factory=dict)
    sold: dict[int, Counter[int]] = field(default_factory=dict)
    without_reader: frozenset[int] = frozenset()
    known: frozenset[int] = frozenset()
    limit_pence: int = DEFAULT_LIMIT_PENCE

    def limit(self, truck_id: int) -> int:
        """The highest believable total: five times the dearest price, on the menu or else sold often so far."""
        prices = self.prices.get(truck_id) or self._sold_often(self.sold.get(truck_id, Counter()))
        return LIMIT_FACTOR * max(prices) if prices else self.limit_pence

    def shifted_prices(self, truck_id: int, batch: Counter[int]) -> set[int]:
        """Totals that can only be a price of this truck times 100.

        Without a menu a price is one sold often, so far or in this batch, and a shift is rare beside it."""
        if prices := self.prices.get(truck_id):
            return {100 * price for price in prices} - prices
        counts = self.sold.get(truck_id, Counter()) + batch
        return {100 * price for price in self._sold_often(counts) if counts[100 * price] * 10 < counts[price]}

    @staticmethod
    def _sold_often(counts: Counter[int]) -> set[int]:
        return {price for price, times in counts.items() if times >= SEEN_OFTEN}


def read_facts(db: sa.Connection, without: Sequence[int] = ()) -> TruckFacts:
    """The rules as the dimensions and the sales so far give them.

    without: loaded files that are judged again; their own sales are no evidence."""
    trucks = db.execute(sa.text("SELECT truck_id, has_card_reader FROM core.truck WHERE in_details")).all()
    menu = db.execute(sa.text("SELECT truck_id, price_pence FROM core.menu_item")).all()
    sold = db.execute(sa.text(_PRICES_SOLD)).all()
    own = db.execute(sa.text(_PRICES_OF), {"files": list(without)}).all() if without else []
    return TruckFacts(
        prices=_grouped((truck, price) for truck, price in menu),
        sold=_counted((truck, price, int(times)) for truck, price, times in [*sold, *own]),
        without_reader=frozenset(truck for truck, reader in trucks if reader is False),
        known=frozenset(truck for truck, _ in trucks),
        limit_pence=settings().limit_pence,
    )


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
