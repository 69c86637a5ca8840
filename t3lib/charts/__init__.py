"""Charts: `bars`, `lines` and `table` for notebooks; the dashboard's ECharts options are in `t3lib.charts.echarts`."""

from t3lib.charts.notebook import Picture, bars, lines, table

__all__ = ["Picture", "bars", "lines", "table"]
