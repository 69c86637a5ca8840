"""Money: costs, contribution and margins."""

from t3lib.metrics.glossary.entry import Entry

CONTRIBUTION = (
    Entry(
        "costs",
        "Costs",
        "The total of each cost of metadata/costs.csv, and the unit costs of metadata/menu.csv for what was sold, each "
        "as it held on the business day. VAT is the part contained in gross sales, a card cost is of card sales, other "
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
