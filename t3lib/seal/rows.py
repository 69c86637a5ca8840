"""Rows of a pack against each other: sales against their source files, daily totals against sales."""

from collections.abc import Iterator

import pandas as pd

from t3lib.money import pounds
from t3lib.seal.recomputing import Rows, by_day
from t3lib.seal.tables import Table

_MEASURES = ["transactions", "total_pence"]


def row_problems(rows: Rows, read: dict[str, Table]) -> Iterator[tuple[str, list[str]]]:
    """What was checked, and what was found otherwise."""
    gross, files = int(rows.sales["total_pence"].sum()), int((rows.files["state"] == "loaded").sum())
    yield f"sales: {len(rows.sales):,} rows of {files:,} files, {pounds(gross)}", _against_files(rows)
    first = rows.first.isoformat()
    daily = read["data/daily_sales.csv"].frame("truck_id", *_MEASURES)
    daily = daily[daily["business_date"] >= first]
    yield "daily totals of the month: sums of its sales", [*_daily(rows, daily), *_prices(rows)]
    yield "rejected rows: counted by day as they are listed", _rejected(rows)


def _against_files(rows: Rows) -> list[str]:
    """Each sale is known once, is of the month and of a loaded file; each file has its rows and pence."""
    sales, files = rows.sales, rows.files
    problems = [f"data/sales.csv: row {row.row_number:,} of file {row.file_id} stands twice"
                for row in sales[sales.duplicated(["file_id", "row_number"])].itertuples()]  # fmt: skip
    outside = sales[~sales["business_date"].between(rows.first, rows.last)]
    problems += [f"data/sales.csv: row {row.row_number:,} of file {row.file_id} is of {row.business_date}"
                 for row in outside.itertuples()]  # fmt: skip
    sums = sales.groupby("file_id").agg(rows=("row_number", "size"), pence=("total_pence", "sum"))
    known = set(files.loc[files["state"] == "loaded", "file_id"])
    problems += [
        f"data/sales.csv: file {file} is not among the loaded ones" for file in sums.index if file not in known
    ]
    for file in files.itertuples():
        found = sums.loc[file.file_id] if file.file_id in sums.index else {"rows": 0, "pence": 0}
        if (int(found["rows"]), int(found["pence"])) != (file.month_rows, file.month_pence):
            problems.append(f"data/source_files.csv: {file.key} has {file.month_rows:,} sales of the month, "
                            f"{pounds(file.month_pence)}; data/sales.csv has {int(found['rows']):,}, "
                            f"{pounds(int(found['pence']))}")  # fmt: skip
        if file.rows_read != file.rows_loaded + file.rows_rejected:
            problems.append(f"data/source_files.csv: {file.key} has other rows read than loaded and rejected")
    return problems


def _daily(rows: Rows, sealed: pd.DataFrame) -> list[str]:
    own = by_day(rows.sales)
    own["business_date"] = own["business_date"].map(str)
    both = _beside(sealed, own, ["business_date", "truck_id", "payment_type"], _MEASURES)
    return [
        f"data/daily_sales.csv: truck {row.truck_id}, {row.business_date}, {row.payment_type}: sealed "
        f"{row.transactions_sealed:,} sales, {pounds(int(row.total_pence_sealed))}; the rows give "
        f"{row.transactions_again:,}, {pounds(int(row.total_pence_again))}"
        for row in both.itertuples()
    ]


def _prices(rows: Rows) -> list[str]:
    """Sales by price, and the goods of each: as many as were sold, times the cost of one."""
    sold = rows.sales.rename(columns={"total_pence": "price_pence"})
    keys = ["truck_id", "business_date", "price_pence"]
    sold = sold.groupby(keys, as_index=False).agg(transactions=("row_number", "size"))
    prices = rows.prices
    both = _beside(prices[[*keys, "transactions"]], sold.astype({"transactions": "Int64"}), keys, ["transactions"])
    problems = [f"data/daily_prices.csv: truck {row.truck_id}, {row.business_date}, {pounds(int(row.price_pence))}: "
                f"sealed {row.transactions_sealed:,} sales; the rows give {row.transactions_again:,}"
                for row in both.itertuples()]  # fmt: skip
    goods = (prices["transactions"] * prices["unit_cost_pence"]).fillna(0)
    without = (prices["transactions"] * prices["price_pence"]).where(prices["unit_cost_pence"].isna(), 0)
    wrong = prices[(goods != prices["goods_pence"]) | (without != prices["without_goods_pence"])]
    return problems + [f"data/daily_prices.csv: truck {row.truck_id}, {row.business_date}, "
                       f"{pounds(int(row.price_pence))}: the cost of goods is not sales times unit cost"
                       for row in wrong.itertuples()]  # fmt: skip


def _rejected(rows: Rows) -> list[str]:
    keys = ["business_date", "truck_id", "reason"]
    own = rows.rejected[rows.rejected["business_date"].between(rows.first, rows.last)]
    own = own.groupby(keys, as_index=False).agg(rows=("row_number", "size")).astype({"rows": "Int64"})
    sealed = rows.daily_rejected[rows.daily_rejected["business_date"].between(rows.first, rows.last)]
    return [f"data/daily_rejected.csv: truck {row.truck_id}, {row.business_date}, {row.reason}: sealed "
            f"{row.rows_sealed:,}; data/rejected.csv has {row.rows_again:,}"
            for row in _beside(sealed, own, keys, ["rows"]).itertuples()]  # fmt: skip


def _beside(sealed: pd.DataFrame, again: pd.DataFrame, keys: list[str], measures: list[str]) -> pd.DataFrame:
    """The rows in which the two differ, each measure as it is sealed and as it is again; 0 where one has none."""
    both = sealed.merge(again, "outer", keys, suffixes=("_sealed", "_again"))
    named = [f"{name}{of}" for name in measures for of in ("_sealed", "_again")]
    both[named] = both[named].fillna(0)
    differs = [both[f"{name}_sealed"] != both[f"{name}_again"] for name in measures]
    return both[pd.concat(differs, axis=1).any(axis=1)]
