"""Every figure of T3, computed once: dashboard, report, CSV and analysts' notebooks call this.

Money is integer pence, days are business days, hours are local. `docs/kpis.md` defines each figure."""

from t3lib.metrics.activity import truck_states
from t3lib.metrics.attention import Attention, attention
from t3lib.metrics.batches import Completeness, batches, completeness
from t3lib.metrics.breakdown import by_menu_type, by_place, by_price_point, compared, menu_types
from t3lib.metrics.comparison import Typical, change_pct, typical, typical_by_hour, typical_by_hour_and_truck
from t3lib.metrics.concentration import Concentration, concentration, truck_shares
from t3lib.metrics.contribution import Contribution, contribution
from t3lib.metrics.days import by_day_and_truck, dishes, gatherings
from t3lib.metrics.demand import dead_hours, demand
from t3lib.metrics.growth import LikeForLike, like_for_like
from t3lib.metrics.margins import contribution_by_day_and_truck, contribution_by_truck
from t3lib.metrics.periods import (
    by_part_of_week,
    by_period,
    by_week_and_truck,
    by_weekday,
    per_trading_hour,
    periods_until,
)
from t3lib.metrics.prices import PriceSpread, affordable_pct, price_spread, prices
from t3lib.metrics.quality import DataQuality, Freshness, complete_until, data_quality, files_by_truck, freshness
from t3lib.metrics.ramp import ramp
from t3lib.metrics.reconciliation import Reconciliation, clean_rate, reconciliation
from t3lib.metrics.restatements import restated_days
from t3lib.metrics.sales import (
    Totals,
    by_day,
    by_hour,
    by_hour_and_truck,
    by_payment,
    by_price,
    by_truck,
    data_range,
    locations,
    payment_types,
    totals,
    trucks,
)
from t3lib.metrics.scope import Scope, earlier, same_weekdays_before
from t3lib.metrics.seasonality import seasonality
from t3lib.metrics.trailing import trailing_by_truck, trailing_months, year_before

from t3lib.metrics.frames import ask, figures, frame, pounds, recent, sql  # isort: skip  (it asks for what is above)

__all__ = [
    "Attention",
    "Completeness",
    "Concentration",
    "Contribution",
    "DataQuality",
    "Freshness",
    "LikeForLike",
    "PriceSpread",
    "Reconciliation",
    "Scope",
    "Totals",
    "Typical",
    "affordable_pct",
    "ask",
    "attention",
    "batches",
    "by_day",
    "by_day_and_truck",
    "by_hour",
    "by_hour_and_truck",
    "by_menu_type",
    "by_part_of_week",
    "by_payment",
    "by_period",
    "by_place",
    "by_price",
    "by_price_point",
    "by_truck",
    "by_week_and_truck",
    "by_weekday",
    "change_pct",
    "clean_rate",
    "compared",
    "complete_until",
    "completeness",
    "concentration",
    "contribution",
    "contribution_by_day_and_truck",
    "contribution_by_truck",
    "data_quality",
    "data_range",
    "dead_hours",
    "demand",
    "dishes",
    "earlier",
    "figures",
    "files_by_truck",
    "frame",
    "freshness",
    "gatherings",
    "like_for_like",
    "locations",
    "menu_types",
    "payment_types",
    "per_trading_hour",
    "periods_until",
    "pounds",
    "price_spread",
    "prices",
    "ramp",
    "recent",
    "reconciliation",
    "restated_days",
    "same_weekdays_before",
    "seasonality",
    "sql",
    "totals",
    "trailing_by_truck",
    "trailing_months",
    "truck_shares",
    "truck_states",
    "trucks",
    "typical",
    "typical_by_hour",
    "typical_by_hour_and_truck",
    "year_before",
]
