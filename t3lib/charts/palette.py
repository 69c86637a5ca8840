"""The colours of every chart that Python draws: of the mail, the PDF and notebooks.

Other colours are in style sheets: `report/template/email/style.css` (mail), `report/template/pdf/report.typ`
(PDF) and the variables at the top of `dashboard/template/voila/templates/t3/static/t3.css` (dashboard)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """Colours of one theme; text has a contrast of at least 4.5 to the background."""

    background: str
    text: str
    grid: str
    bar: str
    usual: str


LIGHT = Palette("#ffffff", "#59616b", "#e9e6df", "#2b7a7f", "#b3541e")
DARK = Palette("#181b1f", "#a4abb4", "#2b3036", "#4f9f9b", "#f0a26b")
# Series of a notebook's chart: bars use the first, lines one each in this order.
SERIES = (LIGHT.bar, LIGHT.usual, "#5b5ea6", "#8a6d1d", "#a23b72", "#3f7d3a")
NOTEBOOK_TEXT, NOTEBOOK_GRID = "#3d4550", "#e4e1da"
