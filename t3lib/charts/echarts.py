"""ECharts options of the dashboard. Colours are CSS variables of the page, so that charts follow its theme (SVG
renderer). Charts of notebooks are in `t3lib.charts.notebook`."""

import itertools
from collections.abc import Sequence
from datetime import date
from html import escape
from typing import Any

import pandas as pd

from t3lib.money import pounds
from t3lib.settings import settings

__all__ = ["axis", "hour_name", "hours_between", "menu_matrix", "sales_by_day", "sales_by_hour"]

# Of each class its name, symbol and colour: shapes differ too, for those who see no colours.
_CLASSES = {
    "star": ("Stars", "circle", "var(--t3-bar)"),
    "plowhorse": ("Plowhorses", "rect", "var(--t3-usual)"),
    "puzzle": ("Puzzles", "triangle", "var(--t3-muted)"),
    "dog": ("Dogs", "diamond", "var(--t3-down)"),
}
_MOST_NAMED = 14  # dishes with their names beside them; of more only the pointer shows them
_PLOT, _NARROW = (800, 330), 560  # pixels: a usual chart, and the width below which there is no room for names
_READABLE = {"color": "var(--t3-ink)", "textBorderColor": "var(--t3-card)", "textBorderWidth": 3}
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


def menu_matrix(found: pd.DataFrame, popular_pct: float) -> dict[str, Any]:
    """Dots of dishes with a class: what each sells in percent of an equal share of its truck's menu, and by how many
    pounds one leaves more than the truck's average sale; lines where popular and profitable begin.

    >>> option = echarts.menu_matrix(metrics.frame("menu_matrix", week), 70)
    >>> [(one["name"], [dot["value"] for dot in one["data"]]) for one in option["series"]]
    [('Stars', [[100.0, 0.0], [100.0, 0.0]]), ('Plowhorses', []), ('Puzzles', []), ('Dogs', [])]
    """
    dots = _by_class(found, popular_pct)
    every = [dot["value"] for one in dots.values() for dot in one]
    right, step = axis(max([popular_pct * 2, *(x for x, _ in every)]))
    top = axis(max([1, *(abs(y) for _, y in every)]))
    if len(every) <= _MOST_NAMED:
        _name([dot for one in dots.values() for dot in one], right, top[0])
    series = [_dots(dots[name], *look) for name, look in _CLASSES.items()]
    series[0]["markLine"] = _limits(popular_pct)
    option = {
        "grid": {"left": 60, "right": 28, "top": 40, "bottom": 50},
        "legend": {"top": 0, "left": 0, "itemWidth": 12, "itemHeight": 12, "itemGap": 16, "textStyle": _TEXT},
        "xAxis": _scale("Sold, % of an equal share", "{value}%", 0, right, step),
        "yAxis": _scale("Margin above average, £", "{value}", -top[0], *top) | {"nameGap": 44},
        "series": series,
    }
    return _around("Menu matrix: dishes by popularity and margin") | option | _narrow(series)


def _by_class(found: pd.DataFrame, popular_pct: float) -> dict[str, list[dict[str, Any]]]:
    """The dots of each class, with what the pointer shows."""
    judged = found[found["menu_class"].isin(list(_CLASSES))]
    dots: dict[str, list[dict[str, Any]]] = {name: [] for name in _CLASSES}
    for row in judged.itertuples():
        share = round(popular_pct * row.mix_pct / row.popular_from_pct, 1)
        each, average = int(row.unit_margin_pence), int(row.average_margin_pence)
        above = each - average
        hint = (
            f"<b>{escape(row.dish)}</b><br>{escape(row.truck)}<br>"
            f"{row.sold_a_day:,.1f} a day, {share:,.0f}% of an equal share<br>"
            f"{pounds(each)} margin, average {pounds(average)}"
        )
        dots[row.menu_class].append({"name": row.dish, "value": [share, above / 100], "tooltip": {"formatter": hint}})
    return dots


def _narrow(series: list[dict[str, Any]]) -> dict[str, Any]:
    """The same without names where the chart is narrow; nothing if no dot has one."""
    if not any("label" in dot for one in series for dot in one["data"]):
        return {}
    return {"media": [{"query": {"maxWidth": _NARROW}, "option": {"series": [{"data": _bare(one)} for one in series]}}]}


def _bare(series: dict[str, Any]) -> list[dict[str, Any]]:
    """The dots of a series without their names."""
    return [{name: value for name, value in dot.items() if name != "label"} for dot in series["data"]]


def _dots(dots: list[dict[str, Any]], name: str, symbol: str, colour: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": name,
        "symbol": symbol,
        "symbolSize": 13,
        "itemStyle": {"color": colour, "borderColor": "var(--t3-card)", "borderWidth": 1},
        "label": {"formatter": "{b}", **_TEXT, **_READABLE},
        "emphasis": {"disabled": True},
        "data": dots,
    }


def _name(dots: list[dict[str, Any]], width: float, height: float) -> None:
    """Give each dot its name on the first side where it touches no other dot and name, as if the chart were
    `_PLOT` pixels; a dot without such a side has none. Axes from 0 to `width` and from -`height` to `height`."""
    centres = [(x * _PLOT[0] / width, (height - y) * _PLOT[1] / (2 * height)) for x, y in (d["value"] for d in dots)]
    taken = [(x - 8, y - 8, x + 8, y + 8) for x, y in centres]
    for dot, (x, y) in zip(dots, centres, strict=True):
        long = 7 * len(dot["name"])
        sides = {
            "right": (x + 8, y - 7, x + 12 + long, y + 7),
            "left": (x - 12 - long, y - 7, x - 8, y + 7),
            "top": (x - long / 2, y - 24, x + long / 2, y - 9),
            "bottom": (x - long / 2, y + 9, x + long / 2, y + 24),
        }
        free = (side for side, box in sides.items() if box[0] >= 0 and box[2] <= _PLOT[0] and not _touches(box, taken))
        if side := next(free, None):
            dot["label"] = {"show": True, "position": side}
            taken.append(sides[side])


def _touches(box: tuple[float, ...], others: list[tuple[float, float, float, float]]) -> bool:
    return any(box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3] for other in others)


def _limits(popular_pct: float) -> dict[str, Any]:
    """The lines from which on a dish is popular and profitable."""
    return {
        "silent": True,
        "symbol": "none",
        "label": {"show": False},
        "lineStyle": {"color": "var(--t3-muted)", "type": "dashed", "width": 1.5},
        "data": [{"xAxis": popular_pct}, {"yAxis": 0}],
    }


def _scale(name: str, form: str, least: float, most: float, step: float) -> dict[str, Any]:
    return {
        "type": "value",
        "name": name,
        "nameLocation": "middle",
        "nameGap": 30,
        "nameTextStyle": _TEXT,
        "min": least,
        "max": most,
        "interval": step,
        "axisLine": {"show": False},
        "axisLabel": {**_TEXT, "formatter": form, "hideOverlap": True},
        "splitLine": {"lineStyle": {"color": "var(--t3-line)"}},
    }


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
    return _around(about) | {
        "grid": {"left": 60, "right": 4, "top": 14, "bottom": 38},
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


def _around(about: str) -> dict[str, Any]:
    """What every option has."""
    return {
        "animation": False,
        "backgroundColor": "transparent",
        "aria": {"enabled": True, "label": {"description": f"{about}; the table below has every figure."}},
        "textStyle": {"fontFamily": "inherit"},
        "tooltip": {
            "trigger": "item",
            "confine": True,
            "transitionDuration": 0,
            "backgroundColor": "var(--t3-ink)",
            "borderWidth": 0,
            "padding": [8, 12],
            "textStyle": {"color": "var(--t3-card)", "fontSize": 13},
        },
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
