"""One ECharts chart that redraws only when its option changes."""

from collections.abc import Callable
from typing import Any

from ipecharts import EChartsRawWidget

from t3lib.dashboard.widgets.boxes import box


class Chart:
    """A chart that fills its box."""

    def __init__(self) -> None:
        # The option's colours are the page's CSS variables; ECharts' own theme must not follow JupyterLab's.
        self._echarts = EChartsRawWidget(option={}, renderer="svg", theme="light", style={"height": "100%"})
        # ipecharts 1.4 ignores CSS classes, so the style sheet styles a box around the chart.
        self.widget = box("t3-chart", self._echarts)

    def on_click(self, on_column: Callable[[int], None]) -> None:
        """Call `on_column` with the number (from 0) of a clicked column."""

        def clicked(event: Any) -> None:
            index = event.get("dataIndex") if isinstance(event, dict) else None
            if isinstance(index, int):
                on_column(index)

        self._echarts.on("click", None, clicked)

    @property
    def option(self) -> dict[str, Any]:
        """The option that is drawn."""
        option: dict[str, Any] = self._echarts.option
        return option

    def show(self, option: dict[str, Any]) -> None:
        """Draw an option; an unchanged one is not sent."""
        if option != self._echarts.option:
            self._echarts.option = option
