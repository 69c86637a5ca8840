"""The tiles at the top, one for each of MEASURES. A change is shown by arrow and word, not by colour alone."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from t3lib.dashboard import formatting
from t3lib.dashboard.view import View
from t3lib.metrics import change_pct
from t3lib.metrics.glossary import GLOSSARY
from t3lib.money import pounds

Figure = float | int | None


@dataclass(frozen=True)
class Measure:
    """A field of Totals and how it is written; `points` for one whose change is given in percentage points and is
    neither good nor bad."""

    field: str
    write: Callable[[Figure], str]
    points: bool = False


def _pounds(pence: Figure) -> str:
    return pounds(None if pence is None else int(pence))


MEASURES = (
    Measure("gross_sales_pence", _pounds),
    Measure("transactions", lambda count: f"{count:,}"),
    Measure("average_ticket_pence", _pounds),
    Measure("card_share_pct", formatting.percent, points=True),
)


def tiles(view: View) -> list[str]:
    """The HTML of each tile, in the order of MEASURES."""
    return [_tile(view, measure) for measure in MEASURES]


def change(now: Figure, before: Figure, points: bool = False) -> tuple[str, str]:
    """(tone, text) of a change; the tone is up, down, level or none, the text '▲ 12.3% up' or '▼ 2.1 points down'."""
    if now is None or before is None or (not points and not before):
        return "none", "nothing to compare with"
    moved = now - before if points else change_pct(now, before) or 0.0
    if abs(moved) < 0.05:
        return "level", "= level"
    tone, arrow = ("up", "▲") if moved > 0 else ("down", "▼")
    return tone, f"{arrow} {abs(moved):,.1f}{' points' if points else '%'} {tone}"


def change_html(tone: str, text: str) -> str:
    """A change as HTML for a cell: '▲ 12.3% up'; the style sheet hides the word where space is short."""
    if tone == "none":
        return '<span aria-label="nothing to compare with">–</span>'
    return f"{escape(text.removesuffix(tone))}<i>{tone}</i>" if tone in ("up", "down") else escape(text)


def _tile(view: View, measure: Measure) -> str:
    entry = GLOSSARY[measure.field]
    now = getattr(view.comparable, measure.field)
    before = getattr(view.before, measure.field, None)
    compare = view.state.compare
    lines = [] if compare == "none" else [_comparison(measure, now, before, formatting.day_before(view.scope, compare))]
    if view.usual and view.usual.weeks > 1:
        mean = getattr(view.usual, measure.field)
        lines.append(_comparison(measure, now, mean, formatting.usual(view.scope, view.usual.weeks), quiet=True))
    if view.until_hour is not None and view.totals != view.comparable:
        today = "" if view.one_day else " today"
        cut = f"By {view.until_hour:02d}:00{today}: {'–' if now is None else measure.write(now)}"
        lines.insert(0, f'<p class="t3-sofar">{escape(cut)}</p>')
    figure = getattr(view.totals, measure.field)
    return (
        f'<h2 class="t3-label">{escape(entry.name)}{definition(measure.field)}</h2>'
        f'<p class="t3-figure" data-figure="{measure.field}">'
        f"{escape('–' if figure is None else measure.write(figure))}</p>" + "".join(lines)
    )


def definition(name: str) -> str:
    """A small '?' that opens the definition of a figure."""
    entry = GLOSSARY[name]
    return (
        f'<details class="t3-help"><summary aria-label="What is {escape(entry.name.lower())}?">?</summary>'
        f"<span>{escape(entry.definition)}</span></details>"
    )


def _comparison(measure: Measure, now: Figure, then: Figure, what: str, quiet: bool = False) -> str:
    tone, text = change(now, then, measure.points)
    if tone == "none":
        return f'<p class="t3-change none">Nothing to compare with: {escape(what)}</p>'
    share = " neutral" if measure.points else ""
    return (
        f'<p class="t3-change {tone}{share}{" quiet" if quiet else ""}"><b>{text}</b> '
        f"<span>on {escape(measure.write(then))}, {escape(what)}</span></p>"
    )
