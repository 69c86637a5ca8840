"""Loaded files read again from the bucket by the present code: their rows compared with the loaded ones."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa

from t3lib.cleaning import Rulebook, TruckFacts
from t3lib.ingest.extraction import Extract, extract
from t3lib.landing import Landing
from t3lib.warehouse.checks.reconciliation import Check
from t3lib.warehouse.db.connection import connect
from t3lib.warehouse.decisions import active, decisions
from t3lib.warehouse.files import ledger, rulesets
from t3lib.warehouse.sales.change import changing, sales_of

SAMPLE = 200
_PORTION, _NAMED = 20, 3
_LOADED = sa.text("""
    SELECT file_id, rows_read FROM ops.source_file
    WHERE state = 'loaded' AND kind IN ('metadata', 'sales', 'history')
    ORDER BY kind <> 'metadata', file_id
""")
_VALUE = ["file_id", "row_number", "sold_at", "payment_type", "total_pence"]
_ADVICE = (
    "compare the file with what `t3 trace` shows. `t3 ingest --reprocess DATE` reprocesses its days; a file that is "
    "refused today stays as it is until a corrected one is uploaded under its key, or `t3 files hold KEY` takes it out"
)


def check(
    landing: Landing, sample: int = SAMPLE, url: str | None = None, progress: Callable[[int, int], Any] | None = None
) -> Check:
    """Whether each file still gives the rows that were read of it, and every sale is what its row says.

    sample: how many files are drawn at random, 0 for all. Files that left the bucket are counted and skipped."""
    with connect(url) as db:
        loaded = {row.file_id: row.rows_read for row in db.execute(_LOADED)}
    drawn = sorted(random.sample(list(loaded), sample) if 0 < sample < len(loaded) else loaded)
    counts: Counter[str] = Counter()
    faults: list[str] = []
    for start in range(0, len(drawn), _PORTION):
        with connect(url) as db:
            files = ledger.by_id(db, drawn[start : start + _PORTION])
        read = extract(files, landing)
        odd = _odd_sales(read, url)
        for outcome in read.files.to_pylist():
            faults += _faults(outcome, loaded[outcome["file_id"]], odd.get(outcome["file_id"], 0), counts)
        if progress:
            progress(min(start + _PORTION, len(drawn)), len(drawn))
    return _summary(counts, faults, len(drawn), len(loaded))


def _faults(outcome: dict[str, Any], rows_read: int, odd: int, counts: Counter[str]) -> Iterator[str]:
    """What is wrong with a loaded file as it is read today."""
    key = outcome["key"]
    if outcome["state"] == "superseded":
        counts["gone"] += 1
        return
    counts["rows"] += outcome["rows_read"]
    if outcome["state"] != "loaded":
        yield f"{key} would not be loaded today: {outcome['reason'].rstrip('.')}"
    elif outcome["rows_read"] != rows_read:
        yield f"{key} was loaded with {rows_read:,} rows, its lines hold {outcome['rows_read']:,}"
    elif odd:
        yield f"{key} has {odd:,} sales that its rows do not say"


def _odd_sales(read: Extract, url: str | None) -> dict[int, int]:
    """How many sales of each file are not what their rows say, without those that a person repaired."""
    files = read.files["file_id"].to_pylist()
    with connect(url) as db:
        rules = Rulebook.in_force()
        bits = rulesets.bits(db, rules)
    # What is believed of a row that can be booked is for the rules.
    said = rules.clean(read.raw, read.files, TruckFacts(), bits, believing=True).sales.select(_VALUE)
    with changing(url) as cursor:
        repaired = active.active_decisions(cursor, files)
        existing = decisions.without(sales_of(cursor, files), repaired).select(_VALUE)
    odd = existing.join(said.cast(existing.schema), keys=_VALUE, join_type="left anti")
    return Counter(odd["file_id"].to_pylist())


def _summary(counts: Counter[str], faults: list[str], drawn: int, loaded: int) -> Check:
    files = f"all {drawn:,}" if drawn == loaded else f"{drawn:,} of {loaded:,}"
    detail = f"{files} loaded files read again: {counts['rows']:,} rows"
    if counts["gone"]:
        detail += f"; {counts['gone']:,} are no longer in the bucket"
    if faults:
        detail += f"; {len(faults):,} differ: " + "; ".join(faults[:_NAMED])
    return Check("lines", not faults, detail, _ADVICE if faults else "")
