"""What a change did: days after it against days before it, less what changed where nothing was changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, fmean, stdev

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """An effect a day, and the bounds between which it lies with 95 % confidence."""

    effect: float
    low: float
    high: float


def difference(
    before: Sequence[float], after: Sequence[float], others_before: Sequence[float], others_after: Sequence[float]
) -> Difference:
    """Difference in differences of paired days, in proportion: what is expected after the change is what was there
    before it, times the change of the others. At least five pairs, and others that are not zero before.

    A pair is two days of one weekday. Its residual is what the pair moves in the estimate (the ratio estimator
    linearised), so its spread holds the chance in all four series; the bounds are those of Student's t over the pairs,
    with two degrees of freedom less than pairs: one for the mean, one for the change of the others."""
    pairs = len(before)
    growth = sum(others_after) / sum(others_before)
    scale = sum(before) / sum(others_before)
    residuals = [
        (one_after - growth * one_before) - scale * (other_after - growth * other_before)
        for one_before, one_after, other_before, other_after in zip(
            before, after, others_before, others_after, strict=True
        )
    ]
    effect, spread = fmean(residuals), stdev(residuals)
    half = student(pairs - 2) * spread / sqrt(pairs)
    return Difference(effect, effect - half, effect + half)


def student(degrees: int) -> float:
    """The quantile of Student's t for a 95 % interval: the expansion 26.7.5 of Abramowitz and Stegun, Handbook of
    Mathematical Functions, 1964; from three degrees of freedom on it is right to 0.2 %."""
    x = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    terms = (
        x,
        (x**3 + x) / 4,
        (5 * x**5 + 16 * x**3 + 3 * x) / 96,
        (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384,
        (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92160,
    )
    return sum(term / float(degrees) ** power for power, term in enumerate(terms))
