"""The heading and cards of the first tab as HTML. Names come from people and files: they are escaped here."""

from dataclasses import replace
from html import escape
from typing import Any

from t3lib.charts import echarts
from t3lib.dashboard import formatting
from t3lib.dashboard.html.cards import chart_table, choice, page_message, title
from t3lib.dashboard.html.tiles import definition
from t3lib.dashboard.state import PAYMENTS
from t3lib.dashboard.view import View
from t3lib.money import pounds
from t3lib.settings import settings


def heading(view: View) -> str:
    """The business days shown, and how fresh the figures are."""
    parts = [f'<h1 class="t3-period">{escape(formatting.period(view.scope))}</h1>']
    if view.fallen_back:
        text = f"No sales yet today, {formatting.day(view.today)}: this is the latest day with sales."
        parts.append(f'<p class="t3-note">{escape(text)}</p>')
    parts.append(f'<p class="t3-fresh">{freshness(view)}</p>')
    return "".join(parts)


def freshness(view: View) -> str:
    """Business day and zone, time of the last load, last sale, files, rejected rows with their reasons."""
    zone, start = settings().timezone, settings().business_day_start
    quality = view.quality
    reasons = ", ".join(f"{rows:,} {reason.replace('_', ' ')}" for reason, rows in quality.rejected.items())
    facts = [
        f"Business day from {start:%H:%M}, {zone}",
        f"loaded <b>{formatting.clock(view.freshness.loaded_at, view.today)}</b>",
        f"last sale <b>{formatting.clock(view.freshness.last_sale_at, view.today)}</b>",
        f"{quality.files:,} file{'s' * (quality.files != 1)}",
        f'<span title="{escape(reasons or "none")}">{quality.rows_rejected:,} of {quality.rows_read:,} rows '
        f"rejected ({formatting.percent(quality.rejected_pct)})</span>",
    ]
    return '<i class="t3-dot" aria-hidden="true"></i>' + " <s>·</s> ".join(facts)


def no_sales() -> str:
    """Shown in place of figures before the first load."""
    return page_message(
        "No sales loaded yet",
        "Put the trucks' files into the landing folder or bucket. This page shows their sales within seconds "
        "of the load.",
    )


def no_answer() -> str:
    """Shown in place of figures while the database does not answer."""
    return page_message("No figures to show", "They appear here as soon as the database answers.")


def needs_attention(view: View) -> str:
    """At most three items that need attention, or a message that there are none."""
    items = "".join(f'<li class="{escape(item.kind)}">{escape(item.text)}</li>' for item in view.attention)
    day = "" if view.one_day else f"<span>on {formatting.short_day(view.scope.last)}</span>"
    items = items or '<li class="none"><b aria-hidden="true">✓</b> Nothing out of the ordinary</li>'
    return f'{title("Needs attention" + definition("attention"), day)}<ul class="t3-attention">{items}</ul>'


def shown_hours(view: View) -> list[int]:
    """The hours of every chart and table by hour: those with sales and those that usually have some."""
    return echarts.hours_between([*view.hours["local_hour"], *view.usual_hours["local_hour"]])


def hours_title(view: View) -> str:
    return title("Sales by hour", *_legend(view))


def days_title(view: View) -> str:
    shown = "the chosen days are highlighted" if len(view.days) > view.scope.days else ""
    return title("Sales by day", f"<span>{shown}</span>" if shown else "")


def hours_table(view: View) -> str:
    """The figures of the chart by hour."""
    usual = dict(zip(view.usual_hours["local_hour"], view.usual_hours["gross_sales_pence"], strict=True))
    sold = {row.local_hour: (row.gross_sales_pence, row.transactions) for row in view.hours.itertuples()}
    rows = []
    for hour in shown_hours(view):
        pence, transactions = sold.get(hour, (0, 0))
        rows.append((echarts.hour_name(hour), pounds(pence), f"{transactions:,}", pounds(usual.get(hour))))
    return chart_table("Sales by hour", ("Hour", "Gross sales", "Transactions", _line_name(view)), rows)


def days_table(view: View) -> str:
    """The figures of the chart by day, latest first."""
    rows = [
        (formatting.short_day(row.business_date), pounds(row.gross_sales_pence), f"{row.transactions:,}")
        for row in reversed(list(view.days.itertuples()))
    ]
    return chart_table("Sales by day", ("Business day", "Gross sales", "Transactions"), rows)


def payments(view: View) -> str:
    """The payment mix as one bar and its figures."""
    rows = list(view.payments.sort_values("gross_sales_pence", ascending=False).itertuples())
    bar = "".join(f'<i class="p{n}" style="flex-grow:{row.gross_sales_pence}"></i>' for n, row in enumerate(rows[:4]))
    lines = "".join(_payment_row(view, row, min(n, 3)) for n, row in enumerate(rows))
    if not rows:
        return f'{title("Payment mix")}<p class="t3-none">No sales in this choice.</p>'
    return (
        f'{title("Payment mix")}<div class="t3-mix" aria-hidden="true">{bar}</div>'
        '<table class="t3-table"><thead><tr><th scope="col">Paid by</th><th scope="col" class="t3-number">Share</th>'
        '<th scope="col" class="t3-number">Gross sales</th><th scope="col" class="t3-number">Sales</th></tr></thead>'
        f"<tbody>{lines}</tbody></table>"
    )


def _payment_row(view: View, row: Any, colour: int) -> str:
    payment = row.payment_type
    name = escape(payment.capitalize())
    if payment in PAYMENTS:
        other = "" if payment == view.state.payment else payment
        name = choice(replace(view.state, payment=other), payment.capitalize())
    key = f'<i class="t3-key p{colour}" aria-hidden="true"></i>'
    figures = (formatting.percent(row.share_pct), pounds(row.gross_sales_pence), f"{row.transactions:,}")
    cells = "".join(f'<td class="t3-number">{figure}</td>' for figure in figures)
    return f'<tr><th scope="row">{key}{name}</th>{cells}</tr>'


def _line_name(view: View) -> str:
    return "Usual" if view.state.compare == "weekdays" else "Before"


def _legend(view: View) -> list[str]:
    return [f'<span><i class="t3-key line" aria-hidden="true"></i>{escape(view.line)}</span>'] if view.line else []
