"""The shape of a trading week over the whole history: which hours earn, and which hardly pay."""

import pandas as pd
from dask import dataframe as dd
from pandas.io.formats.style import Styler

from t3lib.charts.echarts import hours_between
from t3lib.money import pounds

WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_KEY = ["truck_id", "weekday", "local_hour"]


def by_hour_of_week(sales: dd.DataFrame) -> pd.DataFrame:
    """One row per truck x weekday (of the business day, 0 is Monday) x local hour, summed on the cluster."""
    placed = sales.assign(weekday=sales["business_date"].dt.weekday)
    summed = placed.groupby(_KEY)["total_pence"].agg(["count", "sum"]).compute()
    return (
        summed.set_axis(["transactions", "gross_sales_pence"], axis=1)
        .reset_index()
        .sort_values(_KEY, ignore_index=True)
    )


def heat_map(hours: pd.DataFrame) -> Styler:
    """Gross sales of all trucks by weekday and hour, the more the darker."""
    fleet = hours.pivot_table(index="weekday", columns="local_hour", values="gross_sales_pence", aggfunc="sum")
    fleet = fleet.reindex(columns=hours_between(fleet.columns)).fillna(0).astype("int64")
    shown = fleet.set_axis([WEEKDAYS[day] for day in fleet.index]).rename_axis(None)
    made = shown.style.format(lambda pence: pounds(pence, whole=True)).set_caption("Gross sales by local hour")
    return made if shown.empty else made.background_gradient("Greens", axis=None)


def quiet_hours(hours: pd.DataFrame, share_pct: float) -> pd.DataFrame:
    """One row per truck: its trading hours a week, and how many of the quietest together earn at most share_pct of its
    gross sales; the truck with the most of them first."""
    found = [_quiet(truck, own["gross_sales_pence"], share_pct) for truck, own in hours.groupby("truck_id")]
    columns = ["truck_id", "trading_hours", "quiet_hours", "quiet_sales_pence", "gross_sales_pence"]
    table = pd.DataFrame(found, columns=columns)
    return table.sort_values(["quiet_hours", "truck_id"], ascending=[False, True], ignore_index=True)


def finding(quiet: pd.DataFrame) -> str:
    """The truck with the most quiet hours, as a sentence."""
    if quiet.empty:
        return "The archive holds no sales of these months: run `t3 ingest`, then this notebook again."
    first = quiet.iloc[0]
    if not first["quiet_hours"]:
        return "Every trading hour earns its share: no truck has an hour that hardly pays."
    taken, all_of_it = pounds(int(first["quiet_sales_pence"])), pounds(int(first["gross_sales_pence"]))
    return (
        f"Truck {first['truck_id']} takes only {taken} of its {all_of_it} in {first['quiet_hours']} of its "
        f"{first['trading_hours']} trading hours a week: the first place to look for wages to save."
    )


def _quiet(truck: int, pence: pd.Series, share_pct: float) -> tuple[int, int, int, int, int]:
    earned = pence.sort_values().cumsum()
    quiet = earned[earned * 100 <= share_pct * pence.sum()]
    return truck, len(pence), len(quiet), int(quiet.max()) if len(quiet) else 0, int(pence.sum())
