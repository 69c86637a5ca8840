"""Bars by hour against the usual, as a PNG at twice its width, for light and for dark mails."""

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from t3lib.charts.palette import Palette

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.container import Container

WIDTH, HEIGHT, SCALE = 592, 250, 2
POINTS = 10.5  # still readable where a phone shows the picture at 60 %


@dataclass(frozen=True)
class Hour:
    """One hour: its label, its size and its usual size (pence or a count)."""

    label: str
    size: int
    usual: int | None


def by_hour(hours: list[Hour], names: tuple[str, str], money: bool, palette: Palette) -> bytes:
    """PNG of `WIDTH` x `HEIGHT` at `SCALE`: bars named names[0], and dashes for the usual named names[1] if known.

    Drawn without pyplot, so that a notebook's own figures are left alone."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # a second that workers and commands need not wait for
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100 * SCALE, facecolor=palette.card)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), facecolor=palette.card)
    places, unit = range(len(hours)), 100 if money else 1
    drawn: list[Artist | Container] = [
        axes.bar(places, [hour.size / unit for hour in hours], width=0.66, color=palette.bar)
    ]
    usual = [(place, hour.usual / unit) for place, hour in zip(places, hours, strict=True) if hour.usual]
    if usual:
        middles, heights = zip(*usual, strict=True)
        left, right = ([middle + side * 0.43 for middle in middles] for side in (-1, 1))
        drawn.append(axes.hlines(heights, left, right, colors=palette.usual, linewidth=2.4))
    axes.legend(
        drawn, names[: len(drawn)], loc="lower left", bbox_to_anchor=(-0.012, 1.0), ncols=2, frameon=False,
        handlelength=1.2, columnspacing=1.4, borderpad=0, labelcolor=palette.muted, prop={"size": POINTS},
    )  # fmt: skip
    _style_axes(axes, hours, money, palette)
    png = BytesIO()
    figure.savefig(png, format="png", facecolor=palette.card)
    return png.getvalue()


def _tick(size: float, most: float, money: bool) -> str:
    """£400; £50k where a scale goes beyond £10,000, so that it fits beside the bars."""
    shown = f"{size / 1000:,.0f}k" if most > 10_000 and size else f"{size:,.0f}"
    return f"{'£' if money else ''}{shown}"


def _style_axes(axes: "Axes", hours: list[Hour], money: bool, palette: Palette) -> None:
    axes.set_xticks(range(len(hours)), [hour.label for hour in hours], size=POINTS, color=palette.muted)
    axes.set_xlim(-0.6, len(hours) - 0.4)
    axes.locator_params(axis="y", nbins=4, integer=True)
    axes.yaxis.set_major_formatter(lambda size, _: _tick(size, axes.get_ylim()[1], money))
    axes.tick_params(axis="y", labelsize=POINTS, labelcolor=palette.muted, length=0)
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y", color=palette.line, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    top = axes.get_ylim()[1]
    longest = max(len(_tick(size, top, money)) for size in axes.get_yticks() if size <= top)
    left = 0.085 if longest <= 5 else 0.105  # room for £7,500
    axes.set_position((left, 0.115, 0.995 - left, 0.755))
