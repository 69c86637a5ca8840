"""Seasonality: average sales of a truck on a trading day, by month of the year and by weekday."""

import pandas as pd
import sqlalchemy as sa

from t3lib.metrics.sales.totals import half_up
from t3lib.metrics.scope import SCOPED, Scope, bound

GRAINS = {"month": "month", "weekday": "isodow"}
_SEASONS = (
    SCOPED
    + """,
truck_day AS (
    SELECT truck_id, business_date, sum(total_pence) AS pence FROM sales GROUP BY truck_id, business_date
)
SELECT CAST(extract({part} FROM business_date) AS integer) AS season, count(*) AS truck_days,
       sum(pence)::bigint AS gross_sales_pence
FROM truck_day GROUP BY season ORDER BY season"""
)


def seasonality(db: sa.Connection, scope: Scope, grain: str = "month") -> pd.DataFrame:
    """One row per season with a sale: season (month 1-12, or weekday 1-7 from Monday), truck_days (truck x day with a
    sale), gross_sales_pence, sales_per_truck_day_pence, season_index (100 is the mean of all truck days of the scope).

    Measured per truck and day, so that a growing fleet or months of different length do not look like a season.

    >>> metrics.frame("seasonality", week, grain="weekday")[["season", "truck_days", "season_index"]].round(1)
       season  truck_days  season_index
    0       3           1          80.8
    1       4           2         109.6
    """
    if grain not in GRAINS:
        raise ValueError(f"a season is a month or a weekday, not {grain}")
    result = db.execute(sa.text(_SEASONS.format(part=GRAINS[grain])), bound(scope))
    frame = pd.DataFrame(result.all(), columns=list(result.keys()))
    pairs = list(zip(frame["gross_sales_pence"].map(int), frame["truck_days"].map(int), strict=True))
    pence, days = (sum(values) for values in zip(*pairs, strict=True)) if pairs else (0, 0)
    index = [100 * sold * days / (pence * out) for sold, out in pairs]
    each = pd.array([half_up(*pair) for pair in pairs], "Int64")
    return frame.assign(sales_per_truck_day_pence=each, season_index=pd.array(index, "Float64"))
