"""Difference in differences of paired days: by hand, and over simulated trucks whose effect is known."""

import random
from math import sqrt

import pytest

from t3lib.metrics.menus.difference import difference, student

WEEKDAYS = (0.7, 0.8, 0.9, 1.0, 1.3, 1.6, 1.2)
RUNS = 1000


def test_the_effect_is_what_others_do_not_explain():
    # Others sell twice as much afterwards, so 20 a day were to be expected of the 10 before; 14 were sold.
    found = difference([10, 8, 12, 10, 10], [14, 10, 18, 12, 16], [100] * 5, [200] * 5)
    assert found.effect == pytest.approx(-6)
    # The residuals are -6, -6, -6, -8, -4: their standard error is sqrt(2 / 5), and t of three degrees 3.18.
    assert found.effect - found.low == pytest.approx(3.18 * sqrt(2 / 5), rel=0.002)
    assert found.high - found.effect == pytest.approx(found.effect - found.low)


def test_days_that_all_move_alike_leave_no_doubt():
    assert difference([10] * 6, [12] * 6, [50] * 6, [50] * 6) == difference([0] * 6, [2] * 6, [1] * 6, [1] * 6)


@pytest.mark.parametrize(("degrees", "table"), [(3, 3.182), (5, 2.571), (8, 2.306), (26, 2.056), (120, 1.980)])
def test_the_quantiles_are_those_of_the_tables(degrees: int, table: float):
    assert student(degrees) == pytest.approx(table, rel=0.002)


def sales(chance: random.Random, mean: float) -> int:
    """A number of sales: as many as come at random moments."""
    count, left = 0, mean
    while (left := left - chance.expovariate(1.0)) > 0:
        count += 1
    return count


def share_held(pairs: int, effect: float, growth: float) -> float:
    """In how many of the simulations the interval holds the effect: a dish of 12 a day beside trucks of 60, on days
    with their weekdays and weather."""
    held = 0
    for run in range(RUNS):
        chance = random.Random(f"{run} {pairs} {effect} {growth}")
        series: list[list[int]] = [[], [], [], []]
        truth = 0.0
        for day in range(pairs):
            for after in (0, 1):
                level = WEEKDAYS[day % 7] * chance.uniform(0.7, 1.3) * (growth if after else 1)
                truth += 12 * level * effect * after
                series[after].append(sales(chance, 12 * level * (1 + effect * after)))
                series[2 + after].append(sales(chance, 60 * level))
        found = difference(*series)
        held += found.low <= truth / pairs <= found.high
    return held / RUNS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pairs", "effect", "growth"), [(10, 0.0, 1.0), (10, -0.3, 1.4), (28, -0.3, 1.0), (28, 0.0, 1.3)]
)
def test_the_interval_holds_a_known_effect_in_95_of_100_simulations(pairs: int, effect: float, growth: float):
    assert share_held(pairs, effect, growth) >= 0.95
