"""Cleaning only: T3 against polars with the same rules on the same rows in memory; results are compared first."""

import statistics
from datetime import UTC, datetime
from functools import partial

import numpy as np
import polars as pl
import pyarrow as pa

from benchmarks.measures import Measure, row, run, seconds
from t3lib.cleaning import Rulebook, TruckFacts
from t3lib.feed import RAW_SCHEMA
from t3lib.warehouse.files.rulesets import FLAGS

GOAL = 3.0
_ROUNDS = 9
TRUCKS = 6
PRICES = {truck: {700 + 10 * truck, 810, 890, 499, 99 + truck} for truck in range(1, TRUCKS + 1)}
UPLOADED = datetime(2026, 11, 20, 22, tzinfo=UTC)
_STAMP = pa.timestamp("us", "UTC")
# Ten rules as analysts write them: texts, amounts, hours, weekdays, trucks, and one that looks at the times.
OWN = (
    'rules.reject("staff_meal", "A staff meal is not a sale.", when=rows.total.eq("0.01") & rows.truck.eq(4))',
    'rules.reject("test", "The till was tested.", when=rows.word.str.startswith("test"))',
    'rules.reject("training", "Somebody learned the till.", when=rows.type.str.contains("train", case=False))',
    'rules.reject("night", "The truck is closed then.", when=rows.hour.between(2, 3))',
    'rules.reject("sunday_dish", "Sold on Sundays only.", when=rows.pence.eq(499) & rows.weekday.eq("Sunday"))',
    'rules.reject("voucher_of_five", "A voucher was sold.", when=rows.pence.eq(500) & rows.payment.eq("card"))',
    'rules.reject("odd_pence", "No price ends so.", when=rows.pence.mod(10).eq(7) & ~rows.on_menu)',
    'rules.reject("early", "Before the day.", when=moments.sold_at < moments.window_from - pd.Timedelta("9h"))',
    'rules.reject("rare", "Nobody pays that.", when=rows.sold.lt(2) & rows.pence.gt(90_00))',
    'rules.suggest("above_limit", rows.pence // 10, when=rows.pence.mod(10).eq(0))',
)


def measure(quick: bool) -> list[Measure]:
    """Rows per second of both, under the rules of `2_clean` and with ten more of an analyst's own."""
    rows = 200_000 if quick else 2_000_000
    raw, files = _batch(rows)
    facts = TruckFacts(prices=PRICES, without_reader=frozenset({6}), known=frozenset(PRICES))
    frame, table = pl.from_arrow(raw), pl.from_arrow(files)
    book = Rulebook.of_folder()
    ours, theirs = book.clean(raw, files, facts, FLAGS), _polars(frame, table)
    _agree(ours.sales, ours.rejects, theirs)
    books = {"its rules": book, "ten more": Rulebook((*book.cells, *OWN))}
    taken: dict[str, list[float]] = {what: [] for what in (*books, "polars")}
    for _ in range(_ROUNDS):  # by turns: what else the machine does meets all of them
        taken["polars"].append(seconds(lambda: _polars(frame, table)))
        for what, rules in books.items():
            taken[what].append(seconds(partial(rules.clean, raw, files, facts, FLAGS)))
    speed = {what: rows / statistics.median(times) for what, times in taken.items()}
    found = []
    for what in books:
        name, ratio = f"cleaning {rows / 1e6:.1f} M dirty rows, {what}, one process", speed[what] / speed["polars"]
        found.append(row(name, speed[what], "rows/s", "polars", speed["polars"], f"at least {GOAL}", ratio >= GOAL))
    return found


def _batch(rows: int) -> tuple[pa.Table, pa.Table]:
    """A day of six trucks: 7.6 % dirt, one file per truck."""
    chance = np.random.default_rng(1)
    truck = np.sort(chance.integers(1, TRUCKS + 1, rows))
    prices = np.array([sorted(PRICES[t]) for t in range(1, TRUCKS + 1)])[truck - 1, chance.integers(0, 5, rows)]
    texts = np.char.add(np.char.add((prices // 100).astype(str), "."), np.char.zfill((prices % 100).astype(str), 2))
    dirty = chance.random(rows) < 0.071
    words = np.array(["ERR", "VOID", "blank", "NULL", "", "0", "0.00", "-3.50", "x"])
    texts = np.where(dirty, words[chance.integers(0, len(words), rows)], texts)
    texts = np.where(chance.random(rows) < 0.005, prices.astype(str), texts)  # times 100
    minutes = chance.integers(9 * 60, 21 * 60, rows)
    stamps = np.array([f"2026-11-20 {m // 60:02d}:{m % 60:02d}:00+00:00" for m in range(24 * 60)])[minutes]
    stamps = np.where(chance.random(rows) < 0.001, "soon", stamps)
    kinds = np.array(["card", "cash", "Card ", "cheque"])[chance.choice(4, rows, p=[0.6, 0.38, 0.015, 0.005])]
    columns = [pa.array(truck, pa.int64()), pa.array(np.arange(rows), pa.int32()), stamps, kinds, texts]
    files = pa.table(
        {
            "file_id": pa.array(range(1, TRUCKS + 1), pa.int64()),
            "truck_id": pa.array(range(1, TRUCKS + 1), pa.int32()),
            "uploaded_at": pa.array([UPLOADED] * TRUCKS, _STAMP),
            "window_from": pa.array([datetime(2026, 11, 20, 9, tzinfo=UTC)] * TRUCKS, _STAMP),
            "window_to": pa.array([datetime(2026, 11, 20, 21, tzinfo=UTC)] * TRUCKS, _STAMP),
        }
    )
    cells = [pa.array(column) for column in columns]
    return pa.table([*cells, pa.nulls(rows, pa.string())], names=RAW_SCHEMA.names), files


def _polars(raw: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    """The same rules as polars expressions: reason (null for a sale), pence, business date, hour, flags."""
    word = pl.col("total").fill_null("").str.strip_chars()
    lower = word.str.to_lowercase()
    bare = word.str.replace(r"^([-+]?)\s*(?:£|(?i:gbp))\s*", "$1").str.replace_all(",", "")
    is_amount = bare.str.contains(r"^[-+]?(?:\d+(?:\.\d*)?|\.\d+)$")
    value = pl.when(is_amount).then(bare).cast(pl.Decimal(18, 4), strict=False) * 100
    moment = pl.col("timestamp").str.strip_chars().str.to_datetime("%Y-%m-%d %H:%M:%S%z", strict=False)
    menu = pl.DataFrame(
        [(t, p) for t, prices in PRICES.items() for p in prices], schema=["truck_id", "p"], orient="row"
    )
    menu = menu.with_columns(pl.col("truck_id").cast(pl.Int32))
    shifted = menu.select("truck_id", value=(pl.col("p") * 100).cast(pl.Decimal(38, 4)), shifted=True)
    limits = menu.group_by("truck_id").agg(limit=pl.col("p").max() * 5)
    kind = pl.col("type").fill_null("").str.strip_chars().str.to_lowercase()
    local = pl.col("at").dt.convert_time_zone("Europe/London")
    return (
        raw.lazy()
        .join(files.lazy(), on="file_id", how="left")
        .with_columns(word=lower, value=value.cast(pl.Decimal(38, 4)), at=moment, kind=kind)
        .join(shifted.lazy(), on=["truck_id", "value"], how="left")
        .join(limits.lazy(), on="truck_id", how="left")
        .with_columns(
            reason=pl.when(pl.col("word").is_in(["", "blank", "null", "nan", "none", "n/a", "na", "-"]))
            .then(pl.lit("missing_total"))
            .when(pl.col("word").is_in(["void", "voided"]))
            .then(pl.lit("void"))
            .when(pl.col("word").is_in(["err", "error"]))
            .then(pl.lit("error_marker"))
            .when(pl.col("value").is_null() | (pl.col("value") != pl.col("value").floor()))
            .then(pl.lit("not_a_number"))
            .when(pl.col("value") == 0)
            .then(pl.lit("zero"))
            .when(pl.col("value") < 0)
            .then(pl.lit("negative"))
            .when(pl.col("shifted"))
            .then(pl.lit("decimal_shift"))
            .when(pl.col("value") > pl.col("limit"))
            .then(pl.lit("above_limit"))
            .when(pl.col("at").is_null())
            .then(pl.lit("bad_timestamp"))
            .when(pl.col("at") > pl.col("uploaded_at") + pl.duration(hours=1))
            .then(pl.lit("future"))
            .when(pl.col("at") < pl.datetime(2015, 1, 1, time_zone="UTC"))
            .then(pl.lit("too_old"))
            .when(~pl.col("kind").is_in(["card", "cash"]))
            .then(pl.lit("unknown_payment_type")),
            total_pence=pl.col("value").cast(pl.Int64, strict=False),
            business_date=(local.dt.replace_time_zone(None) - pl.duration(hours=4)).dt.date(),
            local_hour=local.dt.hour(),
            flags=((pl.col("kind") == "card") & (pl.col("truck_id") == 6)).cast(pl.Int16)
            + ((pl.col("at") < pl.col("window_from")) | (pl.col("at") >= pl.col("window_to"))).cast(pl.Int16) * 2,
        )
        .collect()
    )


def _agree(sales: pa.Table, rejects: pa.Table, theirs: pl.DataFrame) -> None:
    """Raise SystemExit unless both give the same result."""
    reasons = {r["reason"]: r["len"] for r in theirs.group_by("reason").len().to_dicts() if r["reason"]}
    ours = {r["values"]: r["counts"] for r in rejects["reason"].value_counts().to_pylist()}
    accepted = theirs.filter(pl.col("reason").is_null())
    same = (ours, sales.num_rows, sum(sales["total_pence"].to_pylist()), sum(sales["flags"].to_pylist()))
    other = (reasons, accepted.height, accepted["total_pence"].sum(), accepted["flags"].sum())
    if same != other:
        raise SystemExit(f"the two give different results: {same} and {other}")


if __name__ == "__main__":
    run("clean", __doc__, measure)
