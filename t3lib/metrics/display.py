"""How JupyterLab shows figures that are not tables."""

from dataclasses import fields
from html import escape
from typing import Any

from t3lib.charts.notebook import column_title, written


class Figures:
    """A dataclass that JupyterLab shows as a small table: pence as pounds, percent with one decimal."""

    def _repr_html_(self) -> str:
        lines = "".join(
            f"<tr><td style='text-align:left'>{escape(column_title(name))}</td>"
            f"<td>{escape(_text(value, name))}</td></tr>"
            for name, value in self._values()
        )
        return f"<table>{lines}</table>"

    def _values(self) -> list[tuple[str, Any]]:
        """Fields, then properties. A mapping gives a line for each entry, with the unit of the field's metadata."""
        found: list[tuple[str, Any]] = []
        for field in fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            value = getattr(self, field.name)
            unit = field.metadata.get("unit", "")
            found += [(f"{name}{unit}", one) for name, one in value.items()] if isinstance(value, dict) else [
                (field.name, value)]  # fmt: skip
        properties = [name for name, one in vars(type(self)).items() if isinstance(one, property)]
        return found + [(name, getattr(self, name)) for name in properties]


def _text(value: Any, name: str) -> str:
    text = written(value, name)
    return f"{value:,}" if type(value) is int and text == str(value) else text
