"""Report days made of literal figures, and what the cells of 4_report make of them."""

import json
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import nbformat
import pandas as pd
from nbformat.v4 import new_code_cell, new_notebook, new_output

from t3lib import metrics, period, report
from t3lib.editions import NOTEBOOK, edition, sections
from t3lib.metrics.sales.concentration import Concentration
from t3lib.metrics.sales.growth import LikeForLike
from t3lib.metrics.trust.reconciliation import Reconciliation
from t3lib.report.rehearsal import rehearse
from t3lib.report.rehearsal.made_up import MadeUp

FRIDAY = date(2026, 11, 20)
# What the fields below are as figures of t3lib.metrics.
COMPARED = {"hours": "by_hour", "days": "by_weekday", "trucks": "by_truck", "payments": "by_payment",
            "prices": "by_price_point", "menus": "by_menu_type", "places": "by_place"}  # fmt: skip


@cache
def notebook(*names):
    """4_report as it stands in the folder; with names only these sections of it."""
    found = json.loads(NOTEBOOK.read_text())
    own = [(cell, sections(["".join(cell["source"])])) for cell in found["cells"]]
    return found | {"cells": [cell for cell, known in own if not names or not known or known[0] in names]}


def section(name, day):
    """What the cell of a section shows of a day; None in an edition without it."""
    shown = [part for _, section, part in rehearse(notebook(name), day, checked=False).parts if section == name]
    return shown[0] if shown else None


def verdict(day):
    """The verdict of a day."""
    return rehearse(notebook("none"), day, checked=False).names["verdict"]


def envelope(day):
    """The envelope of a day."""
    return rehearse(notebook("none"), day, checked=False).envelope


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
    return frame.astype(dict.fromkeys(columns[2:4], "int64") | dict.fromkeys(columns[4:], "Int64"))


def figures(sales, before=None, usual=None, *, edition_name="cfo", **changes):
    """A Day of these totals; by default one truck, one hour, one price and one payment that make all of them."""
    line: tuple[int, ...] = (sales.transactions, sales.gross_sales_pence)
    if usual:
        line += (before.transactions, before.gross_sales_pence, usual.transactions, usual.gross_sales_pence)
    hours, prices, places, payments = (
        rows(key, (value, "", *line)) for key, value in
        (("local_hour", 13), ("price_pence", 700), ("location_id", 1), ("payment_type", "cash"))
    )  # fmt: skip
    one, last = edition(edition_name), changes.pop("last", FRIDAY)
    content = {
        "period": period.of(one.period, last),
        "edition": one,
        "sales": sales,
        "before": before,
        "usual": usual,
        "usual_of": None,
        "hours": hours,
        "days": rows("weekday", (5, "", *line)),
        "trucks": rows("truck_id", (1, "Burrito Madness", *line), label="truck"),
        "payments": payments.assign(share_pct=100.0),
        "prices": prices.assign(transactions_share_pct=100.0),
        "menus": rows("menu_type", ("Mexican", "", *line)),
        "places": places.assign(location="Leeside Market", busiest_hour=13),
        "quality": metrics.DataQuality(4, sales.transactions + 2, sales.transactions, 2, {"void": 2}),
        "reasons": {"void": "The sale was voided on the till."},
        "freshness": metrics.Freshness(1, datetime(2026, 11, 21, 4, 40, tzinfo=UTC), None),
        "restated": pd.DataFrame(
            columns=["business_date", "rows_change", "pence_change", "contribution_change", "causes"]
        ),
        "inputs": {"menu": False, "pitches": False, "costs": False},
        "sent": None,
    }
    given = dict(changes.pop("pack", None) or pack())
    given |= {"contribution": changes.pop("contribution", None)}
    items = changes.pop("attention", ())
    content |= changes
    given |= {f"compared {figure}": content.pop(name) for name, figure in COMPARED.items()}
    return report.Day(**content, figures=MadeUp(given, items))


def executed(day, folder, *more):
    """An executed notebook that holds the sections of a day, and more outputs."""
    day.shown.clear()
    made = rehearse(notebook(), day, checked=False)
    cells = [new_code_cell("shown", outputs=[_output(part)]) for _, _, part in made.parts]
    cells += [new_code_cell("more", outputs=[output]) for output in more]
    cells.append(new_code_cell("report.envelope(day, verdict)", outputs=[_output(made.envelope)]))
    cells[-1].metadata.tags = ["workings"]
    path = Path(folder) / "4_report.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


def _output(block):
    bundle = block._repr_mimebundle_()
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    return new_output("execute_result", data=data, metadata=metadata, execution_count=1)


def pack(**changes):
    """A year of two trucks: £1,000.00 a month by the first, £500.00 by the second since June."""
    months = [date(2025 + n // 12, n % 12 + 1, 1) for n in range(24)]
    taken = [(month, 30, 100, 100_000 + (50_000 if month >= date(2026, 6, 1) else 0), 60.0) for month in months]
    columns = ["truck_id", "truck", "trailing_pence", "trailing_share_pct", "trailing_months", "trailing_before_pence"]
    trailing = pd.DataFrame(
        [[1, "Burrito Madness", 1_200_000, 77.4, 12, 1_000_000], [2, "Eels", 350_000, 22.6, 7, 0]], columns=columns
    )
    seasons = ["season", "truck_days", "gross_sales_pence", "sales_per_truck_day_pence", "season_index"]
    ramp = ["truck", "first_sale_on", "ramp_week", "ramp_pct"]
    content = {
        "by_period month": pd.DataFrame(
            taken, columns=["period_first", "trading_days", "transactions", "gross_sales_pence", "card_share_pct"]
        ),
        "partial_months": pd.DataFrame(columns=["period_first", "first_day", "last_day"]),
        "totals 12": totals(1_500_000, 1_200),
        "like_for_like 0": LikeForLike(1, 100_000, 90_000),
        "like_for_like 12": LikeForLike(1, 1_200_000, 1_000_000),
        "trailing_by_truck": trailing.astype({"trailing_before_pence": "Int64"}),
        "concentration": Concentration("Burrito Madness", 77.4, 6_502),
        "seasonality month": pd.DataFrame([[n, 30, 100_000, 3_333, 100.0] for n in range(1, 13)], columns=seasons),
        "seasonality weekday": pd.DataFrame([[n, 52, 200_000, 3_846, 100.0] for n in range(1, 8)], columns=seasons),
        "ramp": pd.DataFrame([["Eels", date(2026, 6, 1), n, 10.0 * n] for n in range(1, 13)], columns=ramp),
        "clean_rate": pd.DataFrame(
            [[date(2026, 10, 1), 1_000, 920, 80, 92.0], [date(2026, 11, 1), 1_000, 930, 70, 93.0]],
            columns=["period_first", "rows_read", "rows_loaded", "rows_rejected", "clean_pct"],
        ),
        "reconciliation": Reconciliation(40, 1, 150, 142, 8, 114_000, 2, 2_000, 140, 112_000, 1, 0, 0, 7),
    }
    return content | changes
