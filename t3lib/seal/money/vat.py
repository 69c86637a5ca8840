"""VAT by truck, day and rate from sealed sales by price and costs, in fractions: the rules of
`t3lib.metrics.money.vat_by_day` again. A pack is sealed only where both give the same pence."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

import pandas as pd


@dataclass
class Line:
    """The sales of a truck, business day and rate, and the VAT in them; without a rate there is none."""

    truck: int
    day: date
    rate: Fraction | None
    gross: int = 0
    mixed: int = 0
    pence: int = 0


def vat_lines(prices: pd.DataFrame, costs: pd.DataFrame) -> list[Line]:
    """One line per truck, day and rate; the pence of a day and rate are rounded once over the fleet."""
    found: dict[tuple[int, date, Fraction | None], Line] = {}
    stated, defaults = costs[is_vat(costs)], dict[tuple[int, date], Fraction | None]()
    for row in prices.itertuples():
        key = int(row.truck_id), row.business_date
        if key not in defaults:
            defaults[key] = _default(stated, *key)
        default = defaults[key]
        rate = _rate(row, default)
        line = found.setdefault((*key, rate), Line(*key, rate))
        gross = int(row.transactions) * int(row.price_pence)
        line.gross += gross
        line.mixed += gross if _is_mixed(row, default) else 0
    groups: dict[tuple[date, Fraction], list[Line]] = defaultdict(list)
    for line in found.values():
        if line.rate is not None:
            groups[line.day, line.rate].append(line)
    for (_, rate), lines in groups.items():
        _round(lines, rate)
    return list(found.values())


def is_vat(costs: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows of costs.csv are rates of VAT and not costs of their own."""
    return (costs["per"] == "percent") & costs["cost"].str.lower().str.startswith("vat")


def without_rate_pence(lines: list[Line]) -> int:
    """The sales whose rate is not known although that of others is."""
    return sum(line.gross for line in lines if line.rate is None) if any(line.rate is not None for line in lines) else 0


def _default(stated: pd.DataFrame, truck: int, day: date) -> Fraction | None:
    """The rate of costs.csv: the highest of the truck's own, else of the fleet's."""
    own, fleet = [], []
    for row in stated.itertuples():
        if date.fromisoformat(row.from_date) <= day < date.fromisoformat(row.to_date):
            if pd.isna(row.truck_id):
                fleet.append(Fraction(row.amount))
            elif int(row.truck_id) == truck:
                own.append(Fraction(row.amount))
    return max(own or fleet, default=None)


def _rate(row: Any, default: Fraction | None) -> Fraction | None:
    """The highest rate of the dishes at a price; a dish that states none has the default."""
    if not row.vat_pct:
        return default
    if row.vat_unstated == "false":
        return Fraction(row.vat_pct)
    return None if default is None else max(Fraction(row.vat_pct), default)


def _is_mixed(row: Any, default: Fraction | None) -> bool:
    if not row.vat_pct:
        return False
    highest, lowest = Fraction(row.vat_pct), Fraction(row.vat_pct_lowest)
    return highest != lowest or (row.vat_unstated == "true" and default is not None and default != highest)


def _round(lines: list[Line], rate: Fraction) -> None:
    """Halves up to a penny over the fleet; the pence left over by largest remainder, of equal ones the larger part."""

    def exact(line: Line) -> Fraction:
        return line.gross * rate / (100 + rate)

    for line in lines:
        line.pence = exact(line).__floor__()
    whole = (sum(map(exact, lines), Fraction(1, 2))).__floor__()
    order = sorted(lines, key=lambda line: (line.pence - exact(line), -exact(line), line.truck))
    for line in order[: whole - sum(line.pence for line in lines)]:
        line.pence += 1


def by_rate(lines: list[Line]) -> Iterator[tuple[int, Fraction | None, dict[str, int | None]]]:
    """Truck, rate and measures, as `metrics.vat_by_rate` has them."""
    sums: dict[tuple[int, Fraction | None], list[Line]] = defaultdict(list)
    for line in lines:
        sums[line.truck, line.rate].append(line)
    for (truck, rate), own in sums.items():
        gross, pence = sum(line.gross for line in own), sum(line.pence for line in own)
        known = rate is not None
        yield truck, rate, {"gross_sales_pence": gross, "vat_pence": pence if known else None,
                            "net_sales_pence": gross - pence if known else None,
                            "mixed_pence": sum(line.mixed for line in own)}  # fmt: skip
