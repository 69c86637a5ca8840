"""Everything that one page shows, read in one transaction."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import pandas as pd
import sqlalchemy as sa

from t3lib import business_day, metrics
from t3lib.dashboard import formatting
from t3lib.dashboard import state as states
from t3lib.dashboard.state import State
from t3lib.metrics import Attention, DataQuality, Freshness, Scope, Totals, Typical
from t3lib.metrics.sales.breakdown import inputs

CONTEXT_DAYS = 28


@dataclass(frozen=True)
class View:
    """The figures of a state.

    `recorded`: first and last business day with sales; `comparable` is the part of the totals that is compared with
    `before` and `usual`."""

    state: State
    scope: Scope
    earlier: Scope | None
    today: date
    recorded: tuple[date, date] | None
    freshness: Freshness
    names: dict[int, str]
    places: dict[int, str]
    menus: list[str]
    totals: Totals
    comparable: Totals
    before: Totals | None
    usual: Typical | None
    until_hour: int | None
    hours: pd.DataFrame
    usual_hours: pd.DataFrame
    days: pd.DataFrame
    trucks: pd.DataFrame
    trucks_before: dict[int, int]
    states: pd.DataFrame
    heat: pd.DataFrame
    payments: pd.DataFrame
    quality: DataQuality
    attention: list[Attention]

    @property
    def line(self) -> str:
        """The name of the comparison line in the chart by hour; empty without one."""
        if self.state.compare == "weekdays":
            return formatting.usual(self.scope, self.usual.weeks) if self.usual else ""
        return formatting.day_before(self.scope, self.state.compare) if self.before else ""

    @property
    def one_day(self) -> bool:
        return self.scope.days == 1

    @property
    def fallen_back(self) -> bool:
        """Whether an earlier day is shown because today has no sale yet."""
        return self.state.preset == "today" and self.scope.last < self.today


def read(db: sa.Connection, state: State) -> View:
    """The view of a state; choices that are not in the data, such as an unknown truck, are dropped."""
    names, recorded, today = metrics.trucks(db), metrics.data_range(db), business_day.today()
    places = metrics.locations(db) if inputs(db)["pitches"] else {}
    menus = metrics.menu_types(db)
    state = replace(
        state,
        trucks=tuple(truck for truck in state.trucks if truck in names),
        places=tuple(place for place in state.places if place in places),
        menus=tuple(menu for menu in state.menus if menu in menus),
    )
    scope = states.scope(state, today, recorded)
    until = metrics.complete_until(db, scope.last)
    cut = replace(scope, until_hour=until)
    earlier = metrics.earlier(cut, state.compare)
    if not (earlier and recorded and earlier.first >= recorded[0]):
        earlier = None
    context = replace(scope, first=min(scope.first, scope.last - timedelta(days=CONTEXT_DAYS - 1)))
    per_truck = metrics.by_truck(db, earlier)[["truck_id", "gross_sales_pence"]] if earlier else pd.DataFrame()
    usual = metrics.typical(db, cut) if state.compare == "weekdays" else None
    return View(
        state=state,
        scope=scope,
        earlier=earlier,
        today=today,
        recorded=recorded,
        freshness=metrics.freshness(db),
        names=names,
        places=places,
        menus=menus,
        totals=metrics.totals(db, scope),
        comparable=metrics.totals(db, cut),
        before=metrics.totals(db, earlier) if earlier else None,
        usual=usual,
        until_hour=until,
        hours=metrics.by_hour(db, scope),
        usual_hours=_line(db, scope, earlier, state.compare),
        days=metrics.by_day(db, context),
        trucks=_with_comparable(metrics.by_truck(db, scope), metrics.by_truck(db, cut)),
        trucks_before=dict(per_truck.itertuples(index=False)),
        states=metrics.truck_states(db, scope.last),
        heat=metrics.by_hour_and_truck(db, scope),
        payments=metrics.by_payment(db, scope),
        quality=metrics.data_quality(db, scope),
        attention=metrics.attention(db, scope.last, scope.trucks),
    )


def _line(db: sa.Connection, scope: Scope, earlier: Scope | None, compare: str) -> pd.DataFrame:
    """Gross sales by hour to compare with: complete days, so that a day that still trades shows what to expect."""
    if compare == "weekdays":
        return metrics.typical_by_hour(db, scope)
    if earlier is None:
        return pd.DataFrame({"local_hour": [], "gross_sales_pence": []}, dtype="int64")
    return metrics.by_hour(db, replace(earlier, until_hour=None))


def _with_comparable(trucks: pd.DataFrame, cut: pd.DataFrame) -> pd.DataFrame:
    pence = dict(zip(cut["truck_id"], cut["gross_sales_pence"], strict=True))
    return trucks.assign(comparable_pence=[pence.get(truck, 0) for truck in trucks["truck_id"]])
