"""The page as static HTML, before any script runs: the same parts and figures, in the same places, as the widgets."""

from html import escape
from typing import Any

from t3lib.charts import echarts
from t3lib.dashboard import formatting
from t3lib.dashboard.html import parts
from t3lib.dashboard.html.cards import alert
from t3lib.dashboard.html.fragments import Fragments, render
from t3lib.dashboard.state import PAYMENTS, PRESETS, TABS
from t3lib.dashboard.view import View
from t3lib.dashboard.widgets.controls import MOST_CHIPS, chip_text
from t3lib.dashboard.widgets.picks import PICKS, text


def page(
    view: View | None,
    error_message: str = "",
    sheet: str = "",
    fragments: Fragments | None = None,
    chart: tuple[str, dict[str, Any]] | None = None,
) -> str:
    """The page as HTML; `sheet` replaces the cards of the first tab. Without a view it shows why there is none.

    `fragments`: the view's, if they are rendered already. `chart`: head and option of the tab's scatter chart."""
    notice = alert(error_message)
    if view is None or view.recorded is None:
        body = parts.no_answer() if view is None else parts.no_sales()
        return f'<div class="t3-page">{_controls(view)}{notice}{body}</div>'
    fragments = fragments or render(view)
    html = fragments.parts
    cards = "".join(
        f'<section class="t3-card {name}">{inside}</section>'
        for name, inside in (
            ("t3-hours", html["hours_title"] + _hours_chart(view) + html["hours_table"]),
            ("t3-look", html["attention"]),
            ("t3-pay", html["payments"]),
            ("t3-trucks", html["trucks"]),
            ("t3-map", html["heat"]),
            ("t3-days", html["days_title"] + _days_chart(view) + html["days_table"]),
        )
    )
    shown = sheet or f'<div class="t3-grid">{cards}</div>'
    if chart:
        shown = f'<section class="t3-card t3-tab-chart">{chart[0]}{_dots(chart[1])}</section>{shown}'
    figures = "".join(f'<section class="t3-card t3-tile">{tile}</section>' for tile in fragments.tiles)
    return (
        f'<div class="t3-page">{_controls(view)}{notice}<div class="t3-heading">{fragments.heading}</div>'
        f'<div class="t3-tiles">{figures}</div>{shown}</div>'
    )


def _controls(view: View | None) -> str:
    """The controls in their final look, inert until the widgets replace them; nothing is chosen without a view."""
    state = view.state if view else None

    def button(text: str, chosen: bool) -> str:
        return f'<span class="t3-button{" mod-active" if chosen else ""}">{escape(text)}</span>'

    presets = "".join(
        button(text, (state.preset if state else "today") == name) for name, text in PRESETS.items() if name != "custom"
    )
    dates = "".join(
        f'<span class="t3-date" data-shown="{formatting.picked(day)}"><input type="date" disabled value="{day}"></span>'
        for day in ((view.scope.first, view.scope.last) if view else ())
    )
    picks = "".join(
        f'<span class="t3-pick"><select disabled><option>{escape(text(view, name, known))}</option></select></span>'
        for name, _, choices in PICKS
        if (known := choices(view))
    )
    payments = "".join(button(text, state is not None and state.payment == name) for name, text in PAYMENTS.items())
    tabs = "".join(button(text, (state.tab if state else "today") == name) for name, text in TABS.items())
    names = view.names if view and len(view.names) <= MOST_CHIPS else {}
    chips = button("All trucks", not (state and state.trucks)) + "".join(
        button(chip_text(truck, name), state is not None and truck in state.trucks) for truck, name in names.items()
    )
    actions = "".join(f'<span class="t3-action">{name}</span>' for name in ("CSV", "Excel", "Copy link", "Print"))
    return (
        f'<div class="t3-controls" inert><div class="t3-tabs">{tabs}</div>'
        f'<div class="t3-segment t3-range">{presets}</div><div class="t3-dates">{dates}</div>'
        f'<div class="t3-segment t3-paid">{payments}</div>{picks}'
        f'<div class="t3-actions">{actions}</div><div class="t3-chips">{chips}</div></div>'
    )


def _hours_chart(view: View) -> str:
    now = dict(zip(view.hours["local_hour"], view.hours["gross_sales_pence"], strict=True))
    usual = dict(zip(view.usual_hours["local_hour"], view.usual_hours["gross_sales_pence"], strict=True))
    shown = parts.shown_hours(view)
    top = echarts.axis(max([*now.values(), *usual.values()], default=0) / 100 or 1)[0]
    return _bars([now.get(hour, 0) for hour in shown], top)


def _days_chart(view: View) -> str:
    pence = list(view.days["gross_sales_pence"])
    chosen = [view.scope.first <= day <= view.scope.last for day in view.days["business_date"]]
    return _bars(pence, echarts.axis(max(pence, default=0) / 100 or 1)[0], chosen)


def _bars(pence: list[int], top: float, chosen: list[bool] | None = None) -> str:
    """Bars with the margins and widths of the chart that replaces them."""
    step = 100 / max(len(pence), 1)
    rects = "".join(
        f'<rect class="{"" if chosen is None or chosen[n] else "quiet"}" x="{n * step + step * 0.14:.3f}%" '
        f'width="{step * 0.72:.3f}%" y="{100 - amount / top:.2f}%" height="{amount / top:.2f}%"/>'
        for n, amount in enumerate(pence)
    )
    return f'<div class="t3-chart"><svg class="t3-bars" aria-hidden="true">{rects}</svg></div>'


def _dots(option: dict[str, Any]) -> str:
    """The dots of a scatter chart with its margins."""
    (left, right), (bottom, top) = ([option[axis][end] for end in ("min", "max")] for axis in ("xAxis", "yAxis"))
    circles = "".join(
        f'<circle cx="{100 * (x - left) / (right - left):.2f}%" cy="{100 * (top - y) / (top - bottom):.2f}%" r="6.5" '
        f'fill="{one["itemStyle"]["color"]}"/>'
        for one in option["series"]
        for x, y in (dot["value"] for dot in one["data"])
    )
    return f'<div class="t3-chart"><svg class="t3-dots" aria-hidden="true">{circles}</svg></div>'
