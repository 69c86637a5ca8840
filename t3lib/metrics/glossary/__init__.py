"""What every public figure means; `docs/kpis.md` is made from it and tested against it.

An entry stands in the module of the room of `t3lib.metrics` that computes the figure."""

from t3lib.metrics.glossary import demand, menus, money, sales, trust
from t3lib.metrics.glossary.entry import Entry

__all__ = ["GLOSSARY", "Entry", "markdown"]

# In the order of the page.
_ENTRIES = (
    *sales.TOTALS,
    *trust.QUALITY,
    *sales.BREAKDOWNS,
    *money.CONTRIBUTION,
    *money.VAT,
    *trust.RESTATEMENTS,
    *sales.PERIODS,
    *money.MARGINS,
    *money.PROFIT,
    *demand.PRICES_AND_HOURS,
    *menus.MATRIX,
    *menus.PRICE_CHANGES,
    *trust.BATCHES,
    *sales.HISTORY,
    *trust.RECONCILIATION,
    *money.PROOF,
)
GLOSSARY = {entry.field: entry for entry in _ENTRIES}


def markdown() -> str:
    """The glossary as `docs/kpis.md` holds it."""
    sections = [_HEAD]
    for entry in _ENTRIES:
        sections.append(
            f"## {entry.name}\n\n{entry.definition}\n\n"
            f"| field | formula | unit | source |\n|---|---|---|---|\n"
            f"| `{entry.field}` | {entry.formula} | {entry.unit} | {entry.source} |\n"
        )
    return "\n".join(sections)


_HEAD = """# What every figure means

Figures are computed in one place, `t3lib/metrics`; dashboard, report, CSV and notebooks call it.
This page is made by `python -m t3lib.metrics.glossary > docs/kpis.md`.

- **Business day**: local time (`T3_TIMEZONE`, Europe/London), from 04:00 (`T3_BUSINESS_DAY_START`) to the next
  04:00. A sale at 00:30 belongs to the evening before.
- **Same weekdays before**: a day is compared with the day a week before; a longer range with the same range
  shifted back by whole weeks, by the smallest multiple of seven days that is not shorter than the range.
- **Same time**: while a day trades, only its complete hours are compared: the local hours before the hour of
  the latest sale, with the same hours of the days before.
- **Usual**: the mean over the same weekdays of the four periods before; a period counts if it begins on or
  after the first day of data. What has nothing to be compared with shows no change.
- A column that ends in `_before` is the figure of the same weekdays before; in `_usual`, its usual.
- Days without a sale count as zero inside the range of days with data and before today.
- Money is whole pence everywhere and becomes pounds only where it is shown.

Contribution by truck, place, event, weekday, hour, menu type or dish, or of a part of the sales, shares out all costs:

| cost | whose it is | shared out inside it |
|---|---|---|
| goods, VAT, per sale, in percent; pitch fee in percent | the sale's | direct |
| of a truck per hour, day or month | the truck's business day | in equal parts to its trading hours |
| per shift; fixed pitch fee | the stay's business day | in equal parts to its trading hours |
| of the fleet per day or month | the business day | to all sales by their amount |

- Within an hour a cost goes to the sales by their amount. An hour between sales is at the place of the stay, else where
  the truck last sold.
- VAT of trucks and weekdays is that of VAT by rate, rounded by business day; of other parts it is that of their own
  sales at their rates.
- What no sale stands for has a row of its own, "Without a sale": days without one of the truck (month, pitch) or of the
  fleet; by dish, menu type and payment also the hours without one.
- Each cost adds up to the whole to the penny: parts are rounded down, and the pence that are left go to the largest
  remainders, of equal ones to the larger part. So a part may differ by a penny a cost from the same part alone,
  and by some of VAT over many days.
"""
