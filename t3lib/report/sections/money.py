"""The CFO's block: how people paid, and what was left."""

from typing import Any

import pandas as pd

from t3lib.metrics import change_pct
from t3lib.report import words
from t3lib.report.block import Block, Cell, section, table
from t3lib.report.compared_with import comparison_names
from t3lib.report.day import Day


@section
def payments(day: Day) -> Block:
    """Sales by payment type with its share, against the usual."""
    rows = [_payment(row) for row in day.payments.itertuples()]
    columns = ["Paid by", "Sales", "Share", *([f"vs {comparison_names(day).usual_short}"] if day.usual else [])]
    rows = [row[: len(columns)] for row in rows]
    return table("How people paid", columns, rows, "" if rows else "No sales.")


@section
def contribution(day: Day) -> Block:
    """From sales to contribution, line by line, or which file is missing for it."""
    title, found = "Contribution", day.contribution
    if found is None:
        missing = "Needs metadata/costs.csv: cost, amount, per, from (truck_id for the costs of one truck)."
        return table(title, [], [], missing)
    lines = [("Sales", found.gross_sales_pence), *((_named(name), -cost) for name, cost in found.costs.items())]
    lines.append(("Contribution", found.contribution_pence))
    rows = [_line(name, pence, found.gross_sales_pence) for name, pence in lines]
    note = _gap(found.without_goods_pence, day.inputs["menu"])
    return table(title, ["", "Pounds", "of sales"], rows, note, total=True)


def _payment(row: Any) -> list[Cell]:
    usual = row.gross_sales_pence_usual
    moved = "–" if pd.isna(usual) else words.change(change_pct(int(row.gross_sales_pence), int(usual)))
    share = None if pd.isna(row.share_pct) else row.share_pct
    name = words.line(str(row.payment_type)).capitalize()
    return [Cell(name), Cell(words.pounds(int(row.gross_sales_pence))), Cell(words.share(share)), Cell(moved)]


def _line(name: str, pence: int, gross: int) -> list[Cell]:
    part = words.share(100 * pence / gross if gross else None)
    return [Cell(words.line(name)), Cell(words.pounds(pence)), Cell(part)]


def _named(cost: str) -> str:
    """A cost as people write it: card_fee is Card fee, vat is VAT."""
    spaced = words.line(cost.replace("_", " "))
    return "VAT" + spaced[3:] if spaced.lower().startswith("vat") else spaced[:1].upper() + spaced[1:]


def _gap(without_goods_pence: int, menu: bool) -> str:
    if not without_goods_pence:
        return ""
    if not menu:
        return "Cost of goods is not included: that needs metadata/menu.csv with unit_cost."
    return f"{words.pounds(without_goods_pence)} of sales have no cost of goods: metadata/menu.csv lacks the unit_cost."
