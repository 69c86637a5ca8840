"""The example fleet: what the examples in the docstrings of `t3lib.metrics` and the tests of promoted figures are of.

`python -m tests.integration.metrics.example_fleet FIGURE` prints what a figure gives for it, as JSON (`t3 promote`)."""

import json
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import sqlalchemy as sa

from t3lib import metrics, warehouse
from t3lib.dashboard.tabs.breakdowns import texts
from t3lib.settings import settings
from t3lib.warehouse.settlements import proof
from tests.support.feeding import at, put, take_in

WEEK = metrics.Scope(date(2026, 11, 2), date(2026, 11, 8))
NOTHING = metrics.Scope(date(2026, 12, 1), date(2026, 12, 2))
METADATA = {
    "menu": ("truck_id,menu_item,menu_type,price,unit_cost",
             "1,Burrito,Mexican,7.00,2.35", "6,Mango smoothie,Drinks,4.99,1.20"),
    "pitches": ("truck_id,location_id,from,to", "1,4,2026-11-05T04:00+00:00,2026-11-06T04:00+00:00",
                "6,4,2026-11-05T04:00+00:00,2026-11-06T04:00+00:00"),
    "costs": ("truck_id,cost,amount,per,from", ",vat,20,percent,2026-10-01", ",card_fee,1.75,percent,2026-10-01",
              "1,wages,5.00,day,2026-10-01", "6,wages,2.00,day,2026-10-01"),
    "terminals": ("provider,account,truck_id", "stripe,stripe-1,1"),
    "banking": ("truck_id,reference,within_days", "6,T3 TRUCK 6,7"),
}  # fmt: skip
# What Stripe paid out of the last two days, of which one is still to come; cash that was banked before them.
STATEMENTS = {
    "settlements/stripe-1/2026-11.csv": (
        "automatic_payout_id,automatic_payout_effective_at,balance_transaction_id,created_utc,currency,gross,fee,net,"
        "reporting_category",
        "po_first,2026-11-06 00:00:00,txn_1,2026-11-04 13:05:00,gbp,7.00,0.14,6.86,charge",
        "po_second,2099-12-30 00:00:00,txn_2,2026-11-05 13:10:00,gbp,7.00,0.14,6.86,charge",
        "po_second,2099-12-30 00:00:00,txn_3,2026-11-05 13:20:00,gbp,7.00,0.14,6.86,charge"),
    "settlements/bank/2026-11.csv": (
        "Date,Counter Party,Reference,Type,Amount (GBP)", "02/11/2026,CASH PAID IN,T3 TRUCK 6,CASH,14.97",
        "06/11/2026,STRIPE,,FASTER PAYMENT,6.86", "20/11/2026,WAGES,,FASTER PAYMENT,-842.00"),
}  # fmt: skip
# (truck, day of 2026, UTC, payment, total): until 25 October local time is an hour later.
SALES = [(1, "10-14", "12:05", "card", "7"), (6, "10-15", "13:15", "cash", "4.99"),
         (1, "10-21", "12:05", "card", "7"), (6, "10-22", "13:15", "cash", "4.99"),
         (1, "10-28", "13:05", "card", "7"), (6, "10-29", "14:15", "cash", "4.99"),
         (1, "11-04", "13:05", "card", "7"), (1, "11-05", "13:10", "card", "7"), (1, "11-05", "13:20", "card", "7"),
          (6, "11-05", "14:15", "cash", "4.99"), (6, "11-05", "14:20", "cash", "VOID")]  # fmt: skip


def fill(bucket: Path, **metadata: tuple[str, ...]) -> None:
    """Load three burritos for £21.00 on a Wednesday and a Thursday, a smoothie for £4.99 on that Thursday and a row
    that was void; in each of the three weeks before one burrito on Wednesday and one smoothie on Thursday, of which
    the last had been written down twice."""
    with warehouse.connect() as db:
        db.execute(
            sa.text("INSERT INTO core.truck (truck_id, name) VALUES (1, 'Burrito Madness'), (6, 'SuperSmoothie')")
        )
        db.execute(sa.text("INSERT INTO core.location (location_id, name) VALUES (4, 'Alnfield Park')"))
    for name, (header, *lines) in (METADATA | metadata).items():
        put(bucket, f"metadata/{name}.csv", *lines, header=header)
    files: dict[str, list[str]] = {}
    for truck, day, clock, payment, total in SALES:
        month, of_month = day.split("-")
        key = f"trucks/2026-{month}/{int(of_month)}/15/T3_T{truck}_A1.csv"
        files.setdefault(key, []).append(at(clock, payment, total, day=f"2026-{day}"))
    for key, lines in files.items():
        put(bucket, key, *lines)
    for key, (header, *lines) in STATEMENTS.items():
        put(bucket, key, *lines, header=header)
    corrected = "trucks/2026-10/29/15/T3_T6_A1.csv"
    put(bucket, corrected, *files[corrected] * 2)
    take_in()
    put(bucket, corrected, *files[corrected])
    take_in()
    with warehouse.connect() as db:
        proof.refresh(db)


def rows(table: pd.DataFrame) -> list[list[Any]]:
    """The rows of a table as plain values; days as text, what is missing as None."""
    return json.loads(table.to_json(orient="values", date_format="iso", date_unit="s", double_precision=6))


def given(figure: Callable[..., Any]) -> dict[str, Any]:
    """What a figure gives for the week of the example, on days without a sale, and the queries behind it."""
    try:
        raw, nothing = metrics.ask(figure, WEEK), metrics.ask(figure, NOTHING)
    except Exception as error:
        return {"error": f"raises {type(error).__name__}: {error}"}
    if not isinstance(raw, pd.DataFrame):
        return {"error": f"gives a {type(raw).__name__}, not a DataFrame,"}
    found = metrics.frame(figure, WEEK)
    named = [name for name in found.columns if not name.endswith("_id")]
    shown = named.copy()
    while len(shown) > 2 and not _fits(found[shown]):
        shown.pop(len(shown) // 2)  # a figure's own column is the last
    return {
        "columns": list(found.columns),
        "columns_of_nothing": list(nothing.columns),
        "kinds": found.dtypes.astype(str).to_dict(),
        "records": json.loads(found.to_json(orient="records", date_format="iso")),
        "shown": repr(found[shown]),
        "shown_columns": shown,
        "named": named,
        "rows": rows(found[named]),
        "card": texts(raw),
        "sql": metrics.sql(figure, WEEK),
    }


def _fits(table: pd.DataFrame) -> bool:
    """Whether pandas prints a table whole: it folds or cuts one that is too wide."""
    head = repr(table).splitlines()[0]
    return not head.endswith("\\") and " ... " not in head


def main(figure: str) -> None:
    from scheduler.embedded import services

    with services(("database",), say=lambda line: None):
        fill(Path(urlsplit(settings().need("landing_url")).path))
        print(json.dumps(given(getattr(metrics, figure))))


if __name__ == "__main__":
    main(sys.argv[1])
