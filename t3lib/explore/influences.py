"""Rain and festivals: each truck's day against its own ordinary days of the same weekday."""

import csv
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from t3lib.explore import more_or_less, nothing, span
from t3lib.metrics import Scope
from t3lib.simulate.demand import rains

SEED = 1  # of the fleet that `t3 demo` and `t3 simulate` make up
KINDS = ("festival", "wet", "ordinary")


def wet_days(scope: Scope, weather_csv: str = "") -> list[date]:
    """Days with rain: of a CSV (columns business_date, is_wet with 1 or 0), or else of the made-up fleet's weather."""
    days = [scope.first + timedelta(days=n) for n in range(scope.days)]
    if not weather_csv:
        return [day for day in days if rains(day, SEED)]
    with Path(weather_csv).open(newline="") as file:
        wet = {row["business_date"] for row in csv.DictReader(file) if row["is_wet"] == "1"}
    return [day for day in days if day.isoformat() in wet]


def labelled(sales: pd.DataFrame, wet: list[date], gatherings: pd.DataFrame) -> pd.DataFrame:
    """`by_day_and_truck` with `kind` (festival wins over wet) and usual_pence: the mean of the truck's ordinary days
    of that weekday, missing where it has none."""
    made = sales.assign(weekday=sales["business_date"].dt.day_of_week, kind="ordinary")
    made.loc[made["business_date"].isin(pd.to_datetime(pd.Series(wet, dtype=object))), "kind"] = "wet"
    made.loc[made["business_date"].isin(gatherings["business_date"]), "kind"] = "festival"
    key = ["truck_id", "weekday"]
    ordinary = made[made["kind"] == "ordinary"].groupby(key)["gross_sales_pence"].mean()
    usual = ordinary.rename("usual_pence").round().astype("Int64").reset_index()
    return made.merge(usual, "left", on=key)


def effects(days: pd.DataFrame) -> pd.DataFrame:
    """One row per kind of day: days, truck_days that can be compared, gross_sales_pence of these, usual_pence and
    change_pct."""
    return pd.DataFrame([_effect(kind, days[days["kind"] == kind]) for kind in KINDS])


def finding(found: pd.DataFrame, scope: Scope) -> str:
    """What a wet day costs and a festival brings."""
    by_kind = found.set_index("kind")
    if not found["days"].sum():
        return nothing(scope)
    return f"In {span(scope)}: " + "; ".join(_said(kind, by_kind.loc[kind]) for kind in KINDS[:2]) + "."


def _effect(kind: str, days: pd.DataFrame) -> dict[str, object]:
    known = days[days["usual_pence"].notna()]
    taken, usual = int(known["gross_sales_pence"].sum()), int(known["usual_pence"].sum())
    return {"kind": kind, "days": days["business_date"].nunique(), "truck_days": len(known),
            "gross_sales_pence": taken, "usual_pence": usual,
            "change_pct": 100 * (taken - usual) / usual if usual else float("nan")}  # fmt: skip


def _said(kind: str, row: pd.Series) -> str:
    days = f"{int(row['days'])} {kind} {'day' if row['days'] == 1 else 'days'}" if row["days"] else f"no {kind} day"
    if pd.isna(row["change_pct"]):
        return days + (", and no ordinary one of the weekday to compare with" if row["days"] else "")
    return f"{days} took {more_or_less(row['change_pct'])} than usual for the weekday"
