"""HTML fragments of a page, rendered once per view and shown by every page that shares it."""

from dataclasses import dataclass

from t3lib.dashboard.html import parts, trucks
from t3lib.dashboard.html.tiles import tiles
from t3lib.dashboard.view import View

PARTS = {
    "hours_title": parts.hours_title,
    "hours_table": parts.hours_table,
    "attention": parts.needs_attention,
    "trucks": trucks.trucks,
    "payments": parts.payments,
    "heat": trucks.heat,
    "days_title": parts.days_title,
    "days_table": parts.days_table,
}


@dataclass(frozen=True)
class Fragments:
    """HTML: the heading, the tiles from left to right, and the cards' contents by name."""

    heading: str
    tiles: tuple[str, ...]
    parts: dict[str, str]


def render(view: View) -> Fragments:
    """The fragments of a view that has sales."""
    return Fragments(parts.heading(view), tuple(tiles(view)), {name: part(view) for name, part in PARTS.items()})
