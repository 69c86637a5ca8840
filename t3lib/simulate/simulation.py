"""One run of the simulator: which files are written, in which order, and what they add up to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from t3lib.business_day import business_date
from t3lib.simulate.dirt import Rows
from t3lib.simulate.files import CLUTTER, csv_body, day_clutter, history_body, history_key
from t3lib.simulate.metadata import metadata_files
from t3lib.simulate.plan import Feed, Plan
from t3lib.simulate.settled import Settled, settled
from t3lib.simulate.truth import Truth
from t3lib.simulate.uploads import Upload, day_rows, day_uploads, empty_batches
from t3lib.simulate.writer import Writer

HISTORY_DAYS = 7
LATER = ("late", "corrected", "duplicate")
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Summary:
    """What was written (files, bytes) and what an ingest of it must find (the rest)."""

    files: int
    bytes: int
    rows: int
    accepted_rows: int
    rejected_rows: int
    accepted_pence: int
    rejected: dict[str, int]


def simulate(
    out: str | Path,
    trucks: int = 6,
    days: int = 56,
    end: date | None = None,
    seed: int = 1,
    dirt: float = 0.076,
    *,
    truth: Path | None = None,
    progress: Progress | None = None,
    now: datetime | None = None,
    sales_per_day: float | None = None,
    mishaps: bool = True,
    history_days: int | None = None,
    parts: tuple[str, ...] = ("first", "late"),
    settlements: bool = False,
) -> Summary:
    """Write a made-up fleet's feed to a folder, file:// or s3:// URL; the truth file says what it adds up to.

    The first history_days dates (by default seven, at most half of them) come as one history file per truck, the
    others as live batches. end is the last business date, by default today; no batch that closes after `now` is
    written. dirt is the share of spoilt rows; sales_per_day replaces the trucks' own means. mishaps=False leaves
    out late, missing, corrected, repeated and empty files and clutter. parts=("first",) stops before what comes
    late (late files, second versions, copies), and ("late",) writes only that; the truth is always that of the
    bucket afterwards. settlements also writes what card providers and the bank say (`t3lib.simulate.settled`).
    progress is called with (truck days done, all truck days). Raises ValueError."""
    now = now or datetime.now(UTC)
    end = end or business_date(now)
    history_days = min(HISTORY_DAYS, days // 2) if history_days is None else history_days
    plan = Plan(trucks, days, history_days, end, now, parts, Feed(seed, dirt, sales_per_day, mishaps))
    plan.check()
    run = _Run(plan, settled(plan) if settlements else None)
    with Writer(out) as writer:
        run.write(writer, progress or (lambda done, total: None))
    if truth:
        run.truth.write(truth)
    found = run.truth
    return Summary(writer.files, writer.bytes, found.rows_read, found.rows_loaded, found.rows_rejected,
                   found.pence_loaded, dict(sorted(found.rejected.items())))  # fmt: skip


class _Run:
    """One simulation and its truth. Holds one truck's day at a time, and counts."""

    def __init__(self, plan: Plan, money: Settled | None = None):
        self.plan, self.feed, self.truth, self.money = plan, plan.feed, Truth(), money

    def write(self, writer: Writer, progress: Progress) -> None:
        """Write what arrives first, then what comes late."""
        for key, body in self._static_files():
            self._put(writer, key, body, "first")
        for number in self._trucks() if self.plan.history_days else ():
            self._put(writer, *self._history(number), "first")
            progress(number * self.plan.history_days, self.plan.trucks * self.plan.days)
        later = self._live(writer, progress)
        writer.wait()  # a second version must not overtake the first
        for number, day, hour in later:
            upload = next(upload for upload in self._uploads(number, day) if upload.hour == hour)
            key = upload.copy_key if upload.mishap == "duplicate" else upload.key
            self._put(writer, key, csv_body(upload.rows, day), "late")

    def _live(self, writer: Writer, progress: Progress) -> list[tuple[int, date, int]]:
        """Write the first versions of the live files; returns (truck, date, hour) of those to be written again."""
        later, done = [], self.plan.trucks * self.plan.history_days
        for day in self.plan.live_days:
            for number in self._trucks():
                for upload in self._uploads(number, day):
                    self._first(writer, upload)
                    if upload.mishap in LATER:
                        later.append((number, day, upload.hour))
                done += 1
                progress(done, self.plan.trucks * self.plan.days)
        return later

    def _static_files(self) -> Iterator[tuple[str, bytes]]:
        """Files that no truck uploads."""
        metadata = metadata_files(self.plan.trucks, self.plan.first, self.plan.end, self.feed.seed)
        if self.money:
            metadata |= self.money.files
            self.truth.settlements = self.money.truth
            self.truth.files["settlement"] = sum(key.startswith("settlements/") for key in metadata)
        self.truth.files["metadata"] = sum(key.startswith("metadata/") for key in metadata)
        yield from metadata.items()
        if self.feed.mishaps:
            firsts = [day_clutter(day) for day in self.plan.live_days if day.day == 1]
            clutter = {key: body for part in (CLUTTER, *firsts) for key, body in part.items()}
            self.truth.files["ignored"] = len(clutter)
            yield from clutter.items()

    def _history(self, number: int) -> tuple[str, bytes]:
        dates = [self.plan.first + timedelta(days=i) for i in range(self.plan.history_days)]
        rows = [(day, day_rows(number, day, self.feed)) for day in dates]
        for day, part in rows:
            self.truth.add_rows(number, day, part)
        self.truth.files["loaded"] += 1
        return history_key(number), history_body(rows)

    def _trucks(self) -> range:
        return range(1, self.plan.trucks + 1)

    def _uploads(self, number: int, day: date) -> list[Upload]:
        empty_hour = empty_batches(number, self.plan.live_days, self.feed).get(day)
        return day_uploads(number, day, self.feed, self.plan.now, empty_hour)

    def _first(self, writer: Writer, upload: Upload) -> None:
        """Write a file's first version, and count the rows of its last one."""
        late, first = "late" in self.plan.parts, upload.first_version()
        if upload.mishap != "late":
            self._put(writer, upload.key, csv_body(first, upload.day), "first")
        if late or upload.mishap != "late":
            self._count(upload, upload.rows if late else first)
        if late:
            self.truth.files["held_duplicate"] += upload.mishap == "duplicate"
            self.truth.replaced_versions += upload.mishap == "corrected"

    def _count(self, upload: Upload, rows: Rows) -> None:
        self.truth.add_rows(upload.truck_id, upload.day, rows, upload.outside(rows))
        self.truth.files["loaded"] += 1
        self.truth.header_only_files += upload.mishap == "empty"

    def _put(self, writer: Writer, key: str, body: bytes, part: str) -> None:
        if part in self.plan.parts:
            writer.put(key, body)
