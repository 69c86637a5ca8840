"""Changes of the price of a dish in the history of menus, and the days that can be compared around one."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise

from t3lib import business_day
from t3lib.metrics.menus.entries import Item

Pairs = list[tuple[date, date]]  # a day before and a day after the change, of the same weekday


@dataclass(frozen=True)
class Run:
    """A dish as long as its price stays, whatever its unit cost."""

    parts: tuple[Item, ...]

    @property
    def price_pence(self) -> int:
        """The price."""
        return self.parts[0].price_pence

    @property
    def first_whole(self) -> date:
        """The first business day on which only this price held; a price may begin at noon."""
        first, from_at = self.parts[0].first, self.parts[0].from_at
        return first + timedelta(days=business_day.bounds(first)[0] < from_at)

    @property
    def last_whole(self) -> date:
        """The last such day."""
        last, until_at = self.parts[-1].until - timedelta(days=1), self.parts[-1].until_at
        return last - timedelta(days=business_day.bounds(last)[1] > until_at)

    def covers(self, first: date, last: date) -> bool:
        """Whether it held all of these days."""
        return self.first_whole <= first and last <= self.last_whole

    def overlaps(self, first: date, last: date) -> bool:
        """Whether it held on one of these days."""
        return self.parts[0].first <= last and first < self.parts[-1].until

    def unit_cost(self, day: date) -> int | None:
        """The unit cost of a day: of two within it the later one."""
        known = [part.unit_cost_pence for part in self.parts if part.first <= day < part.until]
        return known[-1] if known else None


@dataclass(frozen=True)
class Change:
    """A dish whose price was another one from a moment on."""

    old: Run
    new: Run

    @property
    def dish(self) -> Item:
        """The dish since the change."""
        return self.new.parts[0]

    @property
    def day(self) -> date:
        """The business day of the change."""
        return self.dish.first

    def days_before(self, weeks: int) -> tuple[date, date]:
        """First and last whole day at the old price, of at most so many weeks."""
        earliest = self.day - timedelta(weeks=weeks)
        return max(earliest, self.old.first_whole), min(self.day - timedelta(days=1), self.old.last_whole)

    def days_after(self, weeks: int, last: date) -> tuple[date, date]:
        """First and last whole day at the new price, of at most so many weeks, up to a day."""
        latest = self.day + timedelta(weeks=weeks, days=-1)
        return max(self.day, self.new.first_whole), min(latest, self.new.last_whole, last)

    def pairs(self, weeks: int, last: date, traded: Collection[date]) -> tuple[int, Pairs]:
        """Days after the change, each with the day so many weeks before it, on both of which the truck traded.

        So many weeks that there are the most pairs; of equal numbers the fewest weeks."""
        found = {n: list(self._pairs(n, last, traded)) for n in range(1, weeks + 1)}
        best = max(found, key=lambda n: (len(found[n]), -n))
        return best, found[best]

    def _pairs(self, weeks: int, last: date, traded: Collection[date]) -> Iterator[tuple[date, date]]:
        (first, until), (after, end) = self.days_before(weeks), self.days_after(weeks, last)
        for n in range((end - after).days + 1):
            now = after + timedelta(days=n)
            then = now - timedelta(weeks=weeks)
            if first <= then <= until and now in traded and then in traded:
                yield then, now


def runs(found: Iterable[Item]) -> list[Run]:
    """The runs of dishes that are sorted by truck, name and time."""
    made: list[Run] = []
    for item in found:
        last = made[-1].parts[-1] if made else None
        if last and last.key == item.key and last.until_at == item.from_at and last.price_pence == item.price_pence:
            made[-1] = Run((*made[-1].parts, item))
        else:
            made.append(Run((item,)))
    return made


def changes(found: Iterable[Run]) -> list[Change]:
    """Each run that follows another of its dish at once. A dish that left the menu and came back later at another price
    is no change of a price."""
    by_dish = (list(same) for _, same in groupby(found, key=lambda run: run.parts[0].key))
    return [
        Change(old, new)
        for same in by_dish
        for old, new in pairwise(same)
        if old.parts[-1].until_at == new.parts[0].from_at
    ]
