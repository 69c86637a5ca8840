"""Figures against earlier ones, as columns of a table."""

from collections.abc import Callable
from typing import Any, Literal

import pandas as pd

from t3lib.metrics import change_pct
from t3lib.report import words
from t3lib.report.block import Cell, Tone
from t3lib.report.parts.units import unit, written

Coloured = Literal["any", "rounded", "never"]


def change(
    now: pd.Series, then: pd.Series, *, none: str | Cell = "new", coloured: Coloured = "any"
) -> list[Cell] | None:
    """Each row's change in percent; `none` where there was nothing then; None (no column) without anything to compare
    with. `coloured`: green and red for any change, only where it is 1% or more when rounded, or never."""

    def cell(before: int, after: int) -> Cell:
        if not before and isinstance(none, Cell):
            return none
        pct = change_pct(after, before)
        tone = {"any": tone_of(after - before), "rounded": rounded_tone(pct), "never": ""}[coloured]
        return Cell(words.change(pct) if before else str(none), "", tone)

    return _column(now, then, cell)


def difference(now: pd.Series, then: pd.Series) -> list[Cell] | None:
    """Each row's difference in its own unit, with the change in percent beside it; None without anything to compare
    with."""
    measure = str(now.name)

    def cell(before: int, after: int) -> Cell:
        pct = words.change(change_pct(after, before)) if before else ""
        return Cell(words.signed(after - before, measure), pct, tone_of(after - before))

    return _column(now, then, cell)


def changes(pct: pd.Series) -> list[Cell]:
    """Changes in percent that a metric gives, green and red where they are 1% or more when rounded."""
    return [Cell(words.change(one), "", rounded_tone(one)) for one in pct]


def effect(found: pd.DataFrame, measure: str, *, why: bool = True) -> list[Cell]:
    """The effects of `metrics.price_effects` on `sold`, `sales_pence` or `margin_pence`, beside each half of its
    interval; green and red where that leaves out zero. `why`: beside a dash the reason why there is no effect."""

    def cell(state: str, effect: Any, high: Any) -> Cell:
        if _missing(effect):
            return Cell("–", state if why and state != "known" else "", "muted")
        name, half = f"effect_{measure}", high - effect
        tone: Tone = tone_of(effect) if abs(effect) > half else ""
        return Cell(f"{'+' if effect > 0 else ''}{written(effect, name)}", f"± {written(half, name)}", tone)

    columns = ("effect_state", f"effect_{measure}", f"high_{measure}")
    return [cell(*row) for row in zip(*(found[name] for name in columns), strict=True)]


def changed_prices(found: pd.DataFrame) -> list[str]:
    """Each change of `metrics.price_effects` in words: Burrito (£6.00 → £7.20, 3 Nov)."""
    return [
        f"{words.line(row.dish)} ({words.pounds(row.old_price_pence)} → {words.pounds(row.new_price_pence)}, "
        f"{row.changed_on.day} {row.changed_on:%b})"
        for row in found.itertuples()
    ]


def changed_most(now: pd.Series, then: pd.Series) -> pd.Index:
    """The rows, the worst change first; without anything to compare with the largest first."""
    size = -now if then.isna().all() else now - then
    return size.sort_values(kind="stable").index


def tone_of(difference: float) -> Tone:
    """Green for more, red for less."""
    return "up" if difference > 0 else "down" if difference < 0 else ""


def rounded_tone(pct: float | None) -> Tone:
    """The same for a change in percent that is not 0% when rounded."""
    return tone_of(words.half_away(pct)) if pct is not None and pct == pct else ""


def _column(now: pd.Series, then: pd.Series, cell: Callable[[int, int], Cell]) -> list[Cell] | None:
    if unit(str(now.name)) not in ("pence", "sales"):
        raise ValueError(f"{now.name!r} cannot be compared: take a column of pence or of sales.")
    if then.isna().all():
        return None
    return [Cell("–") if _missing(before) else cell(int(before), int(after))
            for after, before in zip(now, then, strict=True)]  # fmt: skip


def _missing(value: Any) -> bool:
    return value is pd.NA or value != value
