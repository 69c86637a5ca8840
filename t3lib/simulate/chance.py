"""Repeatable chance: every draw is named by what it decides, so no draw depends on how many came before.

Only uniform draws are used: their bytes are the same on every platform and in every numpy version so far."""

from bisect import bisect_right
from itertools import accumulate

import numpy as np

WEATHER, ROAD, READER, SALES, DIRT, UPLOADS, LIVE, SIZE = range(8)


def draws(seed: int, purpose: int, *numbers: int) -> np.random.Generator:
    """A generator of its own for one purpose and, for example, one truck and date."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, purpose, *numbers))))


def draw(seed: int, purpose: int, *numbers: int) -> float:
    """One number in [0, 1)."""
    return float(draws(seed, purpose, *numbers).random())


def choose(value: float, shares: dict[str, float]) -> str | None:
    """The name whose share covers a number in [0, 1); None beyond the last one."""
    place = bisect_right(list(accumulate(shares.values())), value)
    return list(shares)[place] if place < len(shares) else None
