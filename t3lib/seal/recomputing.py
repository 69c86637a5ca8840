"""The figures of a pack again, from its sealed rows: pandas and whole numbers, and no query of `t3lib.metrics`."""

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd

from t3lib.seal.contents import CONTENTS
from t3lib.seal.figures import value
from t3lib.seal.money.costs import contribution
from t3lib.seal.money.vat import by_rate, vat_lines
from t3lib.seal.tables import Table
from t3lib.warehouse.files.file_outcomes import NOT_LOADED

Values = dict[str, Any]


@dataclass(frozen=True)
class Rows:
    """The tables of a pack as frames, days as dates. `daily` is made of the month's sales, and of the sealed daily
    totals for the months before it."""

    files: pd.DataFrame
    sales: pd.DataFrame
    rejected: pd.DataFrame
    daily: pd.DataFrame
    prices: pd.DataFrame
    daily_rejected: pd.DataFrame
    settled: pd.DataFrame
    costs: pd.DataFrame
    trucks: pd.DataFrame
    first: date
    last: date
    data_first: date | None

    @classmethod
    def of(cls, tables: dict[str, Table], first: date, last: date, data_first: date | None) -> "Rows":
        """From the tables as they were read. Raises ValueError where a cell is no number or no date."""
        files, sales, rejected, daily, prices, daily_rejected, settled, costs, trucks = (
            _frame(tables[path], content.numbers) for path, content in CONTENTS.items()
        )
        daily = pd.concat([daily[daily["business_date"] < first], by_day(sales)], ignore_index=True)
        return cls(files, sales, rejected, daily, prices, daily_rejected, settled, costs, trucks,
                   first, last, data_first)  # fmt: skip

    def between(self, first: date, last: date) -> pd.DataFrame:
        """The daily totals of these days."""
        return self.daily[self.daily["business_date"].between(first, last)]

    def names(self) -> dict[int, str]:
        """The trucks' names."""
        return dict(zip(self.trucks["truck_id"], self.trucks["truck"], strict=True))


def by_day(sales: pd.DataFrame) -> pd.DataFrame:
    """Sales added up by truck, day and payment, as the daily totals are."""
    keys = ["truck_id", "business_date", "payment_type"]
    found = sales.groupby(keys, as_index=False).agg(
        transactions=("row_number", "size"), total_pence=("total_pence", "sum")
    )
    return found.astype({"transactions": "Int64", "total_pence": "Int64"})


def recompute(rows: Rows, figure: dict[str, Any]) -> Values | None:
    """The values of a figure; None for one that this version cannot recompute."""
    function = _FIGURES.get(figure["name"])
    if function is None:
        return None
    first, last = date.fromisoformat(figure["first"]), date.fromisoformat(figure["last"])
    sealed = (figure["values"],) if figure["name"] == "contribution" else ()
    found = function(rows, first, last, *figure["about"], *sealed)
    return None if found is None else {key: value(one) for key, one in found.items()}


def _totals(rows: Rows, first: date, last: date) -> Values:
    days = rows.between(first, last)
    gross, count = _sum(days, "total_pence"), _sum(days, "transactions")
    card = _sum(days[days["payment_type"] == "card"], "total_pence")
    return {"gross_sales_pence": gross, "transactions": count, "average_ticket_pence": _half_up(gross, count),
            "card_share_pct": 100 * card / gross if gross else None}  # fmt: skip


def _by_truck(rows: Rows, first: date, last: date) -> Values:
    days, found = rows.between(first, last), Values()
    sold = set(days["truck_id"])
    for truck in rows.trucks.itertuples():
        if truck.truck_id in sold or truck.in_details == "true":
            own = days[days["truck_id"] == truck.truck_id]
            gross, count = _sum(own, "total_pence"), _sum(own, "transactions")
            found |= _row(truck.truck_id, truck_id=truck.truck_id, truck=truck.truck, transactions=count,
                          gross_sales_pence=gross, average_ticket_pence=_half_up(gross, count))  # fmt: skip
    return found


def _by_period(rows: Rows, first: date, last: date, grain: str) -> Values:
    days, found = rows.between(first, last), Values()
    for month, own in days.groupby(days["business_date"].map(lambda day: day.replace(day=1))):
        gross, card = _sum(own, "total_pence"), _sum(own[own["payment_type"] == "card"], "total_pence")
        found |= _row(month, period_first=month.isoformat(), trading_days=own["business_date"].nunique(),
                      transactions=_sum(own, "transactions"), gross_sales_pence=gross,
                      card_share_pct=100 * card / gross if gross else None)  # fmt: skip
    return found


def _like_for_like(rows: Rows, first: date, last: date) -> Values:
    before_first, before_last = _year_before(first), _year_before(last)
    if rows.data_first is None or before_first < rows.data_first:
        return {}
    now, before = _per_truck(rows, first, last), _per_truck(rows, before_first, before_last)
    both = [truck for truck in now if now[truck] and before.get(truck)]
    pence, then = sum(now[truck] for truck in both), sum(before[truck] for truck in both)
    return {"like_for_like_trucks": len(both), "like_for_like_pence": pence, "like_for_like_before_pence": then,
            "like_for_like_pct": 100 * (pence - then) / then if then else None}  # fmt: skip


def _trailing(rows: Rows, first: date, last: date) -> Values:
    first = _months_until(last, 12)
    before_first, found, names = _year_before(first), Values(), rows.names()
    now = _per_truck(rows, first, last)
    gross, days = sum(now.values()), rows.between(first, last)
    known = rows.data_first is not None and rows.data_first <= before_first
    before = _per_truck(rows, before_first, _year_before(last)) if known else {}
    # A truck without sales in the year is listed if by_truck would list it: details.xlsx has it.
    listed = {t.truck_id for t in rows.trucks.itertuples() if t.in_details == "true"} | now.keys()
    for truck in listed:
        if now.get(truck, 0) > 0 or before.get(truck, 0) > 0:
            own = days[days["truck_id"] == truck]["business_date"]
            found |= _row(truck, truck_id=truck, truck=names[truck], trailing_pence=now.get(truck, 0),
                          trailing_share_pct=100 * now.get(truck, 0) / gross if gross else None,
                          trailing_months=len({(day.year, day.month) for day in own}),
                          trailing_before_pence=before.get(truck, 0) if known else None)  # fmt: skip
    return found


def _concentration(rows: Rows, first: date, last: date) -> Values:
    now, names = _per_truck(rows, first, last), rows.names()
    gross = sum(now.values())
    if not gross:
        return {}
    top = min(now, key=lambda truck: (-now[truck], truck))
    index = sum((100 * pence / gross) ** 2 for pence in now.values())
    return {"top_truck": names[top], "top_share_pct": 100 * now[top] / gross, "hhi": round(index)}


def _seasonality(rows: Rows, first: date, last: date, grain: str) -> Values:
    days, found = rows.between(first, last), Values()
    truck_days = days.groupby(["truck_id", "business_date"], as_index=False)["total_pence"].sum()
    seasons = truck_days["business_date"].map(lambda day: day.month if grain == "month" else day.isoweekday())
    gross, count = _sum(truck_days, "total_pence"), len(truck_days)
    for season, own in truck_days.groupby(seasons):
        pence, out = _sum(own, "total_pence"), len(own)
        found |= _row(season, season=season, truck_days=out, gross_sales_pence=pence,
                      sales_per_truck_day_pence=_half_up(pence, out),
                      season_index=100 * pence * count / (gross * out))  # fmt: skip
    return found


def _ramp(rows: Rows, first: date, last: date) -> Values:
    began = {truck.truck_id: date.fromisoformat(truck.first_sale_on) for truck in rows.trucks.itertuples()
             if truck.first_sale_on}  # fmt: skip
    known = min(began.values(), default=first) + timedelta(28)
    new = {truck: day for truck, day in began.items() if day >= first and day >= known}
    found, names = Values(), rows.names()
    for truck, day in new.items():
        for week in range(1, 13):
            since, until = day + timedelta(7 * (week - 1)), day + timedelta(7 * week - 1)
            if until > last:
                break
            days = rows.between(since, until)
            own, others = days[days["truck_id"] == truck], days[~days["truck_id"].isin(list(new))]
            established = _half_up(_sum(others, "total_pence"), others["truck_id"].nunique())
            pence = _sum(own, "total_pence")
            found |= _row(f"{truck}/{week}", truck_id=truck, truck=names[truck], first_sale_on=day.isoformat(),
                          ramp_week=week, trading_days=own["business_date"].nunique(),
                          transactions=_sum(own, "transactions"), gross_sales_pence=pence,
                          established_pence=established,
                          ramp_pct=100 * pence / established if established else None)  # fmt: skip
    return found


def _contribution(rows: Rows, first: date, last: date, sealed: Values) -> Values:
    vat = vat_lines(rows.prices, rows.costs)
    return contribution(rows.between(first, last), rows.prices, rows.costs, vat, first, last, sealed)


def _vat_by_rate(rows: Rows, first: date, last: date) -> Values:
    found, names = Values(), rows.names()
    for truck, rate, measures in by_rate(vat_lines(rows.prices, rows.costs)):
        pct = None if rate is None else float(rate)
        found |= _row(f"{truck}/{pct}", truck_id=truck, truck=names[truck], vat_rate_pct=pct, **measures)
    return found


def _data_quality(rows: Rows, first: date, last: date) -> Values:
    refused, loaded = rows.rejected[rows.rejected["business_date"].between(first, last)], len(rows.sales)
    by_reason = {f"rejected/{reason}": int(count) for reason, count in refused["reason"].value_counts().items()}
    read = loaded + len(refused)
    return {"files": int((rows.files["state"] == "loaded").sum()), "rows_read": read, "rows_loaded": loaded,
            "rows_rejected": len(refused), **by_reason,
            "rejected_pct": 100 * len(refused) / read if read else None}  # fmt: skip


def _clean_rate(rows: Rows, first: date, last: date) -> Values:
    sold, refused = rows.between(first, last), rows.daily_rejected
    refused = refused[refused["business_date"].between(first, rows.first - timedelta(1))]
    own = rows.rejected[rows.rejected["business_date"].between(rows.first, last)]
    loaded = sold.groupby(sold["business_date"].map(_month))["transactions"].sum().to_dict()
    rejected = refused.groupby(refused["business_date"].map(_month))["rows"].sum().to_dict()
    rejected |= {_month(rows.first): len(own)} if len(own) else {}
    found: Values = {}
    for month in loaded.keys() | rejected.keys():
        good, bad = int(loaded.get(month, 0)), int(rejected.get(month, 0))
        found |= _row(month, period_first=month.isoformat(), rows_read=good + bad, rows_loaded=good, rows_rejected=bad,
                      clean_pct=100.0 * good / (good + bad) if good + bad else None)  # fmt: skip
    return found


def _reconciliation(rows: Rows, first: date, last: date) -> Values:
    files, sales = rows.files[rows.files["state"] == "loaded"], rows.sales
    own, refused = sales[sales["file_id"].isin(files["file_id"])], rows.rejected
    inside = refused[refused["file_id"].isin(files["file_id"])]
    these, dated = refused["business_date"].between(first, last), inside["business_date"].notna()
    sums = {name: _sum(files, name) for name in ("rows_read", "rows_loaded", "rows_rejected", "pence_loaded")}
    found: Values = {
        "ledger_files": len(files),
        "ledger_files_not_loaded": int(rows.files["state"].isin(list(NOT_LOADED)).sum()),
        "ledger_rows_read": sums["rows_read"],
        "ledger_rows_loaded": sums["rows_loaded"],
        "ledger_rows_rejected": sums["rows_rejected"],
        "ledger_pence": sums["pence_loaded"],
        "other_days_rows": sums["rows_loaded"] - len(own),
        "other_days_pence": sums["pence_loaded"] - _sum(own, "total_pence"),
        "transactions": len(sales),
        "gross_sales_pence": _sum(sales, "total_pence"),
        "other_days_rejected": int((dated & ~inside["business_date"].between(first, last)).sum()),
        "unknown_day_rejected": int((~dated).sum()),
        "elsewhere_rejected": int((these & ~refused["file_id"].isin(files["file_id"])).sum()),
        "rows_rejected": int(these.sum()),
        "rows_read": len(sales) + int(these.sum()),
    }
    lost = found["ledger_rows_read"] - found["other_days_rows"] - found["other_days_rejected"]
    lost += found["elsewhere_rejected"] - found["unknown_day_rejected"] - found["rows_read"]
    pence = found["ledger_pence"] - found["other_days_pence"] - found["gross_sales_pence"]
    return found | {"rows_difference": lost, "pence_difference": pence, "agrees": not lost and not pence}


def _proof_of_cash(rows: Rows, first: date, last: date) -> Values:
    found: Values = {}
    for (tender, state), own in rows.settled.groupby(["tender", "state"]):
        items = own.loc[own["item"] != "", "item"].nunique()
        found |= _row(f"{tender}/{state}", tender=tender, state=state, pence=_sum(own, "pence"), items=items)
    return found


def _partial_months(rows: Rows, first: date, last: date) -> Values:
    began = rows.data_first
    if began is None or began <= first or began.day == 1 or began > last:
        return {}
    end = began.replace(day=calendar.monthrange(began.year, began.month)[1])
    month = began.replace(day=1)
    return _row(month, period_first=month.isoformat(), first_day=began.isoformat(), last_day=end.isoformat())


_FIGURES: dict[str, Callable[..., Values | None]] = {
    "totals": _totals, "by_truck": _by_truck, "by_period": _by_period, "like_for_like": _like_for_like,
    "trailing_by_truck": _trailing, "concentration": _concentration, "seasonality": _seasonality, "ramp": _ramp,
    "contribution": _contribution, "data_quality": _data_quality, "clean_rate": _clean_rate,
    "reconciliation": _reconciliation, "partial_months": _partial_months,
    "proof_of_cash": _proof_of_cash, "vat_by_rate": _vat_by_rate,
}  # fmt: skip


def _frame(table: Table, numbers: tuple[str, ...]) -> pd.DataFrame:
    found = table.frame(*numbers)
    if "business_date" in found:
        found["business_date"] = pd.Series([_date(one) for one in found["business_date"]], dtype=object)
    return found


def _date(text: str) -> Any:
    return date.fromisoformat(text) if text else None


def _row(key: Any, **cells: Any) -> Values:
    return {f"{key} {name}": one for name, one in cells.items()}


def _per_truck(rows: Rows, first: date, last: date) -> dict[int, int]:
    days = rows.between(first, last)
    return {int(truck): int(pence) for truck, pence in days.groupby("truck_id")["total_pence"].sum().items()}


def _sum(frame: pd.DataFrame, column: str) -> int:
    return int(frame[column].sum())


def _half_up(pence: int, count: int) -> int | None:
    return (2 * pence + count) // (2 * count) if count else None


def _month(day: date) -> date:
    return day.replace(day=1)


def _months_until(last: date, count: int) -> date:
    months = last.year * 12 + last.month - count
    return date(months // 12, months % 12 + 1, 1)


def _year_before(day: date) -> date:
    leap = day.month == 2 and day.day == 29
    return day.replace(year=day.year - 1, day=28 if leap else day.day)
