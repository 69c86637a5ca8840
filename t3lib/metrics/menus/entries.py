"""What a truck sells under one name: its dishes, and as one entry those that share a price on any of some days."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from math import floor

import sqlalchemy as sa


@dataclass(frozen=True)
class Item:
    """A dish with one price from `first` to the day before `until`; the moments say when exactly."""

    truck_id: int
    name: str
    menu_type: str
    price_pence: int
    unit_cost_pence: int | None
    first: date
    until: date
    from_at: datetime
    until_at: datetime

    @property
    def key(self) -> tuple[int, str]:
        """The truck and the name, however it is spelt."""
        return self.truck_id, self.name.lower()

    def shares(self, other: "Item") -> bool:
        """Whether a sale could be of either: the same truck, price and day."""
        same = (self.truck_id, self.price_pence) == (other.truck_id, other.price_pence)
        return same and self.first < other.until and other.first < self.until


_ITEMS = """
SELECT truck_id, menu_item AS name, menu_type, price_pence, unit_cost_pence, lower(days) AS first,
       upper(days) AS until, lower(on_menu) AS from_at, upper(on_menu) AS until_at
FROM core.menu_item
WHERE days && daterange(:first, :last, '[]') AND (:all_trucks OR truck_id = ANY(CAST(:trucks AS integer[])))
ORDER BY truck_id, lower(menu_item), on_menu"""


def items(db: sa.Connection, first: date, last: date, trucks: Sequence[int] = ()) -> list[Item]:
    """The dishes of these days by truck, name and time; all trucks if none is named."""
    about = {"first": first, "last": last, "all_trucks": not trucks, "trucks": list(trucks)}
    return [Item(**row) for row in db.execute(sa.text(_ITEMS), about).mappings()]


def entries(found: Iterable[Item]) -> dict[tuple[int, str], str]:
    """The entry of each dish by its key: its name, or the names of all dishes that cannot be told apart.

    Dishes that share a price at a truck on a day are one entry, and so is what shares a price with one of them."""
    names: dict[tuple[int, str], str] = {}
    at_price: dict[tuple[int, int], list[Item]] = defaultdict(list)
    for item in found:
        names[item.key] = item.name  # the latest spelling
        at_price[item.truck_id, item.price_pence].append(item)
    together = {key: {key} for key in names}
    for same in at_price.values():
        for one, other in combinations(same, 2):
            if together[one.key] is not together[other.key] and one.shares(other):
                together[one.key] |= together[other.key]
                together |= dict.fromkeys(together[one.key], together[one.key])
    return {key: ", ".join(sorted(names[one] for one in parts)) for key, parts in together.items()}


def net(price_pence: int, vat_rate: Decimal | None) -> Fraction:
    """A price less the VAT that it contains at this rate, exactly; the whole price where no rate is known."""
    return Fraction(100 * price_pence) / (100 + Fraction(vat_rate or 0))


def nearest(pence: Fraction) -> int:
    """Whole pence, halves up."""
    return floor(pence + Fraction(1, 2))
