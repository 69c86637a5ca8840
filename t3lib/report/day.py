"""Every figure of one report, read in one snapshot, so that no two parts of a mail can disagree."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

import pandas as pd
import sqlalchemy as sa

from t3lib import business_day, metrics, period, warehouse
from t3lib.editions import Edition, edition
from t3lib.metrics import Scope
from t3lib.metrics.money.contribution import Contribution, contribution
from t3lib.metrics.sales import breakdown, comparison
from t3lib.period import Period
from t3lib.report import buyers_pack, sent_figures
from t3lib.report.buyers_pack import Pack
from t3lib.report.sent_figures import Sent
from t3lib.warehouse.files import rulesets

WEEKS = 4


@dataclass(frozen=True)
class Day:
    """One business day, week or month for one edition's readers.

    `before` is the day a week before, or the week or month before. `usual` is the mean of four weeks; of a month it is
    the same month a year before, or, where the data do not reach back that far, the month before (`usual_of` says).
    Both are None without data to compare with.
    `hours` to `places`: one row each, with both measures and their _before and _usual (`breakdown.compared`); `days`
    only in an edition with that section."""

    period: Period
    edition: Edition
    sales: metrics.Totals
    before: metrics.Totals | None
    usual: metrics.Typical | None
    usual_of: Period | None
    hours: pd.DataFrame
    days: pd.DataFrame | None
    trucks: pd.DataFrame
    payments: pd.DataFrame
    prices: pd.DataFrame
    menus: pd.DataFrame
    places: pd.DataFrame
    attention: tuple[metrics.Attention, ...]
    quality: metrics.DataQuality
    reasons: dict[str, str]
    freshness: metrics.Freshness
    restated: pd.DataFrame
    contribution: Contribution | None
    inputs: dict[str, bool]
    pack: Pack
    sent: Sent | None

    @property
    def business_date(self) -> date:
        """The day, or the last one of the week or month."""
        return self.period.last


def read(business_date: str = "", edition_name: str = "cfo", url: str | None = None) -> Day:
    """All figures of the day, week or month that a business day lies in (ISO date; empty for the latest that is over).

    Raises ValueError for any other text."""
    one = edition(edition_name)
    if business_date:
        days = period.of(one.period, business_day.day_of(business_date))
    else:
        days = one.latest(business_day.today())
    with warehouse.engine(url).connect().execution_options(isolation_level="REPEATABLE READ") as db:
        return _figures(db, days, one)


def _figures(db: sa.Connection, days: Period, one: Edition) -> Day:
    scope = Scope(days.first, days.last)
    before, usual = _compared_with(db, days)
    compared = partial(_compared, db, scope, before, usual)
    return Day(
        period=days,
        edition=one,
        sales=metrics.totals(db, scope),
        before=metrics.totals(db, before[0]) if before else None,
        usual=comparison.mean(db, usual),
        usual_of=period.of("month", usual[0].last) if days.kind == "month" and usual else None,
        hours=compared(metrics.by_hour, "local_hour"),
        days=compared(metrics.by_weekday, "weekday") if "days" in one.sections else None,
        trucks=compared(metrics.by_truck, "truck_id"),
        payments=compared(metrics.by_payment, "payment_type"),
        prices=compared(breakdown.by_price_point, "price_pence"),
        menus=compared(breakdown.by_menu_type, "menu_type"),
        places=compared(breakdown.by_place, "location_id"),
        attention=tuple(metrics.attention(db, days.last)) if "attention" in one.sections else (),
        quality=metrics.data_quality(db, scope),
        reasons=rulesets.sentences(db),
        freshness=metrics.freshness(db),
        restated=metrics.restated_days(db, *_restatement_span(db, one, days), before=days.first),
        contribution=contribution(db, scope),
        inputs=breakdown.inputs(db),
        pack=buyers_pack.read(db, scope, one.sections),
        sent=sent_figures.latest(db, one, days.last),
    )


def _compared_with(db: sa.Connection, days: Period) -> tuple[list[Scope], list[Scope]]:
    """The scopes of `before` and `usual`, as far as the data cover them completely."""
    data = metrics.data_range(db)
    if data is None:
        return [], []
    scope, last = Scope(days.first, days.last), days.before
    if days.kind != "month":
        weeks = [week for week in metrics.same_weekdays_before(scope, WEEKS) if week.first >= data[0]]
        return weeks[:1], weeks
    month_before, year_before = Scope(last.first, last.last), metrics.year_before(scope)
    before = [month_before] if month_before.first >= data[0] else []
    return before, [year_before] if year_before.first >= data[0] else before


def _compared(
    db: sa.Connection,
    scope: Scope,
    before: Sequence[Scope],
    usual: Sequence[Scope],
    figure: Callable[[sa.Connection, Scope], pd.DataFrame],
    key: str,
) -> pd.DataFrame:
    return breakdown.beside(figure, key, db, scope, before=before, usual=usual)


def _restatement_span(db: sa.Connection, one: Edition, days: Period) -> tuple[datetime, datetime]:
    """Between which moments restatements are listed: from the previous report (else the start of this period) until the
    end of the day after the period."""
    made = sent_figures.made_at(db, one, before=days.last)
    until = business_day.bounds(days.last + timedelta(days=1))[1]
    return made or business_day.bounds(days.first)[0], until
