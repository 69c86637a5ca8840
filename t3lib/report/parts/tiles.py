"""The tiles of a report: a figure in large, and what it is compared with."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from t3lib.metrics import Totals, change_pct
from t3lib.report import words
from t3lib.report.block import Block, Tone
from t3lib.report.compared_with import comparison_names
from t3lib.report.day import Day
from t3lib.report.parts.comparisons import rounded_tone
from t3lib.report.parts.units import unit, written


@dataclass(frozen=True)
class Line:
    """One comparison below a tile's figure."""

    change: str
    against: str
    tone: Tone = ""


@dataclass(frozen=True)
class Tile:
    """A figure with its name and what it is compared with."""

    label: str
    figure: str
    lines: tuple[Line, ...] = ()

    @property
    def text(self) -> str:
        """One line of the plain part."""
        against = "; ".join(f"{line.change} {line.against}".strip() for line in self.lines)
        return f"{self.label + ':':<17}{self.figure}" + (f"  ({against})" if against else "")


def tiles(day: Day, known: Mapping[str, Tile]) -> Block:
    """The tiles that the edition names, in its order. Raises ValueError for one that is not among those known."""
    if unknown := [name for name in day.edition.tiles if name not in known]:
        raise ValueError(
            f"editions.toml: {day.edition.name}.tiles names {', '.join(unknown)}; there are {', '.join(known)}."
        )
    shown = [known[name] for name in day.edition.tiles]
    return Block("tiles", "\n".join(tile.text for tile in shown), {"tiles": shown})


def total_tile(day: Day, label: str, figure: str) -> Tile:
    """A figure of `metrics.totals` against the period before and the usual; a share by its change in points."""
    now, others = getattr(day.sales, figure), _others(day)
    pairs = [(name, getattr(other, figure)) for name, other in others]
    if unit(figure) == "percent":
        lines = [Line(words.points(now, then), name) for name, then in pairs if None not in (now, then)]
    else:
        found = [(name, pct) for name, then in pairs if (pct := change_pct(now, then)) is not None]
        lines = [Line(words.change(pct), name, rounded_tone(pct)) for name, pct in found]
    return Tile(label, written(now, figure), tuple(lines))


def most_tile(label: str, rows: pd.DataFrame, figure: str, beside: str, what: str) -> Tile:
    """A figure of the row with the most sales, and beside it another one: 1–2pm, 56 sales in it."""
    sold = rows[rows["transactions"] > 0]
    if sold.empty:
        return Tile(label, "–")
    top = sold.loc[sold["transactions"].idxmax()]
    return Tile(label, written(top[figure], figure), (Line(written(top[beside], beside), what),))


def _others(day: Day) -> list[tuple[str, Totals]]:
    names = comparison_names(day)
    found = [] if names.only_before and day.period.kind == "month" else [(f"vs {names.before_short}", day.before)]
    found.append((f"vs {names.usual_short}", day.usual))
    return [(name, other) for name, other in found if other is not None]
