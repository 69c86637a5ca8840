"""Object keys: which truck and batch a key belongs to."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from t3lib.settings import settings

BATCH_HOURS = 3
METADATA = {"details.xlsx": "details", "menu.csv": "menu", "pitches.csv": "pitches", "costs.csv": "costs",
            "terminals.csv": "terminals", "banking.csv": "banking"}  # fmt: skip
SETTLEMENTS = "settlements"

_HISTORY = re.compile(r"historical/TRUCK_DATA_HIST_(\d{1,9})\.parquet", re.ASCII)
_PACKED = re.compile(r"\.(gz|zip|bz2|xz|zst|7z|rar|tar|tgz)$|(?<=\.csv)\.(gz|zip)", re.IGNORECASE)
# What browsers and file managers add to the name of a second copy, before or behind the ending.
_COPY = re.compile(r"[ _-]*(?:\(\d+\)|- ?copy(?: \(?\d+\)?)?|copy)(\.\w+)?$", re.IGNORECASE)
_SALES = re.compile(r"trucks/(\d{4})-(\d{1,2})/(\d{1,2})/(\d{1,2})/T3_T(\d{1,9})_([A-Za-z0-9]+)\.csv", re.ASCII)
_STATEMENT = re.compile(rf"{SETTLEMENTS}/(?:[^/]+/)*[^/.][^/]*\.(?:csv|ofx)", re.IGNORECASE)
_PADDED = (
    re.compile(r"^(trucks/[0-9]{4}-)0*([0-9]+/)0*([0-9]+/)0*([0-9]+/T3_T)0*([0-9]+_)"),
    re.compile(r"^(historical/TRUCK_DATA_HIST_)0*([0-9]+\.parquet)$"),
)


@dataclass(frozen=True)
class Key:
    """What an object key says. kind is 'sales', 'history', 'metadata', 'settlement' or 'other' (then reason says
    why)."""

    kind: str
    truck_id: int | None = None
    suffix: str | None = None
    batch_date: date | None = None
    batch_hour: int | None = None
    reason: str | None = None


def parse(key: str) -> Key:
    """Read one object key of any layout; never raises. For a key that nearly fits, the reason says what to do."""
    found = _match(key)
    if found.kind == "other" and not found.reason:
        return Key("other", reason=_advice(key) or "Not a file of the feed: its key follows none of the known layouts.")
    return found


def _match(key: str) -> Key:
    if key.startswith("metadata/") and key.removeprefix("metadata/") in METADATA:
        return Key("metadata")
    if key.startswith(f"{SETTLEMENTS}/"):
        if _STATEMENT.fullmatch(key):
            return Key("settlement")
        return Key("other", reason="Files of card providers and banks are read as CSV or OFX: export it so.")
    if found := _HISTORY.fullmatch(key):
        return Key("history", int(found[1]))
    if not (found := _SALES.fullmatch(key)):
        return Key("other")
    year, month, day, hour, truck = (int(part) for part in found.groups()[:5])
    try:
        return Key("sales", truck, found[6], date(year, month, day), time(hour).hour)
    except ValueError:
        return Key("other", reason="Its folders name a day or hour that does not exist.")


def _advice(key: str) -> str | None:
    """What to do with a file whose key nearly fits a layout."""
    bare = _PACKED.sub("", key)
    meant = _canonical(_COPY.sub(r"\1", bare))
    if _match(meant).kind == "other":
        return None
    if bare != key:
        return f"Packed: unpack it and upload it as {meant}."
    return f"Not the name of a file of the feed: if it is meant, rename it to {meant}."


def _canonical(key: str) -> str:
    """The key in the upper and lower case of the layout that it resembles."""
    folder, _, name = key.strip().lower().rpartition("/")
    is_sale, is_history = folder.startswith("trucks/"), folder == "historical"
    if is_sale and (found := re.fullmatch(r"t3_t(\d+)_(.+)\.csv", name)):
        name = f"T3_T{found[1]}_{found[2].upper()}.csv"
    if is_history:
        name = name.upper().removesuffix(".PARQUET") + ".parquet"
    return f"{folder}/{name}"


def logical(key: str) -> str:
    """The key without zero-padding: every spelling of the same truck, batch and suffix is one logical key.

    The ledger keeps it as source_file.logical_key (a generated column)."""
    for padded in _PADDED:
        key = padded.sub(lambda found: "".join(found.groups()), key)
    return key


def batch_window(day: date, hour: int, zone: ZoneInfo | None = None) -> tuple[datetime, datetime]:
    """The three hours before a batch's local hour as [first, last) in UTC."""
    zone = zone or settings().zone
    last = datetime.combine(day, time(hour), zone)
    first = datetime.combine(day, time(hour)) - timedelta(hours=BATCH_HOURS)
    return first.replace(tzinfo=zone).astimezone(UTC), last.astimezone(UTC)


def todays_prefix(today: date) -> str:
    """The folder in which today's batches are expected, as trucks spell it."""
    return f"trucks/{today.year}-{today.month}/{today.day}"


def recent_prefixes(today: date, days: int) -> list[str]:
    """Prefixes that hold the batches of the last days, in both spellings, the metadata, and settlements."""
    dates = [today - timedelta(days=back) for back in range(days)]
    spellings = {f"trucks/{d.year}-{month}/{day}" for d in dates
                 for month in (d.month, f"{d.month:02d}") for day in (d.day, f"{d.day:02d}")}  # fmt: skip
    return ["metadata", SETTLEMENTS, *sorted(spellings)]
