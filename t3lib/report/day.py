"""Every figure of one report, read in one snapshot, so that no two parts of a mail can disagree."""

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
import sqlalchemy as sa

from t3lib import business_day, metrics, warehouse
from t3lib.metrics import breakdown
from t3lib.metrics.contribution import Contribution, contribution
from t3lib.report.edition import Edition, edition

WEEKS = 4


@dataclass(frozen=True)
class Day:
    """One business day for one edition's readers; what has nothing to compare with is None.

    `hours` to `places`: one row each, with both measures and their _before and _usual (`breakdown.compared`)."""

    business_date: date
    edition: Edition
    sales: metrics.Totals
    before: metrics.Totals | None
    usual: metrics.Typical | None
    hours: pd.DataFrame
    trucks: pd.DataFrame
    payments: pd.DataFrame
    prices: pd.DataFrame
    menus: pd.DataFrame
    places: pd.DataFrame
    attention: tuple[metrics.Attention, ...]
    quality: metrics.DataQuality
    freshness: metrics.Freshness
    restated: pd.DataFrame
    contribution: Contribution | None
    inputs: dict[str, bool]


def read(business_date: str = "", edition_name: str = "cfo", url: str | None = None) -> Day:
    """All figures of a business day (ISO date; empty for yesterday's). Raises ValueError for another text."""
    day = date.fromisoformat(business_date) if business_date else business_day.today() - timedelta(days=1)
    with warehouse.engine(url).connect().execution_options(isolation_level="REPEATABLE READ") as db:
        return _figures(db, metrics.Scope(day, day), edition(edition_name))


def _figures(db: sa.Connection, scope: metrics.Scope, one: Edition) -> Day:
    week_before, usual = metrics.same_weekdays_before(scope)[0], metrics.typical(db, scope, WEEKS)
    return Day(
        business_date=scope.first,
        edition=one,
        sales=metrics.totals(db, scope),
        before=metrics.totals(db, week_before) if usual else None,
        usual=usual,
        hours=breakdown.compared(metrics.by_hour, "local_hour", db, scope, WEEKS),
        trucks=breakdown.compared(metrics.by_truck, "truck_id", db, scope, WEEKS),
        payments=breakdown.compared(metrics.by_payment, "payment_type", db, scope, WEEKS),
        prices=breakdown.compared(breakdown.by_price_point, "price_pence", db, scope, WEEKS),
        menus=breakdown.compared(breakdown.by_menu_type, "menu_type", db, scope, WEEKS),
        places=breakdown.compared(breakdown.by_place, "location_id", db, scope, WEEKS),
        attention=tuple(metrics.attention(db, scope.first)),
        quality=metrics.data_quality(db, scope),
        freshness=metrics.freshness(db),
        restated=_restated(db, scope.first),
        contribution=contribution(db, scope),
        inputs=breakdown.inputs(db),
    )


def _restated(db: sa.Connection, day: date) -> pd.DataFrame:
    """Earlier days that changed since the day began, when the mail before this one was about to be made."""
    since, until = business_day.bounds(day)[0], business_day.bounds(day + timedelta(days=1))[1]
    return metrics.restated_days(db, since, until, before=day)
