"""Like-for-like growth: of the trucks that sold in both periods."""

from dataclasses import dataclass

import sqlalchemy as sa

from t3lib.metrics.display import Figures
from t3lib.metrics.sales.comparison import change_pct
from t3lib.metrics.sales.totals import by_truck
from t3lib.metrics.scope import Scope


@dataclass(frozen=True)
class LikeForLike(Figures):
    """Gross sales of the trucks that sold in both periods; new trucks and those that stopped are left out."""

    like_for_like_trucks: int
    like_for_like_pence: int
    like_for_like_before_pence: int

    @property
    def like_for_like_pct(self) -> float | None:
        """Their change in percent."""
        return change_pct(self.like_for_like_pence, self.like_for_like_before_pence)


def like_for_like(db: sa.Connection, scope: Scope, earlier: Scope) -> LikeForLike:
    """A scope against an earlier one, over the trucks with a sale in both.

    >>> found = metrics.ask(metrics.like_for_like, week, metrics.earlier(week))
    >>> found
    LikeForLike(like_for_like_trucks=2, like_for_like_pence=2599, like_for_like_before_pence=1199)
    >>> round(found.like_for_like_pct, 1)
    116.8
    """
    columns = ["truck_id", "gross_sales_pence"]
    now, before = (dict(by_truck(db, one)[columns].itertuples(index=False)) for one in (scope, earlier))
    both = [truck for truck in now if now[truck] and before.get(truck)]
    return LikeForLike(len(both), int(sum(now[t] for t in both)), int(sum(before[t] for t in both)))
