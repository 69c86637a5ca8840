"""One ECharts chart that redraws only when its option changes."""

from collections.abc import Callable
from typing import Any

from ipecharts import EChartsRawWidget

from t3lib.dashboard.widgets.boxes import box


class Chart:
    """A chart as large as its place in the page."""

    def __init__(self) -> None:
        # The theme of the page is in the colours of the option; ECharts' own must not follow JupyterLab's.
        self._echarts = EChartsRawWidget(option={}, renderer="svg", theme="light", style={"height": "100%"})
        # ipecharts 1.4 shows no class of its own, so the style sheet reaches the chart through a box.
        self.widget = box("t3-chart", self._echarts)

    def on_click(self, on_column: Callable[[int], None]) -> None:
        """Call with the number of the column that a visitor clicks, from 0."""

        def clicked(event: Any) -> None:
            index = event.get("dataIndex") if isinstance(event, dict) else None
            if isinstance(index, int):
                on_column(index)

        self._echarts.on("click", None, clicked)

    @property
    def option(self) -> dict[str, Any]:
        """What is drawn."""
        return self._echarts.option

    def show(self, option: dict[str, Any]) -> None:
        """Draw an option; the same option again is not sent."""
        if option != self._echarts.option:
            self._echarts.option = option
