"""A figure that is not a KPI yet: how much of a truck's sales its best hour brings (new_kpi.ipynb)."""

import pandas as pd

from t3lib.dashboard.html import cards
from t3lib.explore import nothing, span
from t3lib.metrics import Scope


def card(peaks: pd.DataFrame) -> str:
    """The table as the dashboard would show it: truck, local hour, share of the truck's sales."""
    rows = [(str(row.truck), f"{row.local_hour:02d}:00", f"{row.peak_share_pct:.0f}%") for row in peaks.itertuples()]
    head = ("Truck", "Best hour", "Share of its sales")
    return cards.title("Best hours") + cards.table("Best hours", head, rows, numbers=(1, 2))


def finding(peaks: pd.DataFrame, scope: Scope) -> str:
    """Which truck depends most on one hour."""
    if peaks.empty:
        return nothing(scope)
    top = peaks.iloc[0]
    return (
        f"In {span(scope)} {top['truck']} took {top['peak_share_pct']:.0f}% of its sales in one hour of the day, "
        f"from {top['local_hour']:02d}:00: no other truck depends so much on its best hour."
    )
