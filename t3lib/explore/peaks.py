"""A figure that is not a KPI yet: how much of a truck's sales its best hour brings (new_kpi.ipynb)."""

import pandas as pd

from t3lib.explore import nothing, span
from t3lib.metrics import Scope


def finding(peaks: pd.DataFrame, scope: Scope) -> str:
    """Which truck depends most on one hour."""
    if peaks.empty:
        return nothing(scope)
    top = peaks.iloc[0]
    return (
        f"In {span(scope)} {top['truck']} took {top['peak_share_pct']:.0f}% of its sales in one hour of the day, "
        f"from {top['local_hour']:02d}:00: no other truck depends so much on its best hour."
    )
