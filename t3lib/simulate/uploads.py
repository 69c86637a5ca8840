"""How a truck's day becomes files, and what goes wrong on the way to the bucket."""

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from t3lib.simulate.chance import UPLOADS, choose, draw, draws
from t3lib.simulate.demand import day_sales
from t3lib.simulate.dirt import ACCEPTED, Rows, write_down
from t3lib.simulate.files import BATCH_HOURS, BATCHES, LONDON, sales_key
from t3lib.simulate.fleet import truck
from t3lib.simulate.plan import Feed

# missing: never uploaded. late: uploaded after everything else. corrected: uploaded incomplete, later completely.
# duplicate: later uploaded again under another key. carried: its rows come in the truck's next file.
MISHAPS = {"missing": 0.020, "late": 0.015, "corrected": 0.015, "duplicate": 0.010, "carried": 0.010}
PADDED = 0.05
LETTERS = "ABCDEFGHIJKLMNOPQRSTU"  # V to Z are for live uploads


@dataclass(frozen=True)
class Upload:
    """The last version of one file. Its first `carried` rows are from before the batch's three hours."""

    truck_id: int
    day: date
    hour: int
    rows: Rows
    mishap: str | None
    carried: int
    key: str
    copy_key: str

    def first_version(self) -> Rows:
        """What the file held at first: of a corrected one the last quarter was missing."""
        return self.rows.part(0, len(self.rows) * 3 // 4) if self.mishap == "corrected" else self.rows

    def outside(self, rows: Rows) -> int:
        """How many accepted rows of a version are from before the batch."""
        return int((rows.reason[: self.carried] == ACCEPTED).sum())


def day_rows(truck_id: int, day: date, feed: Feed) -> Rows:
    """Every row that a truck writes on a business date, whether or not a file brings it."""
    wagon = truck(truck_id, feed.seed)
    sales = day_sales(wagon, day, feed.seed, feed.sales_per_day)
    return write_down(sales, wagon, day, feed.seed, feed.dirt)


def day_uploads(truck_id: int, day: date, feed: Feed, now: datetime, empty_hour: int | None) -> list[Upload]:
    """A truck's files of one business date whose batch hour has come. empty_hour: that file has a header only."""
    rows = day_rows(truck_id, day, feed)
    if not len(rows):
        return []
    chances = draws(feed.seed, UPLOADS, truck_id, day.toordinal()).random((len(BATCHES), 4)).tolist()
    uploads, waiting_since = [], None
    for hour, (luck, *spelling) in zip(BATCHES, chances, strict=True):
        begins = (hour - BATCH_HOURS) * 60
        mishap = "empty" if hour == empty_hour else choose(luck, MISHAPS) if feed.mishaps else None
        if batch_time(day, hour) > now:
            break
        if mishap == "carried":
            waiting_since = waiting_since or begins
            continue
        bounds = np.searchsorted(rows.minute, (waiting_since or begins, begins, hour * 60)).tolist()
        waiting_since = None
        part = rows.part(bounds[0], bounds[0] if mishap == "empty" else bounds[2])
        if mishap == "empty" or (len(part) and mishap != "missing"):
            keys = _keys(truck_id, day, hour, *spelling)
            uploads.append(Upload(truck_id, day, hour, part, _possible(mishap, part), bounds[1] - bounds[0], *keys))
    return uploads


def empty_batches(truck_id: int, days: list[date], feed: Feed) -> dict[date, int]:
    """The one batch of a truck that comes with a header and no rows (two would be the same content twice)."""
    if not feed.mishaps or not days:
        return {}
    return {days[int(draw(feed.seed, UPLOADS, truck_id) * len(days))]: BATCHES[2]}


def batch_time(day: date, hour: int) -> datetime:
    """When a batch closes."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=LONDON)


def _keys(truck_id: int, day: date, hour: int, padded: float, letter: float, digit: float) -> tuple[str, str]:
    """The file's key, and the one under which a copy of it may come."""
    first, number = LETTERS[int(letter * len(LETTERS))], int(digit * 9)
    return (
        sales_key(truck_id, day, hour, f"{first}{number}", padded < PADDED),
        sales_key(truck_id, day, hour, f"{first}{number + 1}"),
    )


def _possible(mishap: str | None, rows: Rows) -> str | None:
    """The mishap, or None for a file that is too short for it."""
    return None if mishap in ("corrected", "duplicate", "late") and len(rows) < 4 else mishap
