"""Changes of figures as a notebook shows them: sentences, tables for people and a chart, one below the other."""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from t3lib.charts.notebook import Picture, bars, column_title, written
from t3lib.money import pounds

MOST = 40  # lines of a table; what is left out is summed in its last line
_FIGURE = re.compile(r"[-+]?£?[\d,.]+$")
_TITLES = {"business_date": "day", "change_of_sales": "sales", "change_pence": "pounds"}
_DAYS = ["day", "truck", "sales before", "sales after", "difference", "pounds before", "pounds after", "difference"]


@dataclass(frozen=True)
class Shown:
    """What a cell ends with: JupyterLab shows the parts, a terminal their text."""

    parts: tuple[str | pd.DataFrame | Picture, ...]

    def _repr_html_(self) -> str:
        return "".join(map(_html, self.parts))

    def __repr__(self) -> str:
        return "\n".join(
            part.to_string(index=False) if isinstance(part, pd.DataFrame) else str(part) for part in self.parts
        )


def by_day_and_truck(changes: Sequence[Mapping[str, Any]], names: Mapping[int, str]) -> pd.DataFrame:
    """Sales and pounds of each business day and truck before and after, and the difference; then their sum."""
    ordered = sorted(changes, key=lambda change: (change["business_date"], change["truck_id"]))
    shown = ordered if len(ordered) <= MOST else ordered[: MOST - 1]
    lines = [
        (written(change["business_date"], "business_date"), truck(change["truck_id"], names), *_figures([change]))
        for change in shown
    ]
    if rest := ordered[len(shown) :]:
        lines.append((f"{len(rest):,} more", "", *_figures(rest)))
    if len(ordered) > 1:
        lines.append(("together", "", *_figures(ordered)))
    return pd.DataFrame(lines, columns=_DAYS)


def in_words(rows: pd.DataFrame) -> pd.DataFrame:
    """A table of texts for people: changes have their sign, columns their titles."""
    made = {
        _TITLES.get(name, column_title(name)): [_in_words(name, value) for value in rows[name]] for name in rows.columns
    }
    return pd.DataFrame(made)


def chart_of_days(days: pd.DataFrame) -> Picture:
    """Pounds more or fewer by business day."""
    return bars(days, "business_date", "change_pence", "Change of sales by day, in pounds")


def chart_of_marks(marks: pd.DataFrame) -> Picture:
    """Rows whose flags or suggestions change, by business day."""
    rows = marks.assign(rows=marks[["rows_get_it", "rows_lose_it", "rows_get_another"]].sum(axis=1))
    days = rows.groupby("business_date", as_index=False)["rows"].sum()
    return bars(days, "business_date", "rows", "Flags and suggestions that change, by day")


def truck(truck_id: int, names: Mapping[int, str]) -> str:
    """A truck by its name."""
    return names.get(truck_id, f"Truck {truck_id}")


def signed(pence: int) -> str:
    """Pounds with their sign: +£4.99, -£4.99, £0.00."""
    return f"+{pounds(pence)}" if pence > 0 else pounds(pence)


def _in_words(name: str, value: Any) -> str:
    if pd.isna(value) or name == "business_date":
        return written(value if pd.isna(value) else value.date(), name)
    if name.startswith("change_") and name.endswith("_pence"):
        return signed(value)
    if name.startswith("change_of"):
        return f"{value:+,}"
    return f"{value:,}" if isinstance(value, int | np.integer) else str(value)


def _figures(changes: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    rows_before, rows_after, pence_before, pence_after = (
        sum(change[name] for change in changes) for name in ("rows_before", "rows_after", "pence_before", "pence_after")
    )
    return (
        f"{rows_before:,}", f"{rows_after:,}", f"{rows_after - rows_before:+,}",
        pounds(pence_before), pounds(pence_after), signed(pence_after - pence_before),
    )  # fmt: skip


def _html(part: str | pd.DataFrame | Picture) -> str:
    if isinstance(part, pd.DataFrame):
        return _table(part)
    if isinstance(part, Picture):
        return f'<img alt="{escape(part.text)}" src="data:image/png;base64,{b64encode(part.png).decode()}"/>'
    return f"<p>{escape(part)}</p>"


def _table(rows: pd.DataFrame) -> str:
    """Words to the left, figures to the right."""
    columns = [rows.iloc[:, place] for place in range(rows.shape[1])]
    sides = ["right" if all(_FIGURE.match(text) or text == "–" for text in column) else "left" for column in columns]

    def line(tag: str, texts: Iterable[Any]) -> str:
        cells = zip(texts, sides, strict=True)
        return "".join(f'<{tag} style="text-align: {side}">{escape(str(text))}</{tag}>' for text, side in cells)

    body = "".join(f"<tr>{line('td', texts)}</tr>" for texts in rows.itertuples(index=False))
    return f'<table style="margin: 0 0 12px"><tr>{line("th", rows.columns)}</tr>{body}</table>'
