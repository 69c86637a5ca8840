"""Small graphs as HTML: columns, sparklines and heat maps that need no script."""

from collections.abc import Callable, Mapping, Sequence
from html import escape

from t3lib.charts import echarts
from t3lib.dashboard.html.cards import choice, scrolling_table
from t3lib.dashboard.state import State
from t3lib.money import pounds


def columns(
    names: Sequence[str],
    values: Sequence[int],
    write: Callable[[int], str] | None = None,
    hint: Callable[[int], str] = pounds,
    states: Sequence[State] = (),
) -> str:
    """A column chart with names below, of pence unless `write` and `hint` say otherwise; `chart_table` has the figures.

    With states each column is a link that makes that choice, and the last one is highlighted as the current one."""
    write, most = write or _short, max(values, default=0) or 1

    def column(name: str, value: int) -> str:
        bar = f'<i style="--h:{100 * value / most:.1f}%"></i>'
        return f"<b>{write(value)}</b>{bar}<span>{escape(name)}</span>"

    inside = [column(*pair) for pair in zip(names, values, strict=True)]
    if states:  # the table has the same links for the keyboard
        inside = [choice(*pair, html=True, skipped=True) for pair in zip(states, inside, strict=True)]
    bars = "".join(
        f'<li title="{escape(name)}: {hint(value)}">{content}</li>'
        for name, value, content in zip(names, values, inside, strict=True)
    )
    return f'<ul class="t3-columns{" t3-chosen" if states else ""}" aria-hidden="true">{bars}</ul>'


def balance(names: Sequence[str], values: Sequence[int]) -> str:
    """Bars from a common zero, of pence: gains to the right, losses to the left; a table beside it has the figures."""
    most, least = max([*values, 0]), min([*values, 0])
    width = (most - least) or 1

    def line(name: str, value: int) -> str:
        left, size = 100 * (min(value, 0) - least) / width, 100 * abs(value) / width
        bar = f'<i><u style="--l:{left:.1f}%;--w:{size:.1f}%"></u></i>'
        look = ' class="loss"' if value < 0 else ""
        return f"<li{look}><span>{escape(name)}</span>{bar}<b>{pounds(value, whole=True)}</b></li>"

    lines = "".join(line(*pair) for pair in zip(names, values, strict=True))
    return f'<ul class="t3-balance" style="--zero:{100 * -least / width:.1f}%" aria-hidden="true">{lines}</ul>'


def spark(values: Sequence[int]) -> str:
    """A sparkline: bars without names, for a cell."""
    most = max(values, default=0) or 1
    bars = "".join(
        f'<rect x="{n * 8}" y="{20 - 20 * value / most:.1f}" width="6" height="{20 * value / most:.1f}"/>'
        for n, value in enumerate(values)
    )
    return f'<svg class="t3-spark" width="{8 * len(values)}" height="20" aria-hidden="true">{bars}</svg>'


def hours(
    caption: str, names: Sequence[str], cells: Mapping[tuple[str, int], tuple[int, int]], head: str = "Truck"
) -> str:
    """A heat map of names by local hour. A cell is (transactions, pence), shaded by its transactions."""
    shown = echarts.hours_between([hour for _, hour in cells])
    most = max((count for count, _ in cells.values()), default=0) or 1
    top = "".join(f'<th scope="col">{hour:02d}</th>' for hour in shown)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(_cell(name, hour, *cells.get((name, hour), (0, 0)), most) for hour in shown)
        + "</tr>"
        for name in names
    )
    return scrolling_table(caption, f'<tr><th scope="col">{escape(head)}</th>{top}</tr>', body, "t3-heat")


def _cell(name: str, hour: int, count: int, pence: int, most: int) -> str:
    hint = f"{name}, {echarts.hour_name(hour)}: {count:,} sales, {pounds(pence)}"
    text = f"{count:,}" if count else ""
    return f'<td class="t3-heat-cell" style="--v:{100 * count / most:.0f}%" title="{escape(hint)}">{text}</td>'


def _short(pence: int) -> str:
    """£12.3k from ten thousand pounds on, so that thirteen columns fit."""
    return pounds(pence, whole=True) if pence < 1_000_000 else f"£{pence / 100_000:,.1f}k"
