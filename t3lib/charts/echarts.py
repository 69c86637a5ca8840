"""ECharts options of the dashboard. Colours are CSS variables of the page, so that charts follow its theme (SVG
renderer). Charts of notebooks are in `t3lib.charts.notebook`."""

import itertools
from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd

from t3lib.money import pounds
from t3lib.settings import settings

__all__ = ["axis", "hour_name", "hours_between", "sales_by_day", "sales_by_hour"]

_TEXT = {"color": "var(--t3-muted)", "fontFamily": "inherit", "fontSize": 12}


def sales_by_hour(hours: pd.DataFrame, usual: pd.DataFrame, label: str, clickable: bool = False) -> dict[str, Any]:
    """Bars of gross sales by local hour over a stepped line of the usual sales; `label` names the line.

    >>> hours, usual = metrics.frame("by_hour", week), metrics.frame("typical_by_hour", week)
    >>> option = echarts.sales_by_hour(hours, usual, "Usually")
    >>> option["xAxis"][0]["data"], [bar["value"] for bar in option["series"][0]["data"]]
    (['13', '14'], [21.0, 4.99])
    """
    now = dict(zip(hours["local_hour"], hours["gross_sales_pence"], strict=True))
    counts = dict(zip(hours["local_hour"], hours["transactions"], strict=True))
    before = dict(zip(usual["local_hour"], usual["gross_sales_pence"], strict=True))
    shown = hours_between([*now, *before])
    hints = [
        f"<b>{hour_name(hour)}</b><br>{pounds(now.get(hour, 0))} · {counts.get(hour, 0):,} sales"
        + (f"<br>{label}: {pounds(before.get(hour, 0))}" if before else "")
        for hour in shown
    ]
    line = {
        "type": "line",
        "step": "middle",
        "symbol": "none",
        "silent": True,
        "lineStyle": {"color": "var(--t3-usual)", "width": 2},
        "data": [before.get(hour, 0) / 100 for hour in shown] if before else [],
    }
    bars = _bars([now.get(hour, 0) for hour in shown])
    names = [f"{hour:02d}" for hour in shown]
    return _option(names, [bars, line], hints, "Gross sales by hour", clickable)


def sales_by_day(days: pd.DataFrame, first: date, last: date) -> dict[str, Any]:
    """Bars of gross sales by business day; the days first..last are highlighted, the others are context.

    >>> option = echarts.sales_by_day(metrics.frame("by_day", week), week.first, week.last)
    >>> [bar["value"] for bar in option["series"][0]["data"]]
    [0.0, 0.0, 7.0, 18.99]
    """
    columns = days[["business_date", "gross_sales_pence", "transactions"]]
    rows = [(pd.Timestamp(day).date(), pence, count) for day, pence, count in columns.itertuples(index=False)]
    colours = ["var(--t3-bar)" if first <= row[0] <= last else "var(--t3-bar-quiet)" for row in rows]
    hints = [f"<b>{row[0]:%A} {row[0].day} {row[0]:%B %Y}</b><br>{pounds(row[1])} · {row[2]:,} sales" for row in rows]
    names = [_day_name(row[0], n == 0) for n, row in enumerate(rows)]
    return _option(
        names, [_bars([row[1] for row in rows], colours)], hints, "Gross sales by business day", clickable=True
    )


def hours_between(hours: Sequence[int]) -> list[int]:
    """Every local hour from the first to the last of the given ones, in the order of the business day.

    >>> echarts.hours_between([23, 1])
    [23, 0, 1]
    """
    start = settings().business_day_start.hour
    order = [(int(hour) - start) % 24 for hour in hours]
    return [(n + start) % 24 for n in range(min(order), max(order) + 1)] if order else []


def hour_name(hour: int) -> str:
    """A local hour from its beginning to its end.

    >>> echarts.hour_name(13)
    '13:00–14:00'
    """
    return f"{hour:02d}:00–{(hour + 1) % 24:02d}:00"


def _day_name(day: date, first: bool) -> str:
    """A day with its month only at the beginning of the month, so that four weeks of names fit."""
    return f"{day:%a}\n{day.day} {day:%b}" if first or day.day == 1 else f"{day:%a}\n{day.day}"


def _bars(pence: Sequence[int], colours: Sequence[str] | None = None) -> dict[str, Any]:
    colours = colours or ["var(--t3-bar)"] * len(pence)
    return {
        "type": "bar",
        "silent": True,
        "barMaxWidth": 44,
        "barCategoryGap": "28%",
        "itemStyle": {"borderRadius": [3, 3, 0, 0]},
        "data": [
            {"value": amount / 100, "itemStyle": {"color": colour}}
            for amount, colour in zip(pence, colours, strict=True)
        ],
    }


def _option(
    names: list[str], series: list[dict[str, Any]], hints: list[str], about: str, clickable: bool = False
) -> dict[str, Any]:
    """The option around the series. An invisible column of full height catches the pointer, so that small bars can be
    hit too."""
    highest = max((_value(point) for one in series for point in one["data"]), default=0) or 1
    end, step = axis(highest)
    touch = {
        "type": "bar",
        "barGap": "-100%",
        "barCategoryGap": "0%",
        "xAxisIndex": 1,
        "yAxisIndex": 1,
        "itemStyle": {"color": "transparent"},
        "cursor": "pointer" if clickable else "default",
        "data": [{"value": 1, "tooltip": {"formatter": hint}} for hint in hints],
    }
    hidden = {"show": False, "data": names}
    return {
        "animation": False,
        "backgroundColor": "transparent",
        "aria": {"enabled": True, "label": {"description": f"{about}; the table below has every figure."}},
        "textStyle": {"fontFamily": "inherit"},
        "grid": {"left": 60, "right": 4, "top": 14, "bottom": 38},
        "tooltip": {
            "trigger": "item",
            "confine": True,
            "transitionDuration": 0,
            "backgroundColor": "var(--t3-ink)",
            "borderWidth": 0,
            "padding": [8, 12],
            "textStyle": {"color": "var(--t3-card)", "fontSize": 13},
        },
        "xAxis": [
            {
                "type": "category",
                "data": names,
                "axisTick": {"show": False},
                "axisLine": {"lineStyle": {"color": "var(--t3-line)"}},
                "axisLabel": {**_TEXT, "hideOverlap": True, "lineHeight": 15},
            },
            {"type": "category", **hidden},
        ],
        "yAxis": [
            {
                "type": "value",
                "max": end,
                "interval": step,
                "axisLabel": {**_TEXT, "formatter": "£{value}"},
                "splitLine": {"lineStyle": {"color": "var(--t3-line)"}},
            },
            {"type": "value", "show": False, "max": 1},
        ],
        "series": [{**one, "emphasis": {"disabled": True}} for one in [*series, touch]],
    }


def axis(value: float) -> tuple[int, int]:
    """(end, step) of an axis of at most five steps that holds a value; a step is 1, 2 or 5 times a power of ten.

    >>> echarts.axis(2100)
    (2500, 500)
    """
    steps = (digit * 10**power for power in itertools.count() for digit in (1, 2, 5))
    step = next(step for step in steps if step * 5 >= value)
    return max(-int(-value // step), 1) * step, step


def _value(point: Any) -> float:
    return point["value"] if isinstance(point, dict) else point
