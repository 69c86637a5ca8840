"""Figures that are no table yet, as one: several of a kind beneath each other, or some of one."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pandas as pd

from t3lib.report import words
from t3lib.report.block import Cell
from t3lib.report.parts.units import written


def rows_of(kind: type, found: Mapping[str, Any]) -> pd.DataFrame:
    """One row per figure of this kind (a dataclass of `t3lib.metrics`) with its name; those that are None are left
    out."""
    columns = [one.name for one in fields(kind)]
    columns += [name for name, one in vars(kind).items() if isinstance(one, property)]
    rows = [[name, *(getattr(one, column) for column in columns)] for name, one in found.items() if one is not None]
    return pd.DataFrame(rows, columns=["name", *columns])


def figures(found: Any, *names: str) -> list[str]:
    """These fields of a figure as text; nothing where the figure is None."""
    return [] if found is None else [written(getattr(found, name), name) for name in names]


_STATES = {
    "settled": "Reached the bank",
    "on_its_way": "On its way",
    "short": "Short",
    "not_explained": "Not explained",
}


def cash_statement(found: pd.DataFrame) -> pd.DataFrame:
    """From `metrics.proof_of_cash`: line, card_pence, cash_pence and both_pence, one row per state of the sales; the
    last row is the sales. Money without sales (over) is not among them."""
    own = found[found["state"].isin(list(_STATES))]
    pence = {(row.tender, row.state): int(row.pence) for row in own.itertuples()}
    tenders = [[pence.get((tender, state), 0) for state in _STATES] for tender in ("card", "cash")] if len(own) else []
    columns = [[*one, sum(one)] for one in (*tenders, [sum(both) for both in zip(*tenders, strict=True)])]
    names = ["card_pence", "cash_pence", "both_pence"][: len(columns) if tenders else 0]
    lines = [*_STATES.values(), "Sales"] if tenders else []
    return pd.DataFrame({"line": lines} | dict(zip(names, columns, strict=False)))


def beside(names: pd.Series, small: pd.Series) -> list[Cell]:
    """Names with a smaller text beside each."""
    return [Cell(written(name, ""), text) for name, text in zip(names, small, strict=True)]


def cost_name(cost: str) -> str:
    """A cost as people write it: card_fee is Card fee, vat is VAT."""
    said = words.line(cost.replace("_", " "))
    return "VAT" + said[3:] if said.lower().startswith("vat") else said[:1].upper() + said[1:]
