"""What a truck sells before anything goes wrong: a pure function of seed, truck and business date."""

from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from itertools import accumulate

import numpy as np

from t3lib.simulate.chance import READER, ROAD, SALES, WEATHER, draw, draws
from t3lib.simulate.fleet import Truck, is_festival, location

WEEKDAYS = (0.75, 0.80, 0.90, 1.00, 1.25, 1.50, 0.95)
FESTIVAL = 1.8
GROWTH_PER_DAY = 0.0004  # about 15 % a year
GROWTH_FROM = date(2026, 1, 1).toordinal()
REPEATS = 0.062  # with those that happen by chance, 7 to 8 % of rows repeat another one
ROAD_DAYS, OFF_ROAD_DAYS = 84, 3
READER_BROKEN = 1 / 120
# Weight of each place in the morning, at lunch, in the afternoon and in the evening.
PLACES = {1: (1.3, 1.1, 1.0, 0.6), 2: (0.8, 1.5, 0.7, 0.7), 3: (0.7, 1.0, 1.0, 1.4), 4: (0.8, 1.0, 1.3, 1.0)}


@dataclass(frozen=True)
class Sales:
    """One truck's sales of one business date in order of time: arrays of one length.

    minute is local, since midnight (1440 and more is after midnight); item is a place in the truck's menu."""

    minute: np.ndarray
    item: np.ndarray
    card: np.ndarray

    def __len__(self) -> int:
        return len(self.minute)


def day_sales(truck: Truck, day: date, seed: int, sales_per_day: float | None = None) -> Sales:
    """The sales of one business date. sales_per_day replaces the truck's own mean."""
    rng = draws(seed, SALES, truck.truck_id, day.toordinal())
    luck, rest = rng.random(2)
    mean = (sales_per_day or truck.sales_per_day) * _level(truck, day, seed)
    count = int(mean * (0.88 + 0.24 * luck) + rest)
    minutes, items, cards, repeats = rng.random((4, count))
    minute = np.sort(_minutes(truck, location(truck.truck_id, day), minutes))
    item = np.minimum(np.searchsorted(_shares(truck), items, side="right"), len(truck.menu) - 1)
    card_share = 0.0 if reader_broken(truck, day, seed) else truck.card_share
    origin = np.arange(count)
    origin[(repeats < REPEATS) & (origin > 0)] = 0
    origin = np.maximum.accumulate(origin) if count else origin
    return Sales(minute[origin], item[origin], (cards < card_share)[origin])


def off_the_road(truck: Truck, day: date, seed: int) -> bool:
    """A rest day, or one of the three days in the workshop that each truck has about every twelve weeks."""
    if day.weekday() == truck.rest_weekday and not is_festival(day):
        return True
    period, place = divmod(day.toordinal() + truck.truck_id * 34, ROAD_DAYS)
    first = int(draw(seed, ROAD, truck.truck_id, period) * (ROAD_DAYS - OFF_ROAD_DAYS))
    return first <= place < first + OFF_ROAD_DAYS and not is_festival(day)


def reader_broken(truck: Truck, day: date, seed: int) -> bool:
    """A day on which the card reader failed and everybody paid cash."""
    return draw(seed, READER, truck.truck_id, day.toordinal()) < READER_BROKEN


@lru_cache(1000)
def rains(day: date, seed: int) -> bool:
    """One day in nine is wet for everybody."""
    return draw(seed, WEATHER, day.toordinal()) < 1 / 9


def _level(truck: Truck, day: date, seed: int) -> float:
    if off_the_road(truck, day, seed):
        return 0.0
    growth = max(1 + GROWTH_PER_DAY * (day.toordinal() - GROWTH_FROM), 0.5)
    rain = truck.rain * 0.75 if rains(day, seed) else 1.0
    return WEEKDAYS[day.weekday()] * growth * rain * (FESTIVAL if is_festival(day) else 1.0)


def _minutes(truck: Truck, place: int, chances: np.ndarray) -> np.ndarray:
    """Local minutes with the truck's hours and the place's part of the day."""
    edges = _hour_edges(truck.opens, truck.hours, place)
    hour = np.minimum(np.searchsorted(edges, chances, side="right"), len(edges) - 1)
    before = np.concatenate(([0.0], edges[:-1]))
    inside = ((chances - before[hour]) / (edges - before)[hour] * 60).astype(np.int64)
    # The hour after midnight ends at half past.
    late = truck.opens + hour == 24
    return (truck.opens + hour) * 60 + np.where(late, inside // 2, np.minimum(inside, 59))


@cache
def _hour_edges(opens: int, hours: tuple[float, ...], place: int) -> np.ndarray:
    parts = [min(max((opens + i - 9) // 3, 0), 3) for i in range(len(hours))]
    weights = list(accumulate(weight * PLACES[place][part] for weight, part in zip(hours, parts, strict=True)))
    return np.array(weights) / weights[-1]


@cache
def _shares(truck: Truck) -> np.ndarray:
    return np.array(list(accumulate(item.weight for item in truck.menu)))
