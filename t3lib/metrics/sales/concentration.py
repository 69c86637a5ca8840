"""How dependent sales are on a few trucks."""

from dataclasses import dataclass

import pandas as pd
import sqlalchemy as sa

from t3lib.metrics.display import Figures
from t3lib.metrics.sales.totals import by_truck
from t3lib.metrics.scope import Scope


@dataclass(frozen=True)
class Concentration(Figures):
    """The largest share of one truck, and the Herfindahl-Hirschman index: 10,000 when one truck sells all."""

    top_truck: str
    top_share_pct: float
    hhi: int


def truck_shares(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per truck, the largest first: truck_id, truck, the measures and share_pct of gross sales.

    >>> metrics.frame("truck_shares", week)[["truck", "gross_sales_pence", "share_pct"]].round(1)
                 truck  gross_sales_pence  share_pct
    0  Burrito Madness               2100       80.8
    1    SuperSmoothie                499       19.2
    """
    frame = by_truck(db, scope)
    gross = frame["gross_sales_pence"].sum()
    shares = 100 * frame["gross_sales_pence"] / gross if gross else float("nan")
    return frame.assign(share_pct=shares).sort_values(["gross_sales_pence", "truck_id"], ascending=[False, True])


def concentration(db: sa.Connection, scope: Scope) -> Concentration | None:
    """Concentration of a scope's sales; None without sales. HHI is the sum of the squared shares in percent.

    >>> found = metrics.ask(metrics.concentration, week)
    >>> found.top_truck, round(found.top_share_pct, 1), found.hhi
    ('Burrito Madness', 80.8, 6897)
    """
    frame = truck_shares(db, scope)
    if not frame["gross_sales_pence"].sum():
        return None
    top = frame.iloc[0]
    return Concentration(str(top["truck"]), float(top["share_pct"]), round(float((frame["share_pct"] ** 2).sum())))
