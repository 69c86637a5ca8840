"""Every colour, once per theme: of the pages, the mail, the PDF and the charts.

Pages name them as variables (`--t3-ink`). Two style sheets are served as they are and so state the values again,
`t3.css` of the pages and `page.css` of the inbox; a test compares them. Mail clients know no variables, so `in_colours`
puts the values into the mail's style sheet; the PDF gets them with its data."""

import re
from dataclasses import dataclass

DARK_THEME = "@media (prefers-color-scheme: dark)"
_VARIABLE = re.compile(r"var\(--t3-([a-z-]+)\)")


@dataclass(frozen=True)
class Palette:
    """The colours of one theme. Texts have a contrast of at least 4.5 to what is behind them (tested in a browser)."""

    ground: str  # behind the cards
    card: str
    ink: str
    muted: str
    line: str
    accent: str
    bar: str
    bar_quiet: str
    on_bar: str
    usual: str
    awning: str
    up: str
    up_ground: str
    down: str
    down_ground: str
    warn: str
    warn_ground: str
    head: str
    head_ink: str
    head_muted: str
    head_up: str
    head_down: str
    paper: str  # behind pictures and on paper, white in both themes


LIGHT = Palette(
    ground="#f5f3ee",
    card="#ffffff",
    ink="#1c2526",
    muted="#5a6768",
    line="#e4e0d7",
    accent="#0e6b63",
    bar="#14796f",
    bar_quiet="#b9d3ce",
    on_bar="#ffffff",
    usual="#b8660a",
    awning="#f2b33d",
    up="#146c43",
    up_ground="#e3f3ea",
    down="#a9281f",
    down_ground="#fbe9e6",
    warn="#8a4b00",
    warn_ground="#fdf1dc",
    head="#123c3a",
    head_ink="#ffffff",
    head_muted="#bfd8d3",
    head_up="#6fd6a0",
    head_down="#ff9c8f",
    paper="#ffffff",
)
DARK = Palette(
    ground="#0f1515",
    card="#182020",
    ink="#eaf0ee",
    muted="#a0b0ad",
    line="#2a3635",
    accent="#5fc9bc",
    bar="#3fb3a5",
    bar_quiet="#24504b",
    on_bar="#06201d",
    usual="#f2a94a",
    awning="#e0a02c",
    up="#6fd6a0",
    up_ground="#14352a",
    down="#ff9c8f",
    down_ground="#43201c",
    warn="#f5c069",
    warn_ground="#3a2c12",
    head="#0b2423",
    head_ink="#f2f7f5",
    head_muted="#9fc0ba",
    head_up="#6fd6a0",
    head_down="#ff9c8f",
    paper="#ffffff",
)
# Series of a notebook's chart: bars use the first, lines one each in this order.
SERIES = (LIGHT.bar, LIGHT.usual, "#5b5ea6", "#8a6d1d", "#a23b72", "#3f7d3a")


def in_colours(style: str) -> str:
    """A style sheet with colours for its variables: the light theme's, and below `DARK_THEME` the dark theme's."""
    light, mark, dark = style.partition(DARK_THEME)
    return _in_colours(light, LIGHT) + mark + _in_colours(dark, DARK)


def _in_colours(style: str, theme: Palette) -> str:
    return _VARIABLE.sub(lambda found: getattr(theme, found[1].replace("-", "_")), style)
