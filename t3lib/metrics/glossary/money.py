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
PROOF = (
    Entry(
        "pence",
        "Sales by state",
        "Sales of a tender that are settled (reached the bank, or went into fees, refunds and chargebacks of a payout "
        "that did), on_its_way, short or not_explained; over is money without sales. docs/settlements.md has the "
        "rules.",
        "sum of each penny's one state",
        "pence",
        "mart.settled_daily",
    ),
    Entry(
        "items", "Items", "Payouts, bank lines and truck days that these pence belong to.", "count of items", "items",
        "mart.settled_daily",
    ),
    Entry(
        "proven_pence",
        "Card sales in the proof",
        "Card sales from the first day of the providers' files on.",
        "settled + on its way + short + not explained",
        "pence",
        "mart.settled_daily",
    ),
    Entry(
        "settled_pence", "Settled", "Card sales that reached the bank, fees, refunds and chargebacks included.",
        "sum of settled pence", "pence", "mart.settled_daily",
    ),
    Entry(
        "on_its_way_pence", "On its way", "Card sales that are expected by a day that has not passed.",
        "sum of pence on their way", "pence", "mart.settled_daily",
    ),
    Entry(
        "missing_pence", "Missing", "Card sales that are short or not explained and about which nobody decided.",
        "sum of open pence that are short or not explained", "pence", "mart.settled_daily",
    ),
    Entry(
        "over_pence", "Over", "Money from card providers without sales, about which nobody decided.",
        "sum of open pence that are over", "pence", "mart.settled_daily",
    ),
    Entry(
        "open_items", "Open items", "Things that are short, over or not explained and about which nobody decided.",
        "count of open items", "items", "mart.settled_daily",
    ),
    Entry(
        "expected_on", "Expected on", "Working day by which the bank should have had it.",
        "the provider's date, or the sale's day and the days of delay in settlements.toml", "date",
        "mart.settled_daily",
    ),
    Entry(
        "days_late", "Days late", "Days from the expected one to the business day on which it was matched last.",
        "day of matching - expected day, at least 0", "days", "mart.settled_daily, mart.matching",
    ),
    Entry("age", "Age", "How late open items are.", "days late in four bands", "text", "mart.settled_daily"),
    Entry(
        "gross_pence", "Sales of payouts", "Card sales that a provider's payouts are made of.",
        "sum(gross) of its payouts", "pence", "mart.payout",
    ),
    Entry(
        "fee_pence", "Fees of payouts", "What the provider kept of its payouts.", "sum(fee) of its payouts", "pence",
        "mart.payout",
    ),
    Entry("fee_pct", "Fee", "What the provider kept, as a share of the sales.", "fees / sales of its payouts",
          "percent", "mart.payout"),
    Entry(
        "stated_fee_pence", "Fee by costs.csv",
        "What the fleet's card costs in metadata/costs.csv make of the same sales.",
        "sales of payouts x card percent of their last day, rounded half up", "pence", "mart.payout, core.cost",
    ),
    Entry(
        "fee_difference_pence", "Fee difference", "How much more the provider kept than metadata/costs.csv says.",
        "fees - fee by costs.csv", "pence", "mart.payout, core.cost",
    ),
)  # fmt: skip
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
