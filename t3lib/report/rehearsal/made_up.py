"""Days to rehearse with: figures that were recorded once from a small fleet, of every metric (`figures.json`).

Written by `T3_WRITE_SNAPSHOTS=1 pytest tests/integration/metrics/test_examples.py`, which also proves that each still
has the columns that the metric has."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from t3lib import metrics, period
from t3lib.editions import Edition, Tile
from t3lib.metrics import Attention
from t3lib.period import Kind
from t3lib.report.day import Day

RECORDED = Path(__file__).with_name("figures.json")
LAST = date(2026, 11, 8)
_MEASURES = ("transactions", "gross_sales_pence")
_TILES = get_args(Tile)


class NotMadeUpError(LookupError):
    """No figure of this name was recorded."""


@dataclass
class MadeUp:
    """Figures by the name of their metric: those given here, or else recorded ones. A figure that depends on more has
    that behind its name: `seasonality month`, `like_for_like 12`."""

    given: Mapping[str, Any] = field(default_factory=dict)
    items: tuple[Attention, ...] = ()
    has_usual: bool = True
    has_sales: bool = True

    def compared(self, figure: Callable[..., pd.DataFrame]) -> pd.DataFrame:
        """As `t3lib.report.snapshot.Figures`."""
        if f"compared {figure.__name__}" in self.given:
            return self.given[f"compared {figure.__name__}"].copy()
        rows = self.figure(figure)
        for name in _MEASURES:
            then = rows[name].astype("Int64") if self.has_usual else pd.NA
            rows = rows.assign(**{f"{name}_before": then, f"{name}_usual": then})
        return rows

    def figure(self, figure: Callable[..., Any], *about: Any, months: int = 0, weeks: int = 0) -> Any:
        """As `t3lib.report.snapshot.Figures`."""
        own = figure.__name__
        for name in (f"{own} {' '.join(map(str, about))}", f"{own} {months}", own):
            if name in self.given:
                found = self.given[name]
                return found.copy() if isinstance(found, pd.DataFrame) else found
        if own not in recorded():
            raise NotMadeUpError(own)
        found = _made(recorded()[own])
        return found if self.has_sales or not isinstance(found, pd.DataFrame) else found.head(0)

    def against_year_before(self, figure: Callable[..., Any], *, months: int = 0) -> Any:
        """As `t3lib.report.snapshot.Figures`."""
        return self.figure(figure, months=months) if self.has_usual else None

    def attention(self) -> list[Attention]:
        """As `t3lib.report.snapshot.Figures`."""
        return list(self.items)

    def close(self) -> None:
        """As `t3lib.report.snapshot.Figures`."""


def days(sections: tuple[str, ...]) -> Iterator[Day]:
    """A day, a week and a month of an edition with all of these sections; a first day, and one without sales."""
    yield made_up("day", "transactions", sections, _TILES[:4])
    yield made_up("week", "gross_sales_pence", sections, _TILES[2:])
    yield made_up("month", "gross_sales_pence", sections, _TILES[:4])
    yield made_up("day", "gross_sales_pence", sections, _TILES[2:], has_usual=False)
    yield made_up("day", "gross_sales_pence", sections, _TILES[2:], has_sales=False)


def made_up(
    kind: Kind, measure: Any, sections: tuple[str, ...], tiles: tuple[Any, ...], *, has_usual: bool = True,
    has_sales: bool = True,
) -> Day:  # fmt: skip
    """The report of a small fleet, with or without something to compare with, or without a sale on the day."""
    one = Edition(title="Rehearsal", recipients=(), period=kind, measure=measure, sections=sections, tiles=tiles,
                  flat_pct=2, rows=12, name="rehearsal")  # fmt: skip
    known: metrics.Totals = _made(recorded()["totals"])
    usual = metrics.Typical(**asdict(known), weeks=4) if has_usual else None
    items = tuple(Attention(kind, 1, "Burrito Madness", "Burrito Madness is 40% above its usual £5.00")
                  for kind in ("silent", "sales_high")) if has_sales else ()  # fmt: skip
    return Day(
        period=period.of(kind, LAST),
        edition=one,
        sales=known if has_sales else metrics.Totals(0, 0, None, None),
        before=known if has_usual else None,
        usual=usual,
        usual_of=period.of("month", LAST.replace(year=LAST.year - 1)) if kind == "month" and has_usual else None,
        quality=metrics.DataQuality(4, 5, 4, 1, {"void": 1}),
        reasons={"void": "The sale was voided on the till."},
        freshness=metrics.Freshness(1, datetime(2026, 11, 9, 4, 40, tzinfo=UTC), None),
        restated=pd.DataFrame(
            columns=["business_date", "rows_change", "pence_change", "contribution_change", "causes"]
        ),
        inputs={"menu": True, "pitches": True, "costs": True},
        sent=None,
        figures=MadeUp({}, items, has_usual, has_sales),
    )


@cache
def recorded() -> dict[str, Any]:
    """What `figures.json` holds, by the name of a metric."""
    found: dict[str, Any] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return found


def kept(found: Any) -> Any:
    """A figure as `figures.json` holds it."""
    if isinstance(found, pd.DataFrame):
        columns = {str(name): _column(found[name]) for name in found.columns}
        return {"columns": columns}
    if is_dataclass(found) and not isinstance(found, type):
        return {"class": type(found).__name__, "values": asdict(found)}
    return {"value": found}


def _column(column: pd.Series) -> dict[str, Any]:
    values = [None if value is pd.NA or value is None or value != value else value for value in column.tolist()]
    if any(isinstance(value, date) for value in values):
        return {"type": "date", "values": [value and value.isoformat() for value in values]}
    return {"type": str(column.dtype), "values": values}


def _made(known: dict[str, Any]) -> Any:
    if "columns" in known:
        return pd.DataFrame({name: _series(one) for name, one in known["columns"].items()})
    return getattr(metrics, known["class"])(**known["values"]) if "class" in known else known["value"]


def _series(known: dict[str, Any]) -> pd.Series:
    if known["type"] == "date":
        return pd.Series([day and date.fromisoformat(day) for day in known["values"]], dtype=object)
    return pd.Series(known["values"], dtype=known["type"])
