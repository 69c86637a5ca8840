"""Money: costs, contribution and margins."""

from t3lib.metrics.glossary.entry import Entry

CONTRIBUTION = (
    Entry(
        "costs",
        "Costs",
        "The total of each cost of metadata/costs.csv, and the unit costs of metadata/menu.csv for what was sold, each "
        "as it held on the business day. VAT is that of VAT by rate, a card cost is of card sales, other "
        "percents are of gross sales; a truck's daily cost counts on days that it trades, a monthly cost is spread "
        "over its days.",
        "sum of each cost, rounded half up",
        "pence",
        "mart.sales_hourly, mart.price_daily, core.cost",
    ),
    Entry(
        "contribution_pence",
        "Contribution",
        "Gross sales less all costs; needs metadata/costs.csv.",
        "gross sales - costs",
        "pence",
        "mart.sales_hourly, mart.price_daily, core.cost",
    ),
    Entry(
        "margin_pct",
        "Margin",
        "Contribution as a share of gross sales.",
        "contribution / gross sales",
        "percent",
        "mart.sales_hourly, mart.price_daily, core.cost",
    ),
    Entry(
        "without_goods_pence",
        "Sales without cost of goods",
        "Gross sales at prices for which metadata/menu.csv had no unit cost on their day; their goods are not in the "
        "costs.",
        "sum(price x transactions) without a unit cost",
        "pence",
        "mart.price_daily",
    ),
)
MARGINS = (
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
        "mart.sales_hourly, mart.price_daily, core.cost",
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
        "mart.sales_hourly, mart.price_daily, core.cost",
    ),
)
_VAT_SOURCE = "mart.price_daily, mart.sales_hourly, core.menu_price, core.cost"
VAT = (
    Entry(
        "vat_rate_pct",
        "VAT rate",
        "The rate of a sale on its business day: that of the dish at its price in metadata/menu.csv, else the `vat` of "
        "metadata/costs.csv for the truck, else for the fleet. Of several dishes at one price with different rates the "
        "highest counts.",
        "as stated",
        "percent",
        "core.menu_price, core.cost",
    ),
    Entry(
        "vat_pence",
        "VAT",
        "The VAT that gross sales contain. The sum of a business day and rate is rounded once, halves up, over the "
        "fleet; the trucks' parts sum to it (largest remainder).",
        "sum of gross sales x rate / (100 + rate), by business day and rate",
        "pence",
        _VAT_SOURCE,
    ),
    Entry("net_sales_pence", "Net sales", "Gross sales without their VAT.", "gross sales - VAT", "pence", _VAT_SOURCE),
    Entry(
        "mixed_pence",
        "Sales with several VAT rates",
        "Gross sales at prices of several dishes with different rates of VAT; the highest rate counts for them.",
        "sum(price x transactions) with several rates",
        "pence",
        _VAT_SOURCE,
    ),
    Entry(
        "without_vat_pence",
        "Sales without a VAT rate",
        "Gross sales whose rate of VAT is not known although that of others is; no VAT is in them.",
        "sum(price x transactions) without a rate",
        "pence",
        _VAT_SOURCE,
    ),
    Entry(
        "quarter",
        "VAT quarter",
        "The nth quarter that ends in a year; T3_VAT_STAGGER says in which months quarters end.",
        "as chosen",
        "quarter",
        "settings",
    ),
    Entry(
        "box1_pence",
        "Box 1, VAT due on sales",
        "What box 1 of a UK VAT return takes from sales of the quarter's business days.",
        "sum of VAT",
        "pence",
        _VAT_SOURCE,
    ),
    Entry(
        "box6_pounds",
        "Box 6, sales without VAT",
        "What box 6 of a UK VAT return takes from sales of the quarter's business days; pence are left out.",
        "sum of net sales, in whole pounds",
        "pounds",
        _VAT_SOURCE,
    ),
    Entry(
        "caveats",
        "What a VAT return lacks",
        "In words: the quarter is not over, days lack files, or sales are not known from its first day on.",
        "as found",
        "sentences",
        "mart.file, mart.sales_hourly",
    ),
)
