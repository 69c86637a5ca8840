"""Figures as text: the name of a column says what its values are, by the glossary of `t3lib.metrics`."""

import calendar
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from numbers import Real
from typing import Any

import pandas as pd

from t3lib.metrics.glossary import GLOSSARY
from t3lib.report import words

_WRITERS: dict[str, Callable[[Any], str]] = {
    "pence": lambda pence: words.pounds(int(pence)),
    "percent": words.share,
    "hours": lambda hours: f"{hours:,.1f}".removesuffix(".0"),
    "local hour": lambda hour: words.hour(int(hour)),
    "weekday": lambda number: calendar.day_name[int(number) - 1],
    "month": lambda number: calendar.month_name[int(number)],
    "sales a day": lambda size: f"{size:,.1f}".replace("-", "−") if isinstance(size, float) else f"{size:,}",
    "index": lambda size: f"{size:,.0f}",
    "date": lambda day: f"{day:%B %Y}" if day.day == 1 else f"{day.day} {day:%b %Y}",
}
_UNITS = {"local_hour": "local hour", "weekday": "weekday", "month": "month"}


def written(value: Any, name: str, missing: str = "–") -> str:
    """A value of a column as readers see it: £12.50 of `..._pence`, 68.4% of `..._pct`, 1,234 of counts, one line of a
    text. Raises ValueError for a number with decimals whose column no unit is known of."""
    if value is None or value is pd.NA or value != value:
        return missing
    if isinstance(value, str):
        return words.line(value)
    if writer := _WRITERS.get(unit(name)):
        return writer(value)
    if not isinstance(value, Real):
        return words.line(str(value))
    number = float(value)
    if not number.is_integer():
        raise ValueError(f"{name!r} has no unit: name the column like a figure of docs/kpis.md, ..._pence or ..._pct.")
    return words.amount(int(number), name)


def unit(name: str) -> str:
    """The unit of a column: its entry's in the glossary, or what its name ends in."""
    base = name.removesuffix("_before").removesuffix("_usual")
    if base in _UNITS or base in GLOSSARY:
        return _UNITS.get(base) or GLOSSARY[base].unit
    return "pence" if base.endswith("_pence") else "percent" if base.endswith("_pct") else ""


def fields(*sources: Any) -> dict[str, str]:
    """Every figure of rows, dataclasses and mappings as text, by name; of a table the first row's."""
    found: dict[str, str] = {}
    for source in sources:
        if isinstance(source, pd.DataFrame):
            found |= {str(name): _first(source[name]) for name in source.columns}
        elif is_dataclass(source):
            names = [*vars(source), *(n for n, one in vars(type(source)).items() if isinstance(one, property))]
            values = {name: getattr(source, name) for name in names}
            found |= {name: written(one, name) for name, one in values.items() if not isinstance(one, dict)}
        else:
            found |= {name: _text(one, name) for name, one in dict(source).items()}
    return found


def _first(column: pd.Series) -> str:
    value = column.iloc[0]
    return "" if isinstance(value, float) and not unit(str(column.name)) else written(value, str(column.name))


def _text(value: Any, name: str) -> str:
    if isinstance(value, pd.Series):
        return written(value.iloc[0], str(value.name))
    return words.line(value) if isinstance(value, str) else written(value, name)


def filled(template: str, known: Mapping[str, str]) -> str:
    """A sentence with its {fields} filled in. Raises ValueError that names the fields there are."""
    try:
        return template.format_map(known)
    except KeyError as error:
        raise unknown(template, str(error.args[0]), known) from None


def unknown(template: str, name: str, known: Mapping[str, Any]) -> ValueError:
    """The error for a field that a sentence names and nothing provides."""
    return ValueError(f"{template!r} names {{{name}}}; there are: {', '.join(sorted(known))}.")
