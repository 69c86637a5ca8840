"""Rain and festivals: each truck's day against its own ordinary days of the same weekday."""

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from t3lib.business_day import day_of
from t3lib.explore import more_or_less, nothing, span
from t3lib.metrics import Scope
from t3lib.problems import RefusedError
from t3lib.simulate.demand import day_sales, rains
from t3lib.simulate.fleet import truck

SEEDS = range(100)  # fleets that `t3 demo` and `t3 simulate` may have made up
LEAST_SHARE = 0.95  # of a day's sales that its seed makes; the same truck's day of another seed has at most four fifths
KINDS = ("festival", "wet", "ordinary", "unknown")

Weather = dict[date, bool]
_SOLD = sa.text("""
    SELECT truck_id, business_date, local_hour, price_pence, sum(transactions) AS transactions
    FROM mart.price_hourly
    WHERE business_date BETWEEN :first AND :last
    GROUP BY truck_id, business_date, local_hour, price_pence
    ORDER BY truck_id, business_date
""")


def weather(scope: Scope, weather_csv: str = "") -> Weather:
    """Whether a day was wet, for the days of which that is known: from a CSV (columns business_date, is_wet with 1 or
    0), or else the made-up weather, if every sale of the scope is the made-up fleet's. Raises RefusedError."""
    days = [scope.first + timedelta(days=n) for n in range(scope.days)]
    if weather_csv:
        given = dict(_lines(Path(weather_csv)))
        return {day: given[day] for day in days if day in given}
    seed = made_up_seed(scope)
    return {} if seed is None else {day: rains(day, seed) for day in days}


def summary(known: Weather, scope: Scope) -> str:
    """What is known of the weather, and what is missing."""
    if not known:
        return "The weather is not known: name a file (weather_csv) with business_date and is_wet, 1 or 0."
    missing = scope.days - len(known)
    wet = f"{sum(known.values())} of {len(known)} days were wet"
    return f"{wet}; of {missing} more the weather is not known: they are left out." if missing else f"{wet}."


def made_up_seed(scope: Scope, url: str | None = None) -> int | None:
    """The seed of the made-up fleet that made every sale of these days; None where one day is of no such fleet.

    Names and menus prove nothing, since a real fleet may have them too: hours and prices of the sales do."""
    from t3lib import warehouse

    sold: dict[tuple[int, date], Counter[tuple[int, int]]] = {}
    with warehouse.connect(url) as db:
        for number, day, hour, price, transactions in db.execute(_SOLD, {"first": scope.first, "last": scope.last}):
            sold.setdefault((number, day), Counter())[hour, price] = int(transactions)
    largest = max(sold, key=lambda key: sold[key].total(), default=None)
    if largest is None:
        return None
    seeds = (seed for seed in SEEDS if _made(*largest, seed, sold[largest]))
    return next((seed for seed in seeds if all(_made(*key, seed, rows) for key, rows in sold.items())), None)


def labelled(sales: pd.DataFrame, known: Weather, gatherings: pd.DataFrame) -> pd.DataFrame:
    """`by_day_and_truck` with `kind` (festival wins over wet) and usual_pence: the mean of the truck's ordinary days
    of that weekday, missing where it has none. Where no weather is known at all, no day is wet."""
    days = sales["business_date"].dt.date
    kinds = days.map(lambda day: ("wet" if known[day] else "ordinary") if day in known else "unknown")
    made = sales.assign(weekday=sales["business_date"].dt.day_of_week, kind=kinds if known else "ordinary")
    made.loc[made["business_date"].isin(gatherings["business_date"]), "kind"] = "festival"
    key = ["truck_id", "weekday"]
    ordinary = made[made["kind"] == "ordinary"].groupby(key)["gross_sales_pence"].mean()
    usual = ordinary.rename("usual_pence").round().astype("Int64").reset_index()
    return made.merge(usual, "left", on=key)


def effects(days: pd.DataFrame) -> pd.DataFrame:
    """One row per kind of day: days, truck_days that can be compared, gross_sales_pence of these, usual_pence and
    change_pct."""
    return pd.DataFrame([_effect(kind, days[days["kind"] == kind]) for kind in KINDS])


def finding(found: pd.DataFrame, scope: Scope, known: Weather) -> str:
    """How much less a wet day brings, and how much more a festival."""
    by_kind = found.set_index("kind")
    if not found["days"].sum():
        return nothing(scope)
    parts = [_said("festival", by_kind.loc["festival"])]
    parts.append(_said("wet", by_kind.loc["wet"]) if known else "the weather is not known")
    return f"In {span(scope)}: " + "; ".join(parts) + "."


def _lines(path: Path) -> Iterator[tuple[date, bool]]:
    """(day, whether it was wet) of each line. Raises RefusedError where it says something else."""
    if not path.is_file():
        raise RefusedError(f"There is no file {path}: correct weather_csv, or leave it empty.")
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if missing := {"business_date", "is_wet"} - set(reader.fieldnames or ()):
            raise RefusedError(f"{path} has no column {' and no column '.join(sorted(missing))}.")
        for row in reader:
            try:
                yield day_of(row["business_date"] or ""), {"1": True, "0": False}[row["is_wet"] or ""]
            except ValueError as error:
                raise RefusedError(f"{path}, line {reader.line_num}: {error}") from None
            except KeyError as word:
                raise RefusedError(f"{path}, line {reader.line_num}: is_wet is 1 or 0, not {word}.") from None


def _made(number: int, day: date, seed: int, sold: Counter[tuple[int, int]]) -> bool:
    """Whether a truck's day is the one that a seed makes, apart from rejected rows."""
    wagon = truck(number, seed)
    made = day_sales(wagon, day, seed)
    hours = (made.minute // 60 % 24).tolist()
    made_up = Counter(zip(hours, (wagon.prices[item] for item in made.item.tolist()), strict=True))
    return (sold & made_up).total() >= LEAST_SHARE * sold.total()


def _effect(kind: str, days: pd.DataFrame) -> dict[str, object]:
    known = days[days["usual_pence"].notna()]
    taken, usual = int(known["gross_sales_pence"].sum()), int(known["usual_pence"].sum())
    return {"kind": kind, "days": days["business_date"].nunique(), "truck_days": len(known),
            "gross_sales_pence": taken, "usual_pence": usual,
            "change_pct": 100 * (taken - usual) / usual if usual else float("nan")}  # fmt: skip


def _said(kind: str, row: pd.Series) -> str:
    days = f"{int(row['days'])} {kind} {'day' if row['days'] == 1 else 'days'}" if row["days"] else f"no {kind} day"
    if pd.isna(row["change_pct"]):
        return days + (", and no ordinary one of the weekday to compare with" if row["days"] else "")
    return f"{days} took {more_or_less(row['change_pct'])} than usual for the weekday"
