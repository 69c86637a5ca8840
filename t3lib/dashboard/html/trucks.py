"""The cards of trucks: a table with one row per truck, and a heat map by hour."""

from dataclasses import replace
from html import escape
from typing import Any

import pandas as pd

from t3lib.charts import echarts
from t3lib.dashboard import formatting
from t3lib.dashboard.html.cards import choice, scrolling_table, title
from t3lib.dashboard.html.parts import shown_hours
from t3lib.dashboard.html.tiles import change, change_html, definition
from t3lib.dashboard.view import View
from t3lib.money import pounds
from t3lib.settings import settings

MOST_ROWS = 40
STATE_WORDS = {"trading": "Trading", "silent": "Silent", "off": "Off"}


def trucks(view: View) -> str:
    """One row per truck: state, sales with a bar, hours as a sparkline, change, last sale."""
    most = max(view.trucks["gross_sales_pence"], default=0) or 1
    states = {row.truck_id: row for row in view.states.itertuples()}
    listed = _listed(view)
    sparks = _sparks(view)
    rows = "".join(
        _truck(view, row, states.get(row.truck_id), most, sparks.get(row.truck_id, ""))
        for row in view.trucks.itertuples()
        if row.truck_id in listed
    )
    head = "".join(
        f'<th scope="col"{kind}>{name}</th>'
        for name, kind in (
            ("Truck", ""),
            ("State", ' class="t3-state-column"'),
            ("By hour", ' class="t3-wide"'),
            ("Gross sales", ' class="t3-number"'),
            ("Sales", ' class="t3-number t3-wide"'),
            ("Avg ticket", ' class="t3-number t3-wide"'),
            ("Change", ' class="t3-number"'),
            ("Last sale", ' class="t3-number t3-wide"'),
        )
    )
    against = formatting.compared_with(view.scope, view.until_hour, view.state.compare)
    change_on = "" if view.state.compare == "none" else f"change on {against}"
    aside = " · ".join(filter(None, (change_on, _left_out(view))))
    top = title(f"Sales by truck{definition('state')}", f"<span>{escape(aside)}</span>" if aside else "")
    return top + scrolling_table("Sales by truck", f"<tr>{head}</tr>", rows)


def heat(view: View) -> str:
    """A heat map of trucks by hours: gross sales as shade, as text, and in the tooltip."""
    frame = view.heat
    hours = shown_hours(view)
    pence = {(row.truck_id, row.local_hour): (row.gross_sales_pence, row.transactions) for row in frame.itertuples()}
    most = max((amount for amount, _ in pence.values()), default=0) or 1
    names = dict(zip(frame["truck_id"], frame["truck"], strict=True))
    listed = _listed(view)
    head = "".join(f'<th scope="col">{hour:02d}</th>' for hour in hours)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(_cell(view, truck, name, hour, *pence.get((truck, hour), (0, 0)), most) for hour in hours)
        + "</tr>"
        for truck, name in names.items()
        if truck in listed
    )
    if not hours:
        return f'{title("Hour by truck")}<p class="t3-none">No sales in this choice.</p>'
    top = title("Hour by truck", f"<span>darker is more; hours are {escape(settings().timezone)}</span>")
    return top + scrolling_table(
        "Gross sales by hour and truck", f'<tr><th scope="col">Truck</th>{head}</tr>', body, "t3-heat"
    )


def _listed(view: View) -> set[int]:
    """The trucks that the cards list: all, or those with the most sales if there are too many for a page."""
    return set(view.trucks.nlargest(MOST_ROWS, "gross_sales_pence", keep="first")["truck_id"])


def _left_out(view: View) -> str:
    return f"the {MOST_ROWS} with the most sales; the CSV has all" if len(view.trucks) > MOST_ROWS else ""


def _truck(view: View, row: Any, known: Any, most: int, spark: str) -> str:
    state = known.state if known is not None else "off"
    before = view.trucks_before.get(row.truck_id)
    tone, change_text = change(row.comparable_pence, before)
    last = known.last_sale_at if known is not None and not pd.isna(known.last_sale_at) else None
    ticket = None if pd.isna(row.average_ticket_pence) else int(row.average_ticket_pence)
    width = 100 * row.gross_sales_pence / most
    badge = f'<span class="t3-state {escape(state)}">{STATE_WORDS.get(state, "Off")}</span>'
    cells = (
        ("t3-state-column", badge),
        ("t3-wide", spark),
        (f't3-number t3-bar" style="--w:{width:.1f}%', pounds(row.gross_sales_pence)),
        ("t3-number t3-wide", f"{row.transactions:,}"),
        ("t3-number t3-wide", pounds(ticket)),
        (f"t3-number t3-change {tone}", change_html(tone, change_text)),
        ("t3-number t3-wide", formatting.last_seen(last, view.today) if last else "–"),
    )
    inside = "".join(f'<td class="{kind}">{text}</td>' for kind, text in cells)
    # On a phone the state is below the name and its own column is hidden.
    name = choice(replace(view.state, trucks=(row.truck_id,)), row.truck)
    return f'<tr><th scope="row">{name}{badge}</th>{inside}</tr>'


def _sparks(view: View) -> dict[int, str]:
    """A sparkline of sales by hour for every truck that sold, scaled to its own best hour."""
    sold: dict[int, dict[int, int]] = {}
    for row in view.heat.itertuples():
        sold.setdefault(row.truck_id, {})[row.local_hour] = row.gross_sales_pence
    hours = shown_hours(view)
    return {truck: _spark([pence.get(hour, 0) for hour in hours]) for truck, pence in sold.items()}


def _spark(pence: list[int]) -> str:
    most = max(pence, default=0) or 1
    bars = "".join(
        f'<rect x="{n * 6}" y="{20 - height:.1f}" width="4.5" height="{height:.1f}"/>'
        for n, height in enumerate(20 * amount / most for amount in pence)
    )
    return f'<svg class="t3-spark" width="{6 * len(pence)}" height="20" aria-hidden="true">{bars}</svg>'


def _cell(view: View, truck: int, name: str, hour: int, pence: int, transactions: int, most: int) -> str:
    """One hour of one truck; on a single day a link to its sales."""
    hint = f"{name}, {echarts.hour_name(hour)}: {pounds(pence)} in {transactions:,} sales"
    text = pounds(pence, whole=True) if pence else ""
    if pence and view.one_day:
        day = view.scope.first
        sales = replace(view.state, preset="custom", first=day, last=day, trucks=(truck,), hour=hour, tab="rows")
        text = choice(sales, text)
    return f'<td class="t3-heat-cell" style="--v:{100 * pence / most:.0f}%" title="{escape(hint)}">{text}</td>'
