"""What every public figure means; `docs/kpis.md` is made from it and tested against it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One figure: its field in `t3lib.metrics`, name, definition, formula, unit and source table."""

    field: str
    name: str
    definition: str
    formula: str
    unit: str
    source: str


_HOURLY = "mart.sales_hourly"
_ENTRIES = (
    Entry(
        "gross_sales_pence",
        "Gross sales",
        "What customers paid in accepted sales of the chosen business days, VAT included.",
        "sum(total_pence)",
        "pence",
        _HOURLY,
    ),
    Entry(
        "transactions",
        "Transactions",
        "Number of accepted sales; a row that was rejected is not one.",
        "sum(transactions)",
        "sales",
        _HOURLY,
    ),
    Entry(
        "average_ticket_pence",
        "Average ticket",
        "Average amount of a sale, to the nearest penny, halves up.",
        "gross sales / transactions",
        "pence",
        _HOURLY,
    ),
    Entry(
        "card_share_pct",
        "Card share",
        "Share of gross sales that was paid by card.",
        "gross sales by card / gross sales",
        "percent",
        _HOURLY,
    ),
    Entry(
        "share_pct",
        "Share of sales",
        "Share of gross sales from one payment type or truck.",
        "its gross sales / gross sales",
        "percent",
        _HOURLY,
    ),
    Entry(
        "top_truck",
        "Largest truck",
        "The truck with the most gross sales.",
        "truck of max(gross sales)",
        "name",
        _HOURLY,
    ),
    Entry(
        "top_share_pct",
        "Largest share",
        "Share of gross sales from the largest truck.",
        "gross sales of the largest truck / gross sales",
        "percent",
        _HOURLY,
    ),
    Entry(
        "hhi",
        "Concentration (HHI)",
        "Herfindahl-Hirschman index of the trucks' shares: 10,000 when one truck sells all, 1,667 for six alike.",
        "sum of squared shares in percent",
        "index",
        _HOURLY,
    ),
    Entry(
        "price_pence",
        "Price",
        "An amount that customers paid; one sale counts as one price.",
        "total_pence of a sale",
        "pence",
        "mart.price_daily",
    ),
    Entry(
        "weeks",
        "Weeks compared",
        "How many earlier periods the usual is the mean of: those for which all data are loaded.",
        "count of periods",
        "periods",
        _HOURLY,
    ),
    Entry(
        "files",
        "Files",
        "Loaded files that hold a sale of the chosen days, or are batches of them.",
        "count of loaded files",
        "files",
        "mart.file",
    ),
    Entry(
        "files_not_loaded",
        "Files not loaded",
        "Files of the chosen days that could not be read, or are held because their content is known already.",
        "count of files that are unreadable, without the right header, or held",
        "files",
        "mart.file",
    ),
    Entry(
        "rows_read",
        "Rows read",
        "Rows of the chosen days in loaded files, whatever became of them.",
        "rows loaded + rows rejected",
        "rows",
        "mart.sales_hourly, mart.rejected_daily",
    ),
    Entry("rows_loaded", "Rows loaded", "Rows that became a sale.", "sum(transactions)", "rows", _HOURLY),
    Entry(
        "rows_rejected",
        "Rows rejected",
        "Rows that are not a sale; each is kept with its raw text and a reason.",
        "sum(rows)",
        "rows",
        "mart.rejected_daily",
    ),
    Entry(
        "rejected",
        "Rejected by reason",
        "The rejected rows by their reason code.",
        "sum(rows) by reason",
        "rows",
        "mart.rejected_daily",
    ),
    Entry(
        "rejected_pct",
        "Rejected share",
        "Share of the rows read that were rejected.",
        "rows rejected / rows read",
        "percent",
        "mart.sales_hourly, mart.rejected_daily",
    ),
    Entry(
        "loaded_at",
        "Loaded at",
        "When the figures last changed.",
        "loaded_at",
        "moment (UTC)",
        "mart.watermark",
    ),
    Entry(
        "last_sale_at",
        "Last sale",
        "When the latest sale was made, of the fleet or of one truck.",
        "max(last_sale_at)",
        "moment (UTC)",
        "mart.watermark, mart.file",
    ),
    Entry(
        "version",
        "Version",
        "Grows with every change of any figure; two pages with the same version agree.",
        "version",
        "count",
        "mart.watermark",
    ),
    Entry(
        "state",
        "Truck state",
        "Trading: sold in the last two complete hours of the fleet or since. Silent: it did not, though on "
        "the same weekdays before it usually sells then. Off: it neither sells nor usually does.",
        "gross sales of the last two hours, against the 4-week average of the same hours",
        "trading, silent or off",
        _HOURLY,
    ),
    Entry(
        "attention",
        "Needs attention",
        "At most three things: a truck silent at a time when it sells, a card reader without a card sale, "
        "sales or rejected rows out of the ordinary.",
        "outside median ± 3 × median absolute deviation of 8 same weekdays (at least ± 10%), "
        "or by other numbers of `[attention]` in editions.toml",
        "text",
        "mart.sales_hourly, mart.rejected_daily",
    ),
    Entry(
        "transactions_share_pct",
        "Share of transactions",
        "Share of all transactions that were made at a price.",
        "transactions at the price / transactions",
        "percent",
        "mart.price_daily",
    ),
    Entry(
        "busiest_hour",
        "Busiest hour",
        "The local hour with the most sales at a place; of equal hours the earlier.",
        "hour with max(transactions)",
        "local hour",
        _HOURLY,
    ),
    Entry(
        "costs",
        "Costs",
        "The total of each cost of metadata/costs.csv, and the unit costs of metadata/menu.csv for what was sold. VAT "
        "is the part contained in gross sales, a card cost is of card sales, other percents are of gross sales; a "
        "truck's daily cost counts on days that it trades, a monthly cost is spread over its days.",
        "sum of each cost, rounded half up",
        "pence",
        "mart.sales_hourly, mart.price_daily, core.cost, core.menu_item",
    ),
    Entry(
        "contribution_pence",
        "Contribution",
        "Gross sales less all costs; needs metadata/costs.csv.",
        "gross sales - costs",
        "pence",
        "mart.sales_hourly, mart.price_daily, core.cost, core.menu_item",
    ),
    Entry(
        "margin_pct",
        "Margin",
        "Contribution as a share of gross sales.",
        "contribution / gross sales",
        "percent",
        "mart.sales_hourly, mart.price_daily, core.cost, core.menu_item",
    ),
    Entry(
        "without_goods_pence",
        "Sales without cost of goods",
        "Gross sales at prices for which metadata/menu.csv has no unit cost; their goods are not in the costs.",
        "sum(price x transactions) without a unit cost",
        "pence",
        "mart.price_daily, core.menu_item",
    ),
    Entry(
        "pence_change",
        "Restated sales",
        "How much the gross sales of an earlier day were changed by a corrected, late or withdrawn file, a changed "
        "rule or a repair.",
        "sum(pence after - pence before)",
        "pence",
        "mart.restatement",
    ),
    Entry(
        "rows_change",
        "Restated transactions",
        "How many sales of an earlier day were added or removed in the same way.",
        "sum(rows after - rows before)",
        "sales",
        "mart.restatement",
    ),
    Entry(
        "period_first",
        "Week or month",
        "The first day of a week (a Monday) or a month; at the edges of a choice it may be cut.",
        "date_trunc(business_date)",
        "date",
        _HOURLY,
    ),
    Entry("trading_days", "Trading days", "Business days with a sale.", "count of days", "days", _HOURLY),
    Entry(
        "trading_hours",
        "Trading hours",
        "Local hours in which a truck made a sale, counted on every day.",
        "count of truck x day x hour with a sale",
        "hours",
        _HOURLY,
    ),
    Entry(
        "sales_per_hour_pence",
        "Sales per trading hour",
        "Average gross sales of an hour with a sale, to the nearest penny.",
        "gross sales / trading hours",
        "pence",
        _HOURLY,
    ),
    Entry(
        "sales_per_day_pence",
        "Sales per trading day",
        "Average gross sales of a day with a sale, to the nearest penny.",
        "gross sales / trading days",
        "pence",
        _HOURLY,
    ),
    Entry(
        "part_of_week",
        "Part of the week",
        "Monday to Friday, or Saturday and Sunday.",
        "isodow of the business day up to 5, or above",
        "name",
        _HOURLY,
    ),
    Entry("weekday", "Weekday", "1 is Monday, 7 is Sunday.", "isodow of the business day", "number", _HOURLY),
    Entry(
        "like_for_like_trucks",
        "Trucks compared",
        "How many trucks sold in both periods.",
        "count of trucks",
        "trucks",
        _HOURLY,
    ),
    Entry(
        "like_for_like_pence",
        "Like-for-like sales",
        "Gross sales of the trucks that sold in both periods.",
        "sum(total_pence) of these trucks",
        "pence",
        _HOURLY,
    ),
    Entry(
        "like_for_like_before_pence",
        "Like-for-like sales before",
        "The same trucks' gross sales in the period compared with.",
        "sum(total_pence) of these trucks",
        "pence",
        _HOURLY,
    ),
    Entry(
        "like_for_like_pct",
        "Like-for-like growth",
        "Change of gross sales over the trucks that sold in both periods: new trucks and those that stopped are left "
        "out.",
        "like-for-like sales / like-for-like sales before - 1",
        "percent",
        _HOURLY,
    ),
    Entry(
        "card_fees_pence",
        "Card fees",
        "Total of the costs in metadata/costs.csv whose name contains card.",
        "sum of costs with card in their name",
        "pence",
        "mart.sales_hourly, core.cost",
    ),
    Entry(
        "variable_costs_pence",
        "Variable costs",
        "Costs of one truck that grow with its sales: VAT, goods, fees per sale or in percent.",
        "costs per sale and in percent + cost of goods",
        "pence",
        "mart.sales_hourly, mart.price_daily, core.cost, core.menu_item",
    ),
    Entry(
        "fixed_costs_pence",
        "Fixed costs",
        "Costs of one truck per day or month; the fleet's own costs are not in it.",
        "costs per day and month of the truck",
        "pence",
        "mart.sales_hourly, core.cost",
    ),
    Entry(
        "break_even_transactions",
        "Break-even",
        "Sales a day at which a truck covers its fixed costs, rounded up; the fleet's own costs are not in it.",
        "fixed costs a day / (average ticket - variable costs of a sale)",
        "sales a day",
        "mart.sales_hourly, mart.price_daily, core.cost, core.menu_item",
    ),
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
    Entry(
        "batch_state",
        "Batch",
        "Loaded; not loaded (unreadable, wrong header or held); missing: no file, though expected.",
        "state of the truck's files of a batch",
        "loaded, not loaded or missing",
        "mart.file",
    ),
    Entry(
        "expected",
        "Expected batch",
        "A truck's batch that arrived on at least two of the four same weekdays before; from an hour after its time.",
        "count over 28 days >= 2",
        "yes or no",
        "mart.file",
    ),
    Entry("batches_expected", "Batches expected", "Number of expected batches.", "count", "batches", "mart.file"),
    Entry(
        "batches_missing",
        "Batches missing",
        "Expected batches without a loaded file.",
        "count of expected batches not loaded",
        "batches",
        "mart.file",
    ),
    Entry(
        "complete_pct",
        "Completeness",
        "Share of the expected batches that are loaded.",
        "expected batches loaded / expected batches",
        "percent",
        "mart.file",
    ),
    Entry(
        "trailing_pence",
        "Trailing twelve months",
        "Gross sales of the calendar month of the last chosen day, up to that day, and of the eleven months before.",
        "sum(total_pence) of these months",
        "pence",
        _HOURLY,
    ),
    Entry(
        "trailing_share_pct",
        "Share of twelve months",
        "Share of the gross sales of these months from one truck.",
        "its gross sales / gross sales of these months",
        "percent",
        _HOURLY,
    ),
    Entry(
        "trailing_months",
        "Months with sales",
        "Number of these months in which a truck made a sale.",
        "count of months with a sale",
        "months",
        _HOURLY,
    ),
    Entry(
        "trailing_before_pence",
        "Twelve months before",
        "Gross sales of the same dates a year before; missing where the data do not reach back to their first day.",
        "sum(total_pence) of the same dates a year before",
        "pence",
        _HOURLY,
    ),
    Entry(
        "season",
        "Season",
        "A month of the year (1 to 12) or a weekday (1 is Monday).",
        "part of the business day",
        "number",
        _HOURLY,
    ),
    Entry(
        "truck_days",
        "Truck days",
        "Trading days, counted once for every truck that made a sale.",
        "count of truck x day with a sale",
        "days",
        _HOURLY,
    ),
    Entry(
        "sales_per_truck_day_pence",
        "Sales per truck and day",
        "Average gross sales of a truck on a day with a sale, to the nearest penny.",
        "gross sales / truck days",
        "pence",
        _HOURLY,
    ),
    Entry(
        "season_index",
        "Seasonal index",
        "Sales per truck and day of a month or weekday; 100 is the mean of all truck days compared. A growing fleet "
        "or months of different length do not look like a season.",
        "100 x sales per truck and day / their mean",
        "index",
        _HOURLY,
    ),
    Entry(
        "first_sale_on",
        "First sale",
        "The business day of a truck's first sale ever; a truck that sold in the first 28 days of the data may have "
        "sold before them and is no new truck.",
        "min(business_date)",
        "date",
        _HOURLY,
    ),
    Entry(
        "ramp_week",
        "Week since the first sale",
        "1 begins on the day of the first sale; whole weeks only.",
        "weeks since the first sale + 1",
        "number",
        _HOURLY,
    ),
    Entry(
        "established_pence",
        "Established trucks",
        "Mean gross sales, in the same seven days, of the trucks that are not new and sold in them.",
        "gross sales of these trucks / their number",
        "pence",
        _HOURLY,
    ),
    Entry(
        "ramp_pct",
        "Ramp",
        "A new truck's gross sales of a week, in percent of what an established truck sells in the same days.",
        "gross sales / established trucks",
        "percent",
        _HOURLY,
    ),
    Entry(
        "clean_pct",
        "Share of clean data",
        "Share of the rows read that became a sale.",
        "rows loaded / rows read",
        "percent",
        "mart.sales_hourly, mart.rejected_daily",
    ),
    Entry(
        "ledger_files",
        "Files in the ledger",
        "Loaded files whose batch, or one of whose sales, is of the chosen days.",
        "count of loaded files",
        "files",
        "mart.file",
    ),
    Entry(
        "ledger_files_not_loaded",
        "Files outside the figures",
        "Files of the chosen days that are unreadable, without the right header, or held.",
        "count of these files",
        "files",
        "mart.file",
    ),
    Entry(
        "ledger_rows_read", "Rows in the ledger", "Rows of these loaded files.", "sum(rows_read)", "rows", "mart.file"
    ),
    Entry(
        "ledger_rows_loaded",
        "Rows loaded in the ledger",
        "Rows of these files that became a sale.",
        "sum(rows_loaded)",
        "rows",
        "mart.file",
    ),
    Entry(
        "ledger_rows_rejected",
        "Rows rejected in the ledger",
        "Rows of these files that are kept as rejects.",
        "sum(rows_rejected)",
        "rows",
        "mart.file",
    ),
    Entry(
        "ledger_pence",
        "Pence in the ledger",
        "Gross sales of these files according to the ledger.",
        "sum(pence_loaded)",
        "pence",
        "mart.file",
    ),
    Entry(
        "other_days_rows",
        "Sales of other days",
        "Sales in these files that belong to days outside the choice.",
        "count of sales",
        "sales",
        "mart.sale",
    ),
    Entry(
        "other_days_pence",
        "Pence of other days",
        "Gross sales of these sales.",
        "sum(total_pence)",
        "pence",
        "mart.sale",
    ),
    Entry(
        "rows_difference",
        "Rows unexplained",
        "Rows of the ledger that are neither a sale of the chosen days, a reject, nor a sale of another day; "
        "0 if all agree.",
        "rows read - rejected - sales of other days - transactions",
        "rows",
        "mart.file, mart.sales_hourly",
    ),
    Entry(
        "pence_difference",
        "Pence unexplained",
        "The ledger's pence minus the sales' pence; 0 if both agree.",
        "pence in the ledger - pence of other days - gross sales",
        "pence",
        "mart.file, mart.sales_hourly",
    ),
    Entry(
        "agrees",
        "Reconciled",
        "Whether ledger and sales agree to the row and the penny.",
        "rows unexplained = 0 and pence unexplained = 0",
        "yes or no",
        "mart.file, mart.sales_hourly",
    ),
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
"""


if __name__ == "__main__":
    print(markdown(), end="")
