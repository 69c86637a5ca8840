"""What rules would change of loaded days, before anybody applies them: against what is loaded, or other rules."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import pyarrow as pa

from t3lib.cleaning import Cleaned, Rulebook, TruckFacts
from t3lib.cleaning.truck_facts import read_truck_facts
from t3lib.ingest import flags_and_suggestions
from t3lib.ingest.extraction import Extract, extract
from t3lib.ingest.flags_and_suggestions import Count, Key
from t3lib.landing import Landing
from t3lib.settings import settings
from t3lib.warehouse import connect
from t3lib.warehouse.db.cursor import transaction
from t3lib.warehouse.files import ledger, reprocessing, rulesets
from t3lib.warehouse.files.file_outcomes import OUTCOMES
from t3lib.warehouse.files.reprocessing import Waiting
from t3lib.warehouse.load import reloading
from t3lib.warehouse.load.reloading import Comparison
from t3lib.warehouse.sales import day_changes
from t3lib.warehouse.sales.day_changes import DayChange, Sums
from t3lib.warehouse.sales.restatements import Label, net

LOADED, NOT_READ = "loaded", "not read"
Progress = Callable[[int, int], None]

_NAMED = 3  # files of a remark
_LINE = ["file_id", "row_number"]
# Also for roles that may not take the lock that loads share.
_READ_ONLY_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"


@dataclass
class Difference:
    """What reprocessing files would change; nothing is written.

    files: how many files have which outcome. moves: [rows, pence] by what rows are now (loaded, or the reason of their
    rejection) and would be. days: (rows, pence) that truck and business day would gain, where any row changes.
    existing: (rows, pence) of those days now. rows_read, rows_loaded and pence_loaded: of the files afterwards.
    readable: the rows of files that could not be read before and can be now. marks: flags and suggestions that change.
    waiting: the batches that are to reprocess some of these files already. not_compared: the state of the files of
    these days that have no loaded rows, by key."""

    files: Counter[str] = field(default_factory=Counter)
    moves: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    days: Sums = field(default_factory=dict)
    existing: Sums = field(default_factory=dict)
    rows_read: int = 0
    rows_loaded: int = 0
    pence_loaded: int = 0
    readable: dict[str, int] = field(default_factory=dict)
    marks: dict[Key, Count] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)
    not_compared: dict[str, str] = field(default_factory=dict)

    def changes(self) -> list[DayChange]:
        """One per truck and business day that would change, by truck."""
        return day_changes.changes(self.days, self.existing)

    def by_day(self) -> list[dict[str, Any]]:
        """The same as rows of `ops.restatement`."""
        return [vars(change) for change in self.changes()]

    def moved(self, place: int) -> list[dict[str, Any]]:
        """The rows and pence that each truck (place 0 of `days`) or each business day (place 1) would gain."""
        sums: dict[Any, list[int]] = {}
        for day, (rows, pence) in self.days.items():
            of = sums.setdefault(day[place], [0, 0])
            of[0], of[1] = of[0] + rows, of[1] + pence
        name = ("truck_id", "business_date")[place]
        return [{name: of, "rows": rows, "pence": pence} for of, (rows, pence) in sorted(sums.items())]

    def by_move(self) -> list[dict[str, Any]]:
        """One row per outcome now and outcome then: how many rows, and the pence that sales gain by it."""
        return [
            {"before": before, "after": after, "rows": rows, "pence": pence}
            for (before, after), (rows, pence) in sorted(self.moves.items())
        ]

    def flags_and_suggestions(self, *names: str) -> list[dict[str, Any]]:
        """How many rows get, lose or change a flag or a suggestion, by these of code, what (flag or suggestion),
        truck_id and business_date; `pence` is what the suggested totals gain."""
        return flags_and_suggestions.summed(self.marks, names)

    def remarks(self) -> list[str]:
        """Sentences about files that are not compared, or whose reprocessing waits."""
        gone = {outcome: self.files[outcome] for outcome in ("gone", "refused") if self.files[outcome]}
        said = [f"{n:,} can no longer be read ({outcome}): their rows would stay as they are."
                for outcome, n in gone.items()]  # fmt: skip
        said += [
            f"{key} could not be read before and can be now: {rows:,} rows." for key, rows in self.readable.items()
        ]
        said += [batch.sentence for batch in self.waiting]
        for state in sorted(set(self.not_compared.values())):
            keys = [key for key, of in self.not_compared.items() if of == state]
            more = f" and {len(keys) - _NAMED:,} more" if len(keys) > _NAMED else ""
            files = "1 file of these days has" if len(keys) == 1 else f"{len(keys):,} files of these days have"
            said.append(f"{files} no loaded rows and cannot be compared. {state}: {OUTCOMES[state]} "
                        f"({', '.join(keys[:_NAMED])}{more})")  # fmt: skip
        return said


def would_be(move: Mapping[str, Any], words: Callable[[str], str] = str) -> str:
    """What rows of a move would be, in words: with another flag, suggestion or hour they are the same, differently."""
    return words(move["after"]) + (", differently" if move["before"] == move["after"] else "")


def of_days(
    first: date,
    last: date,
    url: str | None = None,
    progress: Progress = lambda done, of: None,
    rules: Rulebook | None = None,
    against: Rulebook | None = None,
) -> Difference:
    """What `t3 ingest --reprocess first..last` would change with these rules, by default this folder's; it reads only.

    progress is called with (batches done, all batches). The rest is said of `of_files`."""
    with connect(url) as db:
        files, unread = reprocessing.of_days(db, first, last), reprocessing.unread(db, first, last)
        not_loaded = reprocessing.not_loaded(db, first, last)
    found = of_files(files, rules or Rulebook.of_folder(), against, url, progress)
    if unread and against is None:
        found.readable = _readable(unread, url)
    found.not_compared = {key: state for key, state in not_loaded.items() if key not in found.readable}
    return found


def of_files(
    files: list[int],
    rules: Rulebook,
    against: Rulebook | None = None,
    url: str | None = None,
    progress: Progress = lambda done, of: None,
) -> Difference:
    """What cleaning these loaded files under some rules would change of what is loaded, or of what other rules would
    make of them (`against`).

    Files are cleaned in the batches that reprocessing would make, each after the changes of the ones before."""
    with connect(url) as db:
        batches = reprocessing.bounded(db, files, settings().batch_bytes)
        books = [rules] if against is None else [against, rules]
        bits = rulesets.bits(db, *books)
        found = Difference(waiting=reprocessing.waiting(db, files))
    versions = [_Version(book, bits) for book in books]
    for done, batch in enumerate(batches):
        progress(done, len(batches))
        with connect(url) as db:
            loaded, facts = ledger.by_id(db, batch), read_truck_facts(db, without=batch)
        read = extract(loaded, Landing())
        _count(found, read.files, [version.compare(read, facts, url) for version in versions], bits)
    _count_existing(found, versions[0].moved if against else {}, url)
    return found


def of_staged(files: pa.Table, sales: pa.Table, rejects: pa.Table, url: str | None = None) -> Difference:
    """The same for the loaded files that a dry run has cleaned, against what is loaded."""
    found = Difference()
    _count(found, files, [_compared(files, Cleaned(sales, rejects), url)], {})
    _count_existing(found, {}, url)
    return found


@dataclass
class _Version:
    """Some rules, and what they would have changed by the batches so far: how often each truck sold at each price
    (sold), rows and pence of each truck and day (moved)."""

    rules: Rulebook
    bits: dict[str, int]
    sold: Counter[tuple[int, int]] = field(default_factory=Counter)
    moved: Sums = field(default_factory=dict)

    def compare(self, read: Extract, facts: TruckFacts, url: str | None) -> Comparison:
        """One more batch against what is loaded."""
        cleaned = self.rules.clean(read.raw, read.files, _with(facts, self.sold), self.bits)
        compared = _compared(read.files, cleaned, url)
        for table, sign in ((compared.inserted, 1), (compared.deleted, -1)):
            for row in table.select(["truck_id", "total_pence"]).to_pylist():
                self.sold[row["truck_id"], row["total_pence"]] += sign
        for day, (rows, pence) in day_changes.delta(compared.inserted, compared.deleted).items():
            day_changes.add(self.moved, day, rows, pence)
        return compared


def _with(facts: TruckFacts, sold: Counter[tuple[int, int]]) -> TruckFacts:
    counts = {truck: Counter(prices) for truck, prices in facts.sold.items()}
    for (truck, price), times in sold.items():
        counts.setdefault(truck, Counter())[price] += times
    return replace(facts, sold=counts)


def _going(files: pa.Table) -> tuple[dict[int, str], list[int]]:
    """The outcome of each file before its rows are compared, and the files whose rows are."""
    outcomes = {row["file_id"]: reloading.validate({"state": "loaded"}, row)[0] for row in files.to_pylist()}
    return outcomes, [file_id for file_id, outcome in outcomes.items() if outcome == "unchanged"]


def _compared(files: pa.Table, cleaned: Cleaned, url: str | None) -> Comparison:
    with transaction(url) as cursor:
        cursor.execute(_READ_ONLY_SNAPSHOT)
        return reloading.compare(cursor, _going(files)[1], cleaned.sales, cleaned.rejects)


def _count(found: Difference, files: pa.Table, versions: list[Comparison], bits: dict[str, int]) -> None:
    """Count one batch: a version against what is loaded, or the second of two against the first; flags by their
    numbers."""
    first, last = versions[0], versions[-1]
    compared = last if last is first else reloading.between(first, last)
    staged, (outcomes, going) = {row["file_id"]: row for row in files.to_pylist()}, _going(files)
    _count_days(found, compared, staged)
    _count_moves(found, compared)
    for key, count in flags_and_suggestions.counts(compared, bits):
        found.marks.setdefault(key, Count()).add(count)
    found.files.update("restated" if file_id in compared.files else outcome for file_id, outcome in outcomes.items())
    found.rows_read += sum(staged[file_id]["rows_read"] for file_id in going)
    found.rows_loaded += compared.sales.num_rows
    found.pence_loaded += sum(compared.sales["total_pence"].to_pylist())


def _count_days(found: Difference, compared: Comparison, staged: dict[int, dict[str, Any]]) -> None:
    labels = {file_id: Label("again", row["key"]) for file_id, row in staged.items()}
    for row in net(compared.inserted, compared.deleted, labels).to_pylist():
        day_changes.add(found.days, (row["truck_id"], row["business_date"]), row["rows"], row["pence"])


def _count_existing(found: Difference, moved: Sums, url: str | None) -> None:
    """What the days that change have before: what is loaded, or with what other rules would have moved of it."""
    with transaction(url) as cursor:
        cursor.execute(_READ_ONLY_SNAPSHOT)
        found.existing = day_changes.standing(cursor, found.days)
    for day, (rows, pence) in moved.items():
        if day in found.days:
            day_changes.add(found.existing, day, rows, pence)


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
