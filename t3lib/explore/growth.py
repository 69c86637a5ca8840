"""Growth of the trucks that were there before."""

import pandas as pd

from t3lib import metrics
from t3lib.explore import more_or_less, nothing, span
from t3lib.metrics import LikeForLike, Scope
from t3lib.money import pounds


def by_truck(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """One row per truck of two `by_truck` tables: both gross sales, change_pct (missing where there was nothing
    before), is_like_for_like (sold in both); the largest growth first."""
    key = ["truck_id", "truck", "gross_sales_pence"]
    both = now[key].astype({"truck": str}).merge(before[["truck_id", "gross_sales_pence"]], "outer", on="truck_id",
                                                 suffixes=("", "_before"))  # fmt: skip
    filled = both.fillna({"gross_sales_pence": 0, "gross_sales_pence_before": 0})
    pairs = list(zip(filled["gross_sales_pence"], filled["gross_sales_pence_before"], strict=True))
    made = filled.assign(
        change_pct=pd.array([metrics.change_pct(*pair) for pair in pairs], "Float64"),
        is_like_for_like=[bool(new and old) for new, old in pairs],
    )
    return made.sort_values("change_pct", ascending=False, na_position="last", ignore_index=True)


def whole_weeks(weeks: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """`by_week_and_truck` without the weeks that a scope cuts: half a week would look like a fall."""
    first = weeks["period_first"]
    inside = (first >= pd.Timestamp(scope.first)) & (first + pd.Timedelta(days=6) <= pd.Timestamp(scope.last))
    return weeks[inside].reset_index(drop=True)


def finding(found: LikeForLike, trucks: pd.DataFrame, scope: Scope, days_before: int) -> str:
    """Like-for-like growth beside growth of the whole fleet; days_before: how many of the days before have data."""
    if not trucks["gross_sales_pence"].sum():
        return nothing(scope)
    if found.like_for_like_pct is None:
        return f"No truck sold both in {span(scope)} and in the same weekdays before: choose fewer days."
    if days_before < scope.days:
        return f"Only {days_before} of the {scope.days} days before are in the data: choose fewer days."
    kept = trucks[trucks["is_like_for_like"]]
    others = ""
    change = metrics.change_pct(trucks["gross_sales_pence"].sum(), trucks["gross_sales_pence_before"].sum())
    if len(kept) < len(trucks) and change is not None:
        others = f" ({more_or_less(change)} with every truck)"
    best, worst = (f"{row['truck']} ({row['change_pct']:+.1f}%)" for row in (kept.iloc[0], kept.iloc[-1]))
    return (
        f"{found.like_for_like_trucks} trucks sold in both periods: in {span(scope)} they took "
        f"{pounds(found.like_for_like_pence)}, {more_or_less(found.like_for_like_pct)} than before{others}. "
        f"{best} grew most, {worst} least."
    )
