"""The one rule of time: UTC stamps, local business days that start at 04:00."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from t3lib.settings import settings

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)
# From when until when things hold that hold for ever; the same in migration 0021.
BEGINNING, END = date(1900, 1, 1), date(3000, 1, 1)


def business_date(moment: datetime, zone: ZoneInfo | None = None, start: time | None = None) -> date:
    """The business day of one aware moment: its local date, or the day before when earlier than the start.

    The local wall clock decides, so the 23 and 25 hour days of a clock change need no rule of their own."""
    zone, start = zone or settings().zone, start or settings().business_day_start
    local = moment.astimezone(zone)
    return local.date() - timedelta(days=local.time() < start)


def business_dates(stamps: pa.Array, zone: str | None = None, start: time | None = None) -> tuple[pa.Array, pa.Array]:
    """(business_date as date32, local_hour 0-23 as int16) of an array of timestamp[*, tz=UTC]."""
    zone, start = zone or settings().timezone, start or settings().business_day_start
    local = pc.local_timestamp(stamps.cast(pa.timestamp("s", "UTC")).cast(pa.timestamp("s", zone)))
    shift = timedelta(hours=start.hour, minutes=start.minute, seconds=start.second)
    return pc.subtract(local, pa.scalar(shift, pa.duration("s"))).cast(pa.date32()), pc.hour(local).cast(pa.int16())


def bounds(day: date, zone: ZoneInfo | None = None, start: time | None = None) -> tuple[datetime, datetime]:
    """First moment of a business day and of the next one, both UTC (23, 24 or 25 hours apart)."""
    zone, start = zone or settings().zone, start or settings().business_day_start
    first, last = (datetime.combine(d, start, zone) for d in (day, day + timedelta(days=1)))
    return first.astimezone(UTC), last.astimezone(UTC)


def today(now: datetime | None = None) -> date:
    """The business day that is trading now."""
    return business_date(now or datetime.now(UTC))


def day_of(text: str) -> date:
    """The business day that an ISO date names. Raises ValueError, whose text says what to write."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a date: write it like 2026-11-05.") from None
    if not FIRST_DAY <= found <= LAST_DAY:
        raise ValueError(f"{found} is not a day that T3 knows: give one from {FIRST_DAY} to {LAST_DAY}.")
    return found


def days_of(text: str) -> tuple[date, date]:
    """The first and last business day of DATE or DATE..DATE. Raises ValueError, whose text says what to write."""
    first, _, last = text.partition("..")
    days = day_of(first), day_of(last or first)
    if days[0] > days[1]:
        raise ValueError(f"{text!r} ends before it begins: write the earlier date first.")
    return days


def moment_of(text: str, zone: ZoneInfo | None = None) -> datetime:
    """The aware moment that ISO text names; local without an offset. Raises ValueError, whose text says what to write:
    in a clock change a local time may name two moments, or none."""
    try:
        found = datetime.fromisoformat(text.strip())
        if found.tzinfo is None:
            found = _local(found, zone or settings().zone)
        found.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text[:40]!r} is not a time that T3 knows.") from None
    except _ClockChangeError:
        raise
    except ValueError:
        raise ValueError(f'{text[:40]!r} is not a time: write it like "2026-11-05 12:30".') from None
    return found


class _ClockChangeError(ValueError):
    """A local time that does not name one moment."""


def _local(naive: datetime, zone: ZoneInfo) -> datetime:
    first, second = (naive.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    exists = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == naive
    often = "exists twice" if exists else "never existed"
    written = [moment.isoformat(" ", "minutes") for moment in (naive, naive.replace(tzinfo=UTC))]
    said = f"{written[0]} {often} in {zone.key}, where the clocks change"
    raise _ClockChangeError(f"{said}: write it with its offset, like {written[1]}.")
