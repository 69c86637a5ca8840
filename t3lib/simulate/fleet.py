"""The made-up fleet: trucks, what they sell, when they trade, and where.

A fleet of more than six repeats the six kinds of truck under numbered names. Nothing about a truck depends on
the size of the fleet."""

from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from t3lib.simulate.chance import SIZE, draw

LOCATIONS = {1: "Leeside Market", 2: "Gentoff Street", 3: "Coiner Street Square", 4: "Alnfield Park"}
FESTIVAL_LOCATION = 4


@dataclass(frozen=True)
class Item:
    """One line of a menu; weight is its share among the truck's sales."""

    name: str
    price_pence: int
    unit_cost_pence: int
    weight: float


@dataclass(frozen=True)
class Truck:
    """One truck. hours holds the weight of each local hour from `opens` on; 24 is the hour after midnight."""

    truck_id: int
    name: str
    description: str
    has_card_reader: bool
    fsa_rating: int
    menu_type: str
    sales_per_day: float
    card_share: float
    opens: int
    hours: tuple[float, ...]
    rest_weekday: int | None
    rain: float
    menu: tuple[Item, ...]

    @property
    def prices(self) -> tuple[int, ...]:
        """Pence per menu item, in menu order."""
        return tuple(item.price_pence for item in self.menu)

    def trades_at(self, hour: int) -> bool:
        """Whether the truck is open in a local hour (24 and more is after midnight)."""
        return 0 <= hour - self.opens < len(self.hours)


_LUNCH = (0.5, 0.7, 1.2, 2.2, 1.9, 1.0, 0.7, 0.8, 1.2, 1.1, 0.7, 0.4)
_AFTERNOON = (0.6, 0.9, 1.1, 1.3, 1.3, 1.4, 1.6, 1.2, 0.7)
_EVENING = (0.8, 0.6, 0.7, 1.1, 1.6, 1.5, 1.2, 1.2, 1.5, 1.4, 0.35)
_SMOOTHIES = (1.4, 1.2, 1.0, 1.1, 1.0, 0.8, 0.8, 0.7)

KINDS = (
    Truck(
        1, "Burrito Madness", "Burritos rolled to order, with salsa made the same morning.", True, 4, "Mexican",
        95, 0.80, 9, _LUNCH, None, 0.80,
        (Item("Classic burrito", 700, 235, 0.60), Item("Chicken and lime burrito", 810, 270, 0.08),
         Item("Burrito with guacamole", 880, 300, 0.08), Item("Slow beef burrito", 950, 340, 0.10),
         Item("Burrito and nachos", 1060, 360, 0.08), Item("Loaded burrito box", 1100, 385, 0.06)),
    ),
    Truck(
        2, "Kings of Kebabs", "Lamb, chicken and halloumi from the charcoal grill, until midnight.", True, 2, "Kebab",
        190, 0.68, 14, _EVENING, None, 0.85,
        (Item("Chicken doner", 700, 260, 0.26), Item("Lamb doner", 810, 320, 0.18),
         Item("Chicken shish", 830, 310, 0.18), Item("Halloumi wrap", 850, 290, 0.12),
         Item("Lamb kofta", 870, 335, 0.14), Item("Mixed grill", 900, 365, 0.12)),
    ),
    Truck(
        3, "Cupcakes by Michelle", "Cupcakes iced by hand, single or by the box.", True, 5, "Cakes",
        85, 0.55, 9, _AFTERNOON, None, 0.75,
        (Item("Mini cupcake", 199, 45, 0.12), Item("Cupcake", 299, 70, 0.30), Item("Two cupcakes", 499, 135, 0.24),
         Item("Box of four", 799, 260, 0.24), Item("Party box", 1299, 430, 0.10)),
    ),
    Truck(
        4, "Hartmann's Jellied Eels", "Eels in jelly and hot pies, as they were sold by the river.", True, 4, "Seafood",
        34, 0.86, 10, _AFTERNOON, 0, 1.05,
        (Item("Parsley sauce", 99, 20, 0.42), Item("Jellied eels", 399, 150, 0.34),
         Item("Pie and mash", 499, 175, 0.24)),
    ),
    Truck(
        5, "Yoghurt Heaven", "Frozen yoghurt with fruit, or by the tub.", True, 4, "Yoghurt",
        58, 0.82, 10, _AFTERNOON, None, 0.60,
        (Item("Yoghurt pot", 500, 140, 0.74), Item("Yoghurt with berries", 830, 240, 0.08),
         Item("Nut and honey tub", 920, 275, 0.06), Item("Tropical tub", 970, 295, 0.06),
         Item("Family tub", 1060, 330, 0.06)),
    ),
    Truck(
        6, "SuperSmoothie", "Fruit and vegetables, pressed while you wait.", False, 3, "Smoothies",
        48, 0.0, 9, _SMOOTHIES, None, 0.60,
        (Item("Small smoothie", 499, 130, 0.36), Item("Large smoothie", 599, 165, 0.42),
         Item("Green power", 699, 215, 0.22)),
    ),
)  # fmt: skip


@cache
def truck(truck_id: int, seed: int) -> Truck:
    """The truck with a number from 1 on; those beyond six differ from their kind in name and size."""
    kind, repeat = KINDS[(truck_id - 1) % len(KINDS)], (truck_id - 1) // len(KINDS)
    if not repeat:
        return kind
    size = 0.7 + 0.6 * draw(seed, SIZE, truck_id)
    return replace(kind, truck_id=truck_id, name=f"{kind.name} {repeat + 1}", sales_per_day=kind.sales_per_day * size)


def is_festival(day: date) -> bool:
    """Every fourth Saturday the whole fleet is at the festival in the park."""
    return day.weekday() == 5 and day.toordinal() // 7 % 4 == 1


def location(truck_id: int, day: date) -> int:
    """Where a truck trades: one place Monday to Wednesday, the next until Friday, another at weekends."""
    if is_festival(day):
        return FESTIVAL_LOCATION
    return (truck_id + (0, 0, 0, 1, 1, 2, 2)[day.weekday()]) % len(LOCATIONS) + 1
