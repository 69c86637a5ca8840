"""Report days made of literal figures, and executed notebooks made of their sections."""

from datetime import UTC, date, datetime
from pathlib import Path

import nbformat
import pandas as pd
from nbformat.v4 import new_code_cell, new_notebook, new_output

from t3lib import metrics, report
from t3lib.report.edition import edition

FRIDAY = date(2026, 11, 20)
SECTIONS = (
    report.headline, report.tiles, report.attention, report.hours, report.trucks, report.payments,
    report.contribution, report.prices, report.menus, report.places, report.rejects, report.data_note,
)  # fmt: skip


def totals(pence, transactions, card=60.0):
    """Totals of so many pence and sales."""
    ticket = round(pence / transactions) if transactions else None
    return metrics.Totals(pence, transactions, ticket, card if pence else None)


def typical(pence, transactions, weeks=4):
    """A usual day of so many pence and sales."""
    return metrics.Typical(**vars(totals(pence, transactions)), weeks=weeks)


def rows(key, *lines, label=None):
    """A compared breakdown of (key, label, transactions, pence, then the same a week before and usually)."""
    columns = [key, label or "label", "transactions", "gross_sales_pence"]
    columns += [f"{name}_{of}" for of in ("before", "usual") for name in ("transactions", "gross_sales_pence")]
    frame = pd.DataFrame([[*line, *[pd.NA] * (8 - len(line))] for line in lines], columns=columns)
    return frame.astype(dict.fromkeys(columns[4:], "Int64"))


def figures(sales, before=None, usual=None, *, edition_name="cfo", **changes):
    """A Day of these totals; by default one truck, one hour, one price and one payment that make all of them."""
    line = (sales.transactions, sales.gross_sales_pence)
    if usual:
        line += (before.transactions, before.gross_sales_pence, usual.transactions, usual.gross_sales_pence)
    hours, prices, places, payments = (
        rows(key, (value, "", *line)) for key, value in
        (("local_hour", 13), ("price_pence", 700), ("location_id", 1), ("payment_type", "cash"))
    )  # fmt: skip
    content = {
        "business_date": FRIDAY,
        "edition": edition(edition_name),
        "sales": sales,
        "before": before,
        "usual": usual,
        "hours": hours,
        "trucks": rows("truck_id", (1, "Burrito Madness", *line), label="truck"),
        "payments": payments.assign(share_pct=100.0),
        "prices": prices.assign(transactions_share_pct=100.0),
        "menus": rows("menu_type", ("Mexican", "", *line)),
        "places": places.assign(location="Leeside Market", busiest_hour=13),
        "attention": (),
        "quality": metrics.DataQuality(4, sales.transactions + 2, sales.transactions, 2, {"void": 2}),
        "freshness": metrics.Freshness(1, datetime(2026, 11, 21, 4, 40, tzinfo=UTC), None),
        "restated": pd.DataFrame(columns=["business_date", "rows_change", "pence_change", "causes"]),
        "contribution": None,
        "inputs": {"menu": False, "pitches": False, "costs": False},
    }
    return report.Day(**content | changes)


def executed(day, folder, *more):
    """An executed copy that holds the sections of a day, and more outputs."""
    shown = [block for block in (section(day) for section in SECTIONS) if block is not None]
    cells = [new_code_cell("shown", outputs=[_output(block)]) for block in shown]
    cells += [new_code_cell("more", outputs=[output]) for output in more]
    cells.append(new_code_cell("report.envelope(day)", outputs=[_output(report.envelope(day))]))
    cells[-1].metadata.tags = ["workings"]
    path = Path(folder) / "4_report.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


def _output(block):
    bundle = block._repr_mimebundle_()
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    return new_output("execute_result", data=data, metadata=metadata, execution_count=1)
