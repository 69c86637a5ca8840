"""What this folder's rules would change of loaded days, before anybody applies them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import pyarrow as pa

from t3lib.cleaning import Cleaned, Rulebook, TruckFacts
from t3lib.cleaning.truck_facts import read_truck_facts
from t3lib.ingest.extraction import Extract, extract
from t3lib.landing import Landing
from t3lib.settings import settings
from t3lib.warehouse import connect
from t3lib.warehouse.db.cursor import Cursor, transaction
from t3lib.warehouse.files import ledger, reprocessing, rulesets
from t3lib.warehouse.load import reloading
from t3lib.warehouse.load.reloading import Comparison
from t3lib.warehouse.sales.restatements import Label, net

LOADED, NOT_READ = "loaded", "not read"
Progress = Callable[[int, int], None]
Cleaning = Callable[[Extract, TruckFacts], Cleaned]

_LINE = ["file_id", "row_number"]
# Also for roles that may not take the lock that loads share.
_READ_ONLY_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
_SOLD = """
    SELECT truck_id, business_date, sum(transactions)::bigint AS rows, sum(total_pence)::bigint AS pence
    FROM mart.sales_hourly
    WHERE business_date = ANY($1)
    GROUP BY truck_id, business_date
"""


@dataclass
class Difference:
    """What reprocessing files would change; nothing is written.

    files: how many files have which outcome. moves: [rows, pence] by what rows are now (loaded, or the reason of their
    rejection) and would be. days: [rows, pence] that truck and business day would gain, where any row changes.
    existing: [rows, pence] of those days now. rows_read, rows_loaded and pence_loaded: of the files afterwards.
    readable: the rows of files that could not be read before and can be now."""

    files: Counter[str] = field(default_factory=Counter)
    moves: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    days: dict[tuple[int, date], list[int]] = field(default_factory=dict)
    existing: dict[tuple[int, date], list[int]] = field(default_factory=dict)
    rows_read: int = 0
    rows_loaded: int = 0
    pence_loaded: int = 0
    readable: dict[str, int] = field(default_factory=dict)

    def by_day(self) -> list[dict[str, Any]]:
        """One row per truck and business day that would change, as in `ops.restatement`."""
        return [
            {"truck_id": truck, "business_date": day, "rows_before": rows, "rows_after": rows + more_rows,
             "pence_before": pence, "pence_after": pence + more_pence}
            for (truck, day), (more_rows, more_pence) in sorted(self.days.items())
            for rows, pence in [self.existing.get((truck, day), [0, 0])]
        ]  # fmt: skip

    def by_move(self) -> list[dict[str, Any]]:
        """One row per outcome now and outcome then: how many rows, and the pence that sales gain by it."""
        return [
            {"before": before, "after": after, "rows": rows, "pence": pence}
            for (before, after), (rows, pence) in sorted(self.moves.items())
        ]


def of_days(
    first: date,
    last: date,
    url: str | None = None,
    progress: Progress = lambda done, of: None,
    rules: Rulebook | None = None,
) -> Difference:
    """What `t3 ingest --reprocess first..last` would change with these rules, by default this folder's; it reads only.

    Files are cleaned in the batches that reprocessing would make, each after the changes of the ones before.
    progress is called with (batches done, all batches)."""
    with connect(url) as db:
        files, unread = reprocessing.of_days(db, first, last), reprocessing.unread(db, first, last)
        batches = reprocessing.bounded(db, files, settings().batch_bytes)
        rules = rules or Rulebook.of_folder()
        bits = rulesets.bits(db, rules)
    found, sold = Difference(), Counter[tuple[int, int]]()

    def clean(read: Extract, facts: TruckFacts) -> Cleaned:
        return rules.clean(read.raw, read.files, facts, bits)

    for done, batch in enumerate(batches):
        progress(done, len(batches))
        _add(found, batch, sold, clean, url)
    if unread:
        found.readable = _readable(unread, url)
    return found


def of_staged(files: pa.Table, sales: pa.Table, rejects: pa.Table, url: str | None = None) -> Difference:
    """The same for the loaded files that a dry run has cleaned."""
    found = Difference()
    _compare(found, files, sales, rejects, url)
    return found


def _add(found: Difference, batch: list[int], sold: Counter[tuple[int, int]], clean: Cleaning, url: str | None) -> None:
    """One batch; `sold` counts by truck and price what the batches before would have added to the sales."""
    with connect(url) as db:
        files, facts = ledger.by_id(db, batch), read_truck_facts(db, without=batch)
    read = extract(files, Landing())
    cleaned = clean(read, _with(facts, sold))
    compared = _compare(found, read.files, cleaned.sales, cleaned.rejects, url)
    for table, sign in ((compared.inserted, 1), (compared.deleted, -1)):
        for row in table.select(["truck_id", "total_pence"]).to_pylist():
            sold[row["truck_id"], row["total_pence"]] += sign


def _with(facts: TruckFacts, sold: Counter[tuple[int, int]]) -> TruckFacts:
    counts = {truck: Counter(prices) for truck, prices in facts.sold.items()}
    for (truck, price), times in sold.items():
        counts.setdefault(truck, Counter())[price] += times
    return replace(facts, sold=counts)


def _compare(found: Difference, files: pa.Table, sales: pa.Table, rejects: pa.Table, url: str | None) -> Comparison:
    staged = {row["file_id"]: row for row in files.to_pylist()}
    validated = {file_id: reloading.validate({"state": "loaded"}, row)[0] for file_id, row in staged.items()}
    going = [file_id for file_id, outcome in validated.items() if outcome == "unchanged"]
    with transaction(url) as cursor:
        cursor.execute(_READ_ONLY_SNAPSHOT)
        compared = reloading.compare(cursor, going, sales, rejects)
        _count_days(found, compared, staged)
        found.existing |= _existing(cursor, [day for _, day in found.days])
    _count_moves(found, compared)
    found.files.update("restated" if file_id in compared.files else outcome for file_id, outcome in validated.items())
    found.rows_read += sum(staged[file_id]["rows_read"] for file_id in going)
    found.rows_loaded += compared.sales.num_rows
    found.pence_loaded += sum(compared.sales["total_pence"].to_pylist())
    return compared


def _count_days(found: Difference, compared: Comparison, staged: dict[int, dict[str, Any]]) -> None:
    labels = {file_id: Label("again", row["key"]) for file_id, row in staged.items()}
    for row in net(compared.inserted, compared.deleted, labels).to_pylist():
        day = found.days.setdefault((row["truck_id"], row["business_date"]), [0, 0])
        day[0], day[1] = day[0] + row["rows"], day[1] + row["pence"]


def _existing(cursor: Cursor, days: list[date]) -> dict[tuple[int, date], list[int]]:
    if not days:
        return {}
    cursor.execute(_SOLD, [sorted(set(days))])
    rows = cursor.table().to_pylist()
    return {(row["truck_id"], row["business_date"]): [row["rows"], row["pence"]] for row in rows}


def _count_moves(found: Difference, compared: Comparison) -> None:
    before = _outcomes(compared.deleted, compared.rejects_deleted)
    after = _outcomes(compared.inserted, compared.rejects_inserted)
    both = before.join(after, _LINE, join_type="full outer", right_suffix="_after")
    sums = both.group_by(["outcome", "outcome_after"])
    for row in sums.aggregate([([], "count_all"), ("pence", "sum"), ("pence_after", "sum")]).to_pylist():
        move = found.moves.setdefault((row["outcome"] or NOT_READ, row["outcome_after"] or NOT_READ), [0, 0])
        gained = (row["pence_after_sum"] or 0) - (row["pence_sum"] or 0)
        move[0], move[1] = move[0] + row["count_all"], move[1] + gained


def _outcomes(sales: pa.Table, rejects: pa.Table) -> pa.Table:
    """What became of each row (loaded, or the reason of its rejection) and its pence, by file and row number."""
    loaded, none = pa.repeat(LOADED, sales.num_rows), pa.repeat(pa.scalar(0, pa.int64()), rejects.num_rows)
    lines = (
        sales.select(_LINE).append_column("outcome", loaded),
        rejects.select(_LINE).append_column("outcome", rejects["reason"]),
    )
    pence = (sales["total_pence"].cast(pa.int64()), none)
    return pa.concat_tables([table.append_column("pence", of) for table, of in zip(lines, pence, strict=True)])


def _readable(files: list[int], url: str | None) -> dict[str, int]:
    with connect(url) as db:
        found = ledger.by_id(db, files)
    read = extract(found, Landing()).files.to_pylist()
    return {row["key"]: row["rows_read"] for row in read if row["state"] == "loaded"}
