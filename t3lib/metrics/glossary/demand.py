"""Demand: prices paid, and hours with hardly a sale."""

from t3lib.metrics.glossary.entry import Entry

_HOURLY = "mart.sales_hourly"

PRICES_AND_HOURS = (
    Entry(
        "p10_price_pence",
        "Low price (p10)",
        "One sale in ten is at this price or below.",
        "10th percentile of paid prices",
        "pence",
        "mart.price_daily",
    ),
    Entry(
        "median_price_pence",
        "Median price",
        "Half of the sales are at this price or below.",
        "50th percentile of paid prices",
        "pence",
        "mart.price_daily",
    ),
    Entry(
        "p90_price_pence",
        "High price (p90)",
        "Nine sales in ten are at this price or below.",
        "90th percentile of paid prices",
        "pence",
        "mart.price_daily",
    ),
    Entry(
        "days_out",
        "Days out",
        "Days on which an hour lay between a truck's first and last sale.",
        "count of days",
        "days",
        _HOURLY,
    ),
    Entry(
        "dead_days",
        "Dead days",
        "Days out on which the hour had at most one sale.",
        "count of days with at most one sale in the hour",
        "days",
        _HOURLY,
    ),
    Entry(
        "dead_share_pct",
        "Dead hours",
        "How often an hour between a truck's first and last sale of the day has at most one sale.",
        "dead days / days out",
        "percent",
        _HOURLY,
    ),
)
