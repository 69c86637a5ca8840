"""Charts and tables for a notebook: each is one call on a tidy table of `t3lib.metrics`, drawn as a picture.

>>> from datetime import date
>>> from t3lib import charts, metrics
>>> from t3lib.charts import echarts, notebook
>>> week = metrics.Scope(date(2026, 11, 2), date(2026, 11, 8))
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pandas as pd

from t3lib.charts.palette import LIGHT, SERIES
from t3lib.money import pounds

_SIZE = (8.6, 3.2)
_MOST_NAMES = 16
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Picture:
    """A drawn chart; `text` describes it for screen readers and terminals."""

    png: bytes
    text: str

    def _repr_png_(self) -> bytes:
        return self.png

    def __repr__(self) -> str:
        return self.text


def bars(table: pd.DataFrame, x: str, y: str, title: str = "") -> Picture:
    """One bar per row: `y` (pence are drawn as pounds) by `x`.

    >>> charts.bars(metrics.frame("by_truck", week), "truck", "gross_sales_pence", "Sales by truck")
    Sales by truck. Bars of gross sales by truck: Burrito Madness £21.00, SuperSmoothie £4.99.
    """
    axes = _axes(y, title)
    names = [written(value, x) for value in table[x]]
    axes.bar(range(len(names)), _sizes(table[y], y), width=0.7, color=SERIES[0])
    _name_ticks(axes, names)
    shown = [f"{name} {written(value, y)}" for name, value in zip(names, table[y], strict=True)]
    return _picture(axes, f"{_lead(title)}Bars of {column_title(y)} by {column_title(x)}: {_listed(shown)}.")


def lines(table: pd.DataFrame, x: str, y: str, by: str, title: str = "") -> Picture:
    """One line per value of `by`: `y` (pence are drawn as pounds) along `x`.

    >>> days = metrics.frame("by_day_and_truck", week)
    >>> charts.lines(days, "business_date", "gross_sales_pence", "truck")
    Lines of gross sales along business date, one per truck: Burrito Madness, SuperSmoothie.
    """
    axes = _axes(y, title)
    parts = list(table.groupby(by, observed=True))
    for number, (name, part) in enumerate(parts):
        axes.plot(part[x], _sizes(part[y], y), label=_name(name), color=SERIES[number % 6], linewidth=1.8,
                  linestyle="-" if number < 6 else "--")  # fmt: skip
    if parts:
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), labelcolor=LIGHT.muted, fontsize=9)
    if table[x].dtype.kind == "M":
        days = sorted(table[x].unique())
        axes.set_xticks(days[:: -(-len(days) // 10) or 1])
        axes.xaxis.set_major_formatter(lambda day, _: f"{_EPOCH + timedelta(days=day):%-d %b}")
    named = _listed([_name(name) for name, _ in parts])
    return _picture(
        axes, f"{_lead(title)}Lines of {column_title(y)} along {column_title(x)}, one per {column_title(by)}: {named}."
    )


def table(rows: pd.DataFrame) -> Any:
    """A table formatted for people: pounds with their sign, percent with one decimal, text to the left, no row numbers.

    >>> shown = charts.table(metrics.frame("by_truck", week)).to_html()
    >>> "£21.00" in shown, "Burrito Madness" in shown
    (True, True)
    """
    writers = {name: _yes_or_no if rows[name].dtype == bool else _writer(str(name)) for name in rows.columns}
    made = rows.style.format({name: write for name, write in writers.items() if write}, na_rep="–").hide(axis="index")
    words = [place for place, kind in enumerate(rows.dtypes) if kind.name in ("category", "object", "str", "string")]
    left = [{"selector": f".col{place}", "props": "text-align: left"} for place in words]
    made = made.set_table_styles(left, overwrite=False)
    return made.relabel_index([column_title(str(name)) for name in rows.columns], axis="columns")


def written(value: Any, column: str) -> str:
    """A value of a column as text for people.

    >>> notebook.written(2100, "gross_sales_pence"), notebook.written(80.8, "share_pct"), notebook.written(None, "hhi")
    ('£21.00', '80.8%', '–')
    """
    if value is None or value is pd.NA or value != value:
        return "–"
    write = None if isinstance(value, pd.Timestamp) else _writer(column)
    return write(value) if write else _name(value)


def column_title(name: str) -> str:
    """A column's name as a heading; the values show the unit.

    >>> notebook.column_title("gross_sales_pence_before")
    'gross sales before'
    """
    return name.replace("_pence", "").removesuffix("_pct").replace("_", " ")


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


def _writer(name: str) -> Callable[[Any], str] | None:
    if name.endswith(("_pence", "_pence_before", "_pence_usual")):
        return lambda pence: pounds(int(pence))
    if name.endswith("_pct"):
        return lambda pct: f"{pct:.1f}%"
    if name.endswith(("_date", "_first")):
        return lambda day: f"{day:%a %-d %b %Y}"
    return (lambda count: f"{count:,}") if name == "transactions" else None


def _axes(y: str, title: str) -> Any:
    """Axes made without pyplot, so that a notebook's own figures are not affected."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, dpi=110, facecolor=LIGHT.paper, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", color=LIGHT.muted, fontsize=11, pad=10)
    mark, unit = ("£" if y.endswith("_pence") else ""), ("%" if y.endswith("_pct") else "")
    axes.yaxis.set_major_formatter(lambda size, _: f"{'-' if size < 0 else ''}{mark}{abs(size):,.10g}{unit}")
    axes.tick_params(colors=LIGHT.muted, length=0, labelsize=9)
    axes.grid(axis="y", color=LIGHT.line, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    return axes


def _name_ticks(axes: Any, names: list[str]) -> None:
    step = -(-len(names) // _MOST_NAMES) or 1
    long = any(len(name) > 9 for name in names) and len(names) > 5
    axes.set_xticks(
        range(0, len(names), step), names[::step], rotation=30 if long else 0, ha="right" if long else "center"
    )


def _sizes(values: pd.Series, y: str) -> list[float]:
    return [float(value) / (100 if y.endswith("_pence") else 1) for value in values]


def _picture(axes: Any, text: str) -> Picture:
    png = BytesIO()
    axes.figure.savefig(png, format="png")
    return Picture(png.getvalue(), text)


def _name(value: Any) -> str:
    return f"{value:%-d %b}" if isinstance(value, pd.Timestamp) else str(value)


def _lead(title: str) -> str:
    return f"{title}. " if title else ""


def _listed(words: list[str]) -> str:
    more = len(words) - _MOST_NAMES
    return (", ".join(words[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")) or "nothing"
