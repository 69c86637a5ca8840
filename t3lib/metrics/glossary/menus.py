"""Menus: the matrix of popularity and margin, and the effects of price changes."""

from t3lib.metrics.glossary.entry import Entry

_SOLD = "mart.price_daily, mart.price_hourly, core.menu_item"
_MARGIN = f"{_SOLD}, core.cost"
_CHANGES = "mart.price_daily, core.menu_item"
_MARGINS = f"{_CHANGES}, core.cost"

MATRIX = (
    Entry(
        "dish",
        "Dish",
        "A dish of metadata/menu.csv. Dishes that share a price at a truck on any of the days are one, because a sale "
        "is known by its price.",
        "dishes of the truck and price",
        "name",
        "core.menu_item",
    ),
    Entry(
        "menu_days",
        "Days on the menu",
        "Days on which the truck traded and the dish was on its menu.",
        "count of days",
        "days",
        _SOLD,
    ),
    Entry(
        "sold_a_day",
        "Sold a day",
        "Mean sales of a dish on its days on the menu.",
        "transactions at its price / days on the menu",
        "sales a day",
        _SOLD,
    ),
    Entry(
        "mix_pct",
        "Menu mix",
        "Share of a dish in what the truck's menu sells a day. Sales at prices that are on no menu are left out.",
        "sold a day / sum(sold a day) of the truck, or of the truck at the place",
        "percent",
        _SOLD,
    ),
    Entry(
        "popular_from_pct",
        "Popular from",
        "The menu mix from which on a dish is popular: 70% (popular_pct of [menus] in editions.toml) of the equal "
        "share of all dishes of the truck's menu.",
        "70% x 1 / number of dishes",
        "percent",
        _SOLD,
    ),
    Entry(
        "unit_margin_pence",
        "Margin of one",
        "Price less VAT less unit cost, each as it held on the business day: the mean of the dish's sales with a unit "
        "cost, or of a dish without a sale what its latest price leaves. The rate of VAT is that of "
        "the price on the day, as in the contribution; without a rate there is none.",
        "price - VAT contained in it - unit cost, rounded half up",
        "pence",
        _MARGIN,
    ),
    Entry(
        "average_margin_pence",
        "Average margin",
        "The margin of the mean sale of the truck's menu, over all sales with a unit cost. From it on a dish is "
        "profitable.",
        "sum(margin) / transactions, rounded half up",
        "pence",
        _MARGIN,
    ),
    Entry(
        "menu_class",
        "Class",
        "Star: popular and profitable. Plowhorse: only popular. Puzzle: only profitable. Dog: neither. After Kasavana, "
        "M. L. and Smith, D. I., Menu Engineering, 1982. A dish without a unit cost has no class.",
        "menu mix against popular from, margin of one against the average margin",
        "star, plowhorse, puzzle, dog, no unit cost or nothing sold",
        _MARGIN,
    ),
    Entry(
        "more_a_day",
        "More a day",
        "Sales a day that make a dish popular if the others sell what they sold, rounded up to a tenth.",
        "(popular from x all sold a day - sold a day) / (1 - popular from)",
        "sales a day",
        _SOLD,
    ),
    Entry(
        "more_margin_pence",
        "More margin",
        "Pence that one must leave more, after VAT, to make a dish profitable if all sell what they sold, rounded up.",
        "(average margin - margin of one) / (1 - share of the dish in the sales)",
        "pence",
        _MARGIN,
    ),
)

_NAMES = {
    "before": ("before", "Mean of the days before the change that are compared, at the old price"),
    "after": ("after", "Mean of the days after the change that are compared, at the new price"),
    "effect": (
        "effect",
        "What the change did a day: after, less what was to be expected from before and from how others moved",
    ),
    "low": ("effect, at least", "Lower bound of the effect, with 95% confidence"),
    "high": ("effect, at most", "Upper bound of the effect, with 95% confidence"),
}
_FORMULAS = {
    "before": "sum / pairs of days",
    "after": "sum / pairs of days",
    "effect": "mean after - mean before x (others after / others before)",
    "low": "effect - t x standard error of the pairs",
    "high": "effect + t x standard error of the pairs",
}
_MEASURES = {
    "sold": ("Sold", ".", "sales a day", _CHANGES),
    "sales_pence": ("Sales", ", in gross sales.", "pence", _CHANGES),
    "margin_pence": (
        "Margin",
        ", in price less VAT less unit cost; the effect takes both of the day after.",
        "pence",
        _MARGINS,
    ),
}

PRICE_CHANGES = (
    Entry(
        "changed_on",
        "Changed on",
        "The business day from which a dish has another price without a gap on the menu. A dish that left and came "
        "back later is no price change.",
        "first day of the new price",
        "date",
        "core.menu_item",
    ),
    Entry(
        "old_price_pence",
        "Old price",
        "The price of a dish up to the change.",
        "price before",
        "pence",
        "core.menu_item",
    ),
    Entry(
        "new_price_pence",
        "New price",
        "The price of a dish from the change on.",
        "price after",
        "pence",
        "core.menu_item",
    ),
    Entry(
        "effect_state",
        "Effect",
        "Whether the effect of a price change is known. It is not with too few days, where another dish of the truck "
        "has one of the two prices, without others to compare with, or without a sale at the old price.",
        "known from 10 pairs of days on (fewest_days of [menus] in editions.toml)",
        "known or why not",
        _CHANGES,
    ),
    Entry(
        "effect_note",
        "Note on the effect",
        "What an effect is compared with, or why it is not known: other trucks without a price change, or, where there "
        "are none, dishes of the same truck whose price stayed.",
        "a sentence",
        "text",
        _CHANGES,
    ),
    Entry(
        "window_weeks",
        "Weeks of an effect",
        "So many weeks before and after the change are compared, at most 4 (weeks of [menus] in editions.toml).",
        "the weeks with the most pairs of days",
        "weeks",
        _CHANGES,
    ),
    Entry(
        "day_pairs",
        "Pairs of days",
        "Days after the change, each with the same weekday so many weeks before, on both of which the truck traded.",
        "count of pairs",
        "pairs",
        _CHANGES,
    ),
    *(
        Entry(
            f"{of}_{what}",
            f"{measure} {name}" if of in ("before", "after") else f"{measure}: {name}",
            meaning + rest,
            _FORMULAS[of],
            unit,
            source,
        )
        for what, (measure, rest, unit, source) in _MEASURES.items()
        for of, (name, meaning) in _NAMES.items()
    ),
)
