"""Every figure of T3, computed once: dashboard, report, CSV and analysts' notebooks call this.

Money is integer pence, days are business days, hours are local; "the measures" are transactions, gross_sales_pence and
average_ticket_pence. `docs/kpis.md` defines each figure."""

from t3lib.metrics.demand.places_and_hours import dead_hours, demand
from t3lib.metrics.demand.prices import PriceSpread, affordable_pct, price_spread, prices
from t3lib.metrics.menus.matrix import menu_matrix, menu_matrix_by_place, moves, nearest_to_better
from t3lib.metrics.menus.price_effects import price_effects
from t3lib.metrics.money.contribution import Contribution, contribution
from t3lib.metrics.money.contribution_by import contribution_by, contribution_in_all
from t3lib.metrics.money.margins import contribution_by_day_and_truck, contribution_by_truck
from t3lib.metrics.money.proof import (
    BankAgreement,
    ageing,
    bank_agreement,
    card_fees_by_provider,
    open_items,
    proof_of_cash,
    proof_of_cash_by_day,
)
from t3lib.metrics.money.vat import Quarter, VatReturn, quarter, quarter_of, vat_by_rate, vat_return
from t3lib.metrics.sales.breakdown import by_menu_type, by_place, by_price_point, compared, menu_types
from t3lib.metrics.sales.comparison import Typical, change_pct, typical, typical_by_hour, typical_by_hour_and_truck
from t3lib.metrics.sales.concentration import Concentration, concentration, truck_shares
from t3lib.metrics.sales.days import by_day_and_truck, dishes, gatherings
from t3lib.metrics.sales.growth import LikeForLike, like_for_like
from t3lib.metrics.sales.periods import (
    by_part_of_week,
    by_period,
    by_week_and_truck,
    by_weekday,
    partial_months,
    per_trading_hour,
    periods_until,
)
from t3lib.metrics.sales.ramp import ramp
from t3lib.metrics.sales.seasonality import seasonality
from t3lib.metrics.sales.totals import (
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
from t3lib.metrics.sales.trailing import trailing_by_truck, trailing_months, year_before
from t3lib.metrics.scope import Scope, earlier, same_weekdays_before
from t3lib.metrics.trust.activity import truck_states
from t3lib.metrics.trust.attention import Attention, attention
from t3lib.metrics.trust.batches import Completeness, batches, completeness, incomplete_days
from t3lib.metrics.trust.quality import DataQuality, Freshness, complete_until, data_quality, files_by_truck, freshness
from t3lib.metrics.trust.reconciliation import Reconciliation, clean_rate, reconciliation
from t3lib.metrics.trust.restatements import restated_days

from t3lib.metrics.frames import ask, figures, frame, pounds, recent, sql  # isort: skip  (it imports what is above)

__all__ = [
    "Attention",
    "BankAgreement",
    "Completeness",
    "Concentration",
    "Contribution",
    "DataQuality",
    "Freshness",
    "LikeForLike",
    "PriceSpread",
    "Quarter",
    "Reconciliation",
    "Scope",
    "Totals",
    "Typical",
    "VatReturn",
    "affordable_pct",
    "ageing",
    "ask",
    "attention",
    "bank_agreement",
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
    "card_fees_by_provider",
    "change_pct",
    "clean_rate",
    "compared",
    "complete_until",
    "completeness",
    "concentration",
    "contribution",
    "contribution_by",
    "contribution_by_day_and_truck",
    "contribution_by_truck",
    "contribution_in_all",
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
    "incomplete_days",
    "like_for_like",
    "locations",
    "menu_matrix",
    "menu_matrix_by_place",
    "menu_types",
    "moves",
    "nearest_to_better",
    "open_items",
    "partial_months",
    "payment_types",
    "per_trading_hour",
    "periods_until",
    "pounds",
    "price_effects",
    "price_spread",
    "prices",
    "proof_of_cash",
    "proof_of_cash_by_day",
    "quarter",
    "quarter_of",
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
    "vat_by_rate",
    "vat_return",
    "year_before",
]
