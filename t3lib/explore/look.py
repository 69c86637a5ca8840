"""A first look: what a new analyst wants to know first."""

import pandas as pd

from t3lib.explore import nothing, span
from t3lib.metrics import Scope
from t3lib.money import pounds


def finding(days: pd.DataFrame, trucks: pd.DataFrame, scope: Scope) -> str:
    """The size of the business, its largest truck and its best weekday (`by_day` and `by_truck` of a scope)."""
    gross = int(days["gross_sales_pence"].sum())
    if not gross:
        return nothing(scope)
    largest = trucks.loc[trucks["gross_sales_pence"].idxmax()]
    means = days.groupby(days["business_date"].dt.day_name())["gross_sales_pence"].mean()
    share = 100 * largest["gross_sales_pence"] / gross
    return (
        f"In {span(scope)}, {int(days['transactions'].sum()):,} sales brought {pounds(gross)}. "
        f"{largest['truck']} took {share:.0f}% of it; {means.idxmax()} is the best day, "
        f"with {pounds(round(means.max()), whole=True)} on average."
    )
