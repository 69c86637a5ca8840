"""How many sales two files share, and how many they would share by chance: multisets of (moment, payment, pence)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

SHIFTS = tuple(minutes for minutes in range(-60, 61) if minutes)  # sales shared after such a shift are shared by chance
DEVIATIONS, FEWEST = 4, 3
_VALUE = ["sold_at", "payment_type", "total_pence"]


@dataclass(frozen=True)
class _Lines:
    """The distinct sales of a file as sorted numbers, and how often each occurs; a second is `width` numbers."""

    line: np.ndarray
    times: np.ndarray
    width: int

    @property
    def span(self) -> tuple[int, int]:
        """First and last second."""
        return int(self.line[0] // self.width), int(self.line[-1] // self.width)

    def later(self, minutes: int) -> "_Lines":
        return _Lines(self.line + 60 * minutes * self.width, self.times, self.width)

    def within(self, span: tuple[int, int]) -> int:
        """How many sales fall into these seconds, the first and the last included."""
        first, last = np.searchsorted(self.line, [span[0] * self.width, (span[1] + 1) * self.width])
        return int(self.times[first:last].sum())

    def near(self, other: "_Lines") -> "_Lines":
        """Those within an hour of another file's."""
        (first, last), hour = other.span, 60 * SHIFTS[-1]
        there = slice(*np.searchsorted(self.line, [(first - hour) * self.width, (last + hour + 1) * self.width]))
        return _Lines(self.line[there], self.times[there], self.width)

    def shared(self, other: "_Lines") -> int:
        """How many sales are on both sides."""
        _, here, there = np.intersect1d(self.line, other.line, assume_unique=True, return_indices=True)
        return int(np.minimum(self.times[here], other.times[there]).sum())


@dataclass(frozen=True)
class Common:
    """Sales that two files share; `own` and `other` are how many each holds. `shared_hours`: in the hours that both
    cover, how many sales the file with fewer of them there holds."""

    rows: int
    own: int
    other: int
    shared_hours: int
    _lines: tuple["_Lines", "_Lines"]

    @cached_property
    def by_chance(self) -> float:
        """How many of the shorter file's sales in the other's hours find an equal sale when shifted by minutes.

        One is added: that none was found does not prove that none ever is."""
        short, long = self._lines
        shifted = [short.later(minutes) for minutes in SHIFTS]
        twins, tried = sum(one.shared(long) for one in shifted), sum(one.within(long.span) for one in shifted)
        there = short.within(long.span)
        return there * (twins + 1) / (tried + there)

    @property
    def same(self) -> bool:
        """Whether both hold exactly the same sales."""
        return 0 < self.rows == self.own == self.other

    @property
    def most(self) -> bool:
        """Whether these are most sales of the shorter file, and not by chance."""
        return self.are_most_of(min(self.own, self.other))

    def are_most_of(self, sales: int) -> bool:
        """Whether these are more than half of so many sales, and not by chance.

        Two short files may share a few by chance: it takes at least three, or two where the file has no more. And in
        the hours that both cover, one file holds all sales of the other, or they share more than when one is shifted
        by minutes: by four standard deviations and one sale."""
        if self.rows < min(FEWEST, max(sales, 2)) or 2 * self.rows <= sales:
            return False
        return self.rows == self.shared_hours or self.rows > self.by_chance + DEVIATIONS * self.by_chance**0.5 + 1


def compare(own: pa.Table, other: pa.Table) -> Common | None:
    """The sales (columns of core.sale) that two files share; None where they share none."""
    if not own.num_rows or not other.num_rows:
        return None
    short, long = _lines(*sorted((own, other), key=lambda table: table.num_rows))
    shared_hours = min(short.within(long.span), long.within(short.span))
    short, long = short.near(long), long.near(short)
    if not (rows := short.shared(long)):
        return None
    return Common(rows, own.num_rows, other.num_rows, shared_hours, (short, long))


def _lines(short: pa.Table, long: pa.Table) -> tuple[_Lines, _Lines]:
    both = pa.concat_tables([short.select(_VALUE), long.select(_VALUE)])
    payment = both["payment_type"].combine_chunks().dictionary_encode()
    second = both["sold_at"].cast(pa.timestamp("s", "UTC"), safe=False).cast(pa.int64()).to_numpy()
    pence = both["total_pence"].cast(pa.int64()).to_numpy() * len(payment.dictionary)
    kinds, kind = np.unique(pence + payment.indices.to_numpy(), return_inverse=True)
    line = (second - second.min()) * len(kinds) + kind
    parts = (np.unique(part, return_counts=True) for part in np.split(line, [short.num_rows]))
    first, second_part = (_Lines(*part, len(kinds)) for part in parts)
    return first, second_part
