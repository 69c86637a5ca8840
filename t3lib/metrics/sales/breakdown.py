"""Breakdowns by place, price and menu type; and any breakdown beside the same weekdays before."""

from collections.abc import Callable, Sequence

import pandas as pd
import sqlalchemy as sa

from t3lib.metrics.sales.totals import data_range, half_up
from t3lib.metrics.scope import MENU, ON_MENU, SCOPED, Scope, bound, same_weekdays_before

_MEASURES = ["transactions", "gross_sales_pence"]


def compared(
    breakdown: Callable[[sa.Connection, Scope], pd.DataFrame],
    key: str,
    db: sa.Connection,
    scope: Scope,
    weeks: int = 4,
) -> pd.DataFrame:
    """A breakdown (`by_truck`, `by_price_point`, ...) beside the same weekdays before.

    One row per `key` on any of these days: the breakdown's columns, and both measures `_before` (a week before) and
    `_usual` (mean of up to `weeks` weeks, rounded half up). A day without the key counts as zero: its measures are 0,
    its average and hour are missing, its share is 0 (missing if nobody sold). Weeks before the first day of data do not
    count; without any, `_before` and `_usual` are missing.

    >>> from t3lib import warehouse
    >>> with warehouse.connect() as db:
    ...     table = metrics.compared(metrics.by_truck, "truck", db, week)
    >>> table[["truck", "gross_sales_pence", "gross_sales_pence_usual"]]
                 truck  gross_sales_pence  gross_sales_pence_usual
    0  Burrito Madness               2100                      700
    1    SuperSmoothie                499                      499
    """
    recorded = data_range(db)
    periods = [period for period in same_weekdays_before(scope, weeks) if recorded and period.first >= recorded[0]]
    return beside(breakdown, key, db, scope, before=periods[:1], usual=periods)


def beside(
    breakdown: Callable[[sa.Connection, Scope], pd.DataFrame],
    key: str | None,
    db: sa.Connection,
    scope: Scope,
    *,
    before: Sequence[Scope],
    usual: Sequence[Scope],
) -> pd.DataFrame:
    """The same beside given scopes: `_before` and `_usual` are the means over these, missing without any. Without a key
    it is the first column."""
    periods = list(dict.fromkeys([*before, *usual]))
    found = {period: breakdown(db, period) for period in (scope, *periods)}
    frames = {period: frame.set_index(key or frame.columns[0]) for period, frame in found.items()}
    everyone = pd.concat(frames.values())
    rows = everyone[~everyone.index.duplicated()].copy()
    for name in _MEASURES:
        counts = {of: frame[name].reindex(rows.index, fill_value=0).astype("int64") for of, frame in frames.items()}
        rows[name] = counts[scope]
        for against, scopes in (("before", before), ("usual", usual)):
            sums = sum(counts[of] for of in scopes)
            means = [half_up(int(total), len(scopes)) for total in sums] if scopes else pd.NA
            rows[f"{name}_{against}"] = pd.array(means, "Int64") if scopes else pd.NA
    for name in _figures(everyone):
        rows[name] = _own(frames[scope], name, rows.index)
    return rows.reset_index()


def _figures(everyone: pd.DataFrame) -> list[str]:
    """The columns, other than the measures, that differ between scopes; names and ids are the same in all."""
    others = [name for name in everyone if name not in _MEASURES and not name.endswith("_id")]
    return [name for name in others if pd.api.types.infer_dtype(everyone[name], skipna=True) != "string"]


def _own(frame: pd.DataFrame, name: str, keys: pd.Index) -> pd.Series:
    """A figure of the scope: missing for a key without a sale, but a share is 0 if others sold."""
    whole = pd.api.types.is_integer_dtype(frame[name])
    found = (frame[name].astype("Int64") if whole else frame[name]).reindex(keys)
    return found.fillna(0.0) if name.endswith("share_pct") and len(frame) else found


_BY_PLACE = (
    SCOPED
    + """
SELECT location_id, coalesce(location.name, 'Place ' || location_id) AS location,
       sum(transactions)::bigint AS transactions, sum(total_pence)::bigint AS gross_sales_pence,
       (array_agg(local_hour ORDER BY transactions DESC, hour_order))[1] AS busiest_hour
FROM (SELECT location_id, local_hour, hour_order, sum(transactions) AS transactions, sum(total_pence) AS total_pence
      FROM sales GROUP BY location_id, local_hour, hour_order) AS hour
LEFT JOIN core.location USING (location_id)
GROUP BY location_id, location.name
ORDER BY transactions DESC, location_id"""
)


def by_place(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per place with sales: location_id, location, the measures and busiest_hour (most sales, local).

    Place 0 is for sales without a pitch in metadata/pitches.csv.

    >>> metrics.frame("by_place", week)[["location", "transactions", "gross_sales_pence", "busiest_hour"]]
                 location  transactions  gross_sales_pence  busiest_hour
    0       Alnfield Park             3               1899            13
    1  Place not recorded             1                700            13
    """
    return _frame(db, _BY_PLACE, scope)


# Prices are kept by day and truck: one row per truck x price of a scope's days, trucks and menu types.
PRICED = f"""
WITH {MENU},
priced AS (
    SELECT sold.truck_id, sold.price_pence, coalesce(menu_type, 'Not on the menu') AS menu_type,
           sum(transactions) AS transactions
    FROM mart.price_daily AS sold LEFT JOIN menu ON {ON_MENU}
    WHERE business_date BETWEEN :first AND :last
      AND (:all_trucks OR sold.truck_id = ANY(CAST(:trucks AS integer[])))
      AND (:all_menus OR coalesce(menu_type, 'Not on the menu') = ANY(CAST(:menus AS text[])))
    GROUP BY sold.truck_id, sold.price_pence, menu_type
)"""
_BY_PRICE_POINT = (
    PRICED
    + """
SELECT price_pence, sum(transactions)::bigint AS transactions,
       sum(transactions * price_pence::bigint)::bigint AS gross_sales_pence,
       100.0 * sum(transactions) / nullif(sum(sum(transactions)) OVER (), 0) AS transactions_share_pct
FROM priced
GROUP BY price_pence
ORDER BY transactions DESC, price_pence"""
)


def by_price_point(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per price, whatever the truck, most paid first: price_pence, the measures and
    transactions_share_pct.

    Prices are kept by day and truck, so only days, trucks and menu types of the scope count.

    >>> metrics.frame("by_price_point", week)
       price_pence  transactions  gross_sales_pence  transactions_share_pct
    0          700             3               2100                    75.0
    1          499             1                499                    25.0
    """
    return _frame(db, _BY_PRICE_POINT, scope).astype({"transactions_share_pct": float})


_BY_MENU_TYPE = (
    PRICED
    + """
SELECT menu_type, sum(transactions)::bigint AS transactions,
       sum(transactions * price_pence::bigint)::bigint AS gross_sales_pence
FROM priced
GROUP BY menu_type
ORDER BY transactions DESC, menu_type"""
)


def by_menu_type(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per menu type of metadata/menu.csv: menu_type and the measures.

    A sale is matched by truck and price alone; prices of several types, or on no menu, have rows of their own.

    >>> metrics.frame("by_menu_type", week)[["menu_type", "transactions", "gross_sales_pence"]]
      menu_type  transactions  gross_sales_pence
    0   Mexican             3               2100
    1    Drinks             1                499
    """
    return _frame(db, _BY_MENU_TYPE, scope)


def menu_types(db: sa.Connection) -> list[str]:
    """Menu types of metadata/menu.csv.

    >>> metrics.ask(metrics.menu_types)
    ['Drinks', 'Mexican']
    """
    return list(db.scalars(sa.text("SELECT DISTINCT menu_type FROM core.menu_item ORDER BY menu_type")))


def inputs(db: sa.Connection) -> dict[str, bool]:
    """Which optional metadata is loaded: menu, pitches, costs."""
    query = """SELECT EXISTS (SELECT FROM core.menu_item) AS menu, EXISTS (SELECT FROM core.pitch) AS pitches,
                      EXISTS (SELECT FROM core.cost) AS costs"""
    return dict(db.execute(sa.text(query)).mappings().one())


def _frame(db: sa.Connection, query: str, scope: Scope) -> pd.DataFrame:
    result = db.execute(sa.text(query), bound(scope))
    return pd.DataFrame(result.all(), columns=list(result.keys()))
