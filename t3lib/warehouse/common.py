"""How many sales two files have in common, beside how many chance would give: multisets of (moment, payment, pence)."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

SHIFTS = tuple(minutes for minutes in range(-60, 61) if minutes)  # what is common by so many minutes is so by chance
DEVIATIONS, FEWEST = 4, 3
_VALUE = ["sold_at", "payment_type", "total_pence"]


@dataclass(frozen=True)
class Common:
    """Sales that two files have in common; `own` and `other` are how many each holds."""

    rows: int
    own: int
    other: int
    by_chance: float

    @property
    def same(self) -> bool:
        """Whether each holds what the other holds."""
        return 0 < self.rows == self.own == self.other

    @property
    def most(self) -> bool:
        """Whether these are most sales of the shorter file, and more than chance explains."""
        return self.are_most_of(min(self.own, self.other))

    def are_most_of(self, sales: int) -> bool:
        """Whether these are more than half of so many sales, and more than chance explains.

        Two short files may share a few: at least three, or two where they are all, and four standard deviations and
        one sale above what the files share when one is shifted by minutes."""
        fewest = min(FEWEST, max(sales, 2))
        explained = self.by_chance + DEVIATIONS * self.by_chance**0.5 + 1
        return self.rows >= fewest and 2 * self.rows > sales and self.rows > explained


def compare(own: pa.Table, other: pa.Table) -> Common:
    """What two files' sales (columns of core.sale) have in common."""
    ours, theirs, width = _lines(own, other)
    rows = _shared(ours, theirs)
    if not rows:
        return Common(0, own.num_rows, other.num_rows, 0.0)
    shifted = sum(_shared(ours, (theirs[0] + 60 * minutes * width, theirs[1])) for minutes in SHIFTS)
    return Common(rows, own.num_rows, other.num_rows, (shifted + 1) / len(SHIFTS))


def _lines(own: pa.Table, other: pa.Table) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray], int]:
    """Each file's distinct sales as sorted numbers and how often each occurs; a second is `width` numbers."""
    both = pa.concat_tables([own.select(_VALUE), other.select(_VALUE)])
    payment = both["payment_type"].combine_chunks().dictionary_encode()
    second = both["sold_at"].cast(pa.timestamp("s", "UTC"), safe=False).cast(pa.int64()).to_numpy()
    pence = both["total_pence"].cast(pa.int64()).to_numpy() * max(len(payment.dictionary), 1)
    kinds, kind = np.unique(pence + payment.indices.to_numpy(), return_inverse=True)
    line = (second - second.min(initial=0)) * len(kinds) + kind
    ours, theirs = (np.unique(part, return_counts=True) for part in np.split(line, [own.num_rows]))
    return ours, theirs, len(kinds)


def _shared(ours: tuple[np.ndarray, np.ndarray], theirs: tuple[np.ndarray, np.ndarray]) -> int:
    """How many sales are on both sides."""
    _, here, there = np.intersect1d(ours[0], theirs[0], assume_unique=True, return_indices=True)
    return int(np.minimum(ours[1][here], theirs[1][there]).sum())
