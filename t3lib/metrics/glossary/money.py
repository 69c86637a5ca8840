"""Money: costs, contribution and margins."""

from t3lib.metrics.glossary.entry import Entry

_ALL = "mart.sales_hourly, mart.price_daily, core.cost, core.pitch"
_BY_PRICE = f"mart.price_hourly, {_ALL}"

CONTRIBUTION = (
    Entry(
        "costs",
        "Costs",
        "The total of each cost of metadata/costs.csv, the unit costs of metadata/menu.csv for what was sold, and the "
        "pitch fees of metadata/pitches.csv, each as it held on the business day. VAT is that of VAT by rate, a "
        "card cost is of card sales, other percents are of gross sales; a truck's daily cost counts on days "
        "that it trades, a monthly cost is spread over its days. A cost per hour counts for each trading hour, one per "
        "shift for each stay with a sale, or for the day where no stay is known. A fixed pitch fee is due with or "
        "without a sale, for each business day of the stay or once, spread over them; a percentage is of the sales "
        "made there.",
        "sum of each cost, rounded half up",
        "pence",
        _ALL,
    ),
    Entry(
        "contribution_pence",
        "Contribution",
        "Gross sales less all costs; needs metadata/costs.csv.",
        "gross sales - costs",
        "pence",
        _ALL,
    ),
    Entry(
        "margin_pct",
        "Margin",
        "Contribution as a share of gross sales.",
        "contribution / gross sales",
        "percent",
        _ALL,
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
PROFIT = (
    Entry(
        "direct_costs_pence",
        "Direct costs",
        "Costs that are known for each sale: VAT, goods, costs per sale and in percent, pitch fees in percent.",
        "sum of costs per sale and in percent + cost of goods",
        "pence",
        _BY_PRICE,
    ),
    Entry(
        "shared_costs_pence",
        "Shared costs",
        "The share of what is paid by time: by a truck per day, month, hour, shift or pitch, and by the fleet. How it "
        "is shared out stands at the top of docs/kpis.md.",
        "sum of cost x hours of the part / hours of the day or stay + sum of the fleet's cost x its gross sales / "
        "gross sales of the day",
        "pence",
        _BY_PRICE,
    ),
    Entry(
        "labour_pence",
        "Labour",
        "Costs whose name contains wage, labour, labor, staff, salar or payroll; missing without any.",
        "sum of these costs",
        "pence",
        _BY_PRICE,
    ),
    Entry(
        "labour_share_pct",
        "Labour share",
        "Labour as a share of gross sales.",
        "labour / gross sales",
        "percent",
        _BY_PRICE,
    ),
    Entry(
        "labour_per_hour_pence",
        "Labour per trading hour",
        "Average labour of a trading hour, to the nearest penny.",
        "labour / trading hours",
        "pence",
        _BY_PRICE,
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
        "mart.sales_hourly, core.cost, core.pitch",
    ),
    Entry(
        "variable_costs_pence",
        "Variable costs",
        "Costs of one truck that grow with its sales: VAT, goods, fees per sale or in percent, also of its pitches.",
        "costs per sale and in percent + cost of goods",
        "pence",
        _ALL,
    ),
    Entry(
        "fixed_costs_pence",
        "Fixed costs",
        "Costs of one truck by time and its fixed pitch fees; the fleet's own costs are not in it.",
        "costs of the truck per day, month, hour and shift + fixed pitch fees",
        "pence",
        "mart.sales_hourly, core.cost, core.pitch",
    ),
    Entry(
        "break_even_transactions",
        "Break-even",
        "Sales a day at which a truck covers its fixed costs, rounded up; the fleet's own costs are not in it.",
        "fixed costs a day / (average ticket - variable costs of a sale)",
        "sales a day",
        _ALL,
    ),
)
_VAT_SOURCE = "mart.price_daily, core.menu_price, core.cost"
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
