"""Data: which files arrived, which are missing, what was rejected and what was restated."""

from dataclasses import replace
from datetime import timedelta
from html import escape
from typing import Any

import sqlalchemy as sa

from t3lib import business_day, metrics
from t3lib.dashboard import formatting
from t3lib.dashboard.html.cards import message_card, scrolling_table, table
from t3lib.dashboard.tabs.context import Card, TabContext, card, heading, percent
from t3lib.warehouse.sales.restatements import CAUSE_WORDS

GRID_DAYS = 7
MOST_RESTATED = 20
LONGEST_DAYS = 92
# What may have changed of a day; a column without any change is left out.
_CHANGES = {"rows_change": "Sales added", "pence_change": "Gross sales", "contribution_change": "Contribution"}


def files(db: sa.Connection, context: TabContext) -> str:
    """Number of files and rows by truck."""
    rows = [
        (row.truck, f"{row.files:,}", f"{row.files_not_loaded:,}", f"{row.rows_read:,}", f"{row.rows_rejected:,}")
        for row in metrics.files_by_truck(db, context.scope).itertuples()
    ]
    head = ("Truck", "Files", "Not loaded", "Rows read", "Rows rejected")
    return card("Files by truck", head, rows, "files_not_loaded")


def rejected(db: sa.Connection, context: TabContext) -> str:
    """Rejected rows by reason."""
    quality = metrics.data_quality(db, context.scope)
    rows = [
        (reason.replace("_", " ").capitalize(), f"{count:,}", formatting.percent(100 * count / quality.rows_read))
        for reason, count in quality.rejected.items()
    ]
    return card("Rejected rows", ("Reason", "Rows", "Of rows read"), rows, "rejected")


def complete(db: sa.Connection, context: TabContext) -> str:
    """How many of the expected batches are loaded."""
    scope = context.scope
    if scope.days > LONGEST_DAYS:
        return message_card("Completeness", f"Choose at most {LONGEST_DAYS} days.")
    found = metrics.completeness(metrics.batches(db, scope))
    if found.complete_pct is None:
        return message_card(
            "Completeness", "Nothing is expected yet: this needs two weeks of files and a finished day."
        )
    rows = [
        ("Complete", percent(found.complete_pct)),
        ("Batches expected", f"{found.batches_expected:,}"),
        ("Batches missing", f"{found.batches_missing:,}"),
    ]
    return card("Completeness", ("Measure", "Value"), rows, "complete_pct")


def grid(db: sa.Connection, context: TabContext) -> str:
    """A grid of trucks by batches: rows read, or what is wrong."""
    last = context.scope.last
    scope = replace(context.scope, first=max(context.scope.first, last - timedelta(days=GRID_DAYS - 1)))
    found = metrics.batches(db, scope)
    if found.empty:
        return message_card("Files by truck and batch", "No files in this choice.")
    cells = {(r.truck, r.batch_date, r.batch_hour): r for r in found.itertuples()}
    columns = sorted({(day, hour) for _, day, hour in cells})
    days = [(day, sum(other == day for other, _ in columns)) for day in sorted({day for day, _ in columns})]
    top = "".join(f'<th scope="colgroup" colspan="{n}">{formatting.short_day(day)}</th>' for day, n in days)
    hours = "".join(f'<th scope="col">{hour:02d}</th>' for _, hour in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(truck)}</th>{"".join(_cell(cells.get((truck, *one))) for one in columns)}</tr>'
        for truck in dict.fromkeys(found["truck"])
    )
    name = "Files by truck and batch"
    aside = f"rows read, batches up to the hour; the last {GRID_DAYS} days" if scope != context.scope else "rows read"
    head = f'<tr><th rowspan="2" scope="col">Truck</th>{top}</tr><tr>{hours}</tr>'
    return heading(name, "batch_state", aside) + scrolling_table(name, head, body, "t3-heat t3-files")


def restated(db: sa.Connection, context: TabContext) -> str:
    """Days whose figures changed after they were over."""
    scope = context.scope
    since, until = business_day.bounds(scope.first)[0], business_day.bounds(business_day.today())[1]
    before = scope.last + timedelta(days=1)
    found = metrics.restated_days(db, since, until, before, first=scope.first, trucks=scope.trucks)
    if found.empty:
        return message_card("Restated days", "No figures of these days were restated.")
    shown = context.part("restated", MOST_RESTATED, len(found))
    changes = [name for name in _CHANGES if found[name].any()]
    rows = [
        (
            formatting.short_day(row["business_date"]),
            *(_change(name, row[name]) for name in changes),
            ", ".join(CAUSE_WORDS[cause] for cause in row["causes"]),
        )
        for row in found[shown.rows].to_dict("records")
    ]
    head = ("Business day", *(_CHANGES[name] for name in changes), "Why")
    aside = "of these trucks" if scope.trucks else "of the whole fleet"
    made = table("Restated days", head, rows, numbers=range(1, len(head) - 1))
    return heading("Restated days", "pence_change", aside) + made + context.foot(shown)


def _change(name: str, value: int) -> str:
    if name == "rows_change":
        return f"{value:+,}".replace("-", "−") if value else "–"
    return formatting.signed(value)


CARDS: tuple[tuple[str, str, Card], ...] = (
    ("t3-whole", "Files by truck and batch", grid),
    ("t3-most", "Files by truck", files),
    ("t3-third", "Completeness", complete),
    ("t3-whole", "Rejected rows", rejected),
    ("t3-whole", "Restated days", restated),
)


def _mark(text: str, state: str) -> str:
    """A count, or a sign with its state for screen readers."""
    return (
        text if state == "loaded" else f'<span aria-hidden="true">{text}</span><span class="t3-unseen">{state}</span>'
    )


def _cell(found: Any) -> str:
    if found is None:
        return '<td class="t3-file none"></td>'
    state = str(found.batch_state)
    text = f"{found.rows_read:,}" if state == "loaded" else "–" if state == "missing" else "!"
    part = f" ({100 * found.rows_rejected / found.rows_read:.1f}%)" if found.rows_read else ""
    hint = f"{found.truck}, {formatting.short_day(found.batch_date)} {found.batch_hour:02d}:00: {state}"
    hint += f", {found.rows_rejected:,} rejected{part}" if state == "loaded" else ""
    return f'<td class="t3-file {state.replace(" ", "-")}" title="{escape(hint)}">{_mark(text, state)}</td>'
