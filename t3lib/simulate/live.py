"""Live uploads for a demonstration: a truck's file grows while the truck sells.

A truck that uploads in the middle of a batch puts its file again under the same key with more rows, so each upload
is a new version that replaces the old one's rows, which is what a correction does too. After ROLL_ROWS rows the
truck starts its next file, to keep each version small. The first file of a batch begins with what the truck sold
since the batch began.

Between 21:00 and the start of the next business day no batch is due: sales then join the 21 h folder late, and
before 09:00 they join the 12 h folder early. Both carry the flag outside_batch_window, as real ones would.
When no truck trades, truck 2 (Kings of Kebabs) sells."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import obstore

from t3lib.landing import Landing
from t3lib.simulate.chance import LIVE, draws
from t3lib.simulate.demand import Sales, off_the_road
from t3lib.simulate.dirt import Rows, write_down
from t3lib.simulate.files import BATCH_HOURS, BATCHES, HEADER, LONDON, csv_body, sales_key, utc_minute
from t3lib.simulate.fleet import Truck, truck
from t3lib.simulate.plan import Feed
from t3lib.simulate.uploads import day_rows
from t3lib.simulate.writer import landing_url

DAY_START = time(4)
NIGHT_TRUCK = 2
TWO_AT_ONCE = 0.3
ROLL_ROWS = 400
SUFFIXES = tuple(f"{letter}{digit}" for letter in "VWXYZ" for digit in range(10))


@dataclass(frozen=True)
class LiveUpload:
    """One object that was just written; new_rows are those that its version before did not hold."""

    key: str
    truck_id: int
    rows: int
    new_rows: int


def live_uploads(
    out: str | Path,
    trucks: int = 6,
    seed: int = 1,
    dirt: float = 0.076,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[LiveUpload]:
    """An endless iterator: each step uploads a few new sales of one truck, in turn. The caller sets the pace."""
    step = 0
    while True:
        yield live_upload(out, step, trucks, seed, dirt, clock())
        step += 1


def live_upload(
    out: str | Path, step: int, trucks: int = 6, seed: int = 1, dirt: float = 0.076, now: datetime | None = None
) -> LiveUpload:
    """Upload one or two new sales of the truck whose turn it is, stamped with the minute of `now`."""
    local = (now or datetime.now(UTC)).astimezone(LONDON)
    day, minute = _business_minute(local)
    trading = _trading(trucks, seed, day, minute // 60)
    wagon, feed = trading[step % len(trading)], Feed(seed, dirt)
    hour = next((hour for hour in BATCHES if minute < hour * 60), BATCHES[-1])
    landing = Landing(landing_url(out))
    key, text = _open_file(landing, wagon.truck_id, day, hour)
    rows = [_few_sales(wagon, day, minute, step, feed)]
    if text is None:
        rows.insert(0, _since_batch_began(wagon, day, hour, minute, feed))
    body = (text or HEADER) + "".join(csv_body(part, day).decode().removeprefix(HEADER) for part in rows)
    landing.write(key, body.encode())
    return LiveUpload(key, wagon.truck_id, body.count("\n") - 1, sum(map(len, rows)))


def _business_minute(local: datetime) -> tuple[date, int]:
    """The business date of a London moment and its minute since that date's midnight.

    In the repeated hour of the clock change the minute is the one that the offset at noon gives."""
    day = local.date() - timedelta(days=local.time() < DAY_START)
    return day, int(local.timestamp()) // 60 - utc_minute(day, 0)


def _trading(trucks: int, seed: int, day: date, hour: int) -> list[Truck]:
    fleet = [truck(number, seed) for number in range(1, trucks + 1)]
    trading = [t for t in fleet if t.trades_at(hour) and not off_the_road(t, day, seed)]
    return trading or [fleet[min(NIGHT_TRUCK, trucks) - 1]]


def _open_file(landing: Landing, truck_id: int, day: date, hour: int) -> tuple[str, str | None]:
    """The key to write next and the text stored under it; None for a truck's first file of the batch."""
    folder = sales_key(truck_id, day, hour, "").rsplit("/", 1)[0]
    found = {stored.key for stored in landing.objects(folder)}
    keys = [sales_key(truck_id, day, hour, suffix) for suffix in SUFFIXES]
    used = [key for key in keys if key in found]
    if not used:
        return keys[0], None
    text = bytes(obstore.get(landing.store, used[-1]).bytes()).decode(errors="replace")
    if text.count("\n") > ROLL_ROWS and len(used) < len(keys):
        return keys[len(used)], HEADER
    return used[-1], text if text.endswith("\n") else text + "\n"


def _few_sales(wagon: Truck, day: date, minute: int, step: int, feed: Feed) -> Rows:
    rng = draws(feed.seed, LIVE, wagon.truck_id, utc_minute(day, minute), step)
    count = 1 + (rng.random() < TWO_AT_ONCE)
    item = (rng.random(count) * len(wagon.menu)).astype(np.int64)
    sales = Sales(np.full(count, minute), item, rng.random(count) < wagon.card_share)
    return write_down(sales, wagon, day, feed.seed + step + minute, feed.dirt)


def _since_batch_began(wagon: Truck, day: date, hour: int, minute: int, feed: Feed) -> Rows:
    """The truck's simulated trade from the start of the batch to the minute before now."""
    rows = day_rows(wagon.truck_id, day, feed)
    last = minute if minute < hour * 60 else 0
    first, last = np.searchsorted(rows.minute, ((hour - BATCH_HOURS) * 60, last)).tolist()
    return rows.part(first, max(first, last))
