"""Timestamps: text to UTC seconds."""

import re
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

TOO_OLD_SECONDS = int(datetime(2015, 1, 1, tzinfo=UTC).timestamp())

_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?\s?(?:Z|[+-]\d{2}:?\d{2}|UTC)?", re.ASCII
)


def parse_moment(text: str | None) -> int | None:
    """UTC seconds of one timestamp; no offset means UTC; None when it is not a full ISO date and time."""
    word = (text or "").strip().upper()
    if not _MOMENT.fullmatch(word):
        return None
    try:
        moment = datetime.fromisoformat(word.replace(" UTC", "Z").replace("UTC", "Z").replace(" +", "+"))
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        # The first and the last year of the calendar: their business days may lie outside of it.
        return int(moment.timestamp()) if 1 < moment.year < 9999 else None
    except (ValueError, OverflowError):
        return None


def parse_moments(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """(UTC seconds, could not be read) of each text."""
    read = [parse_moment(text) for text in texts.to_pylist()]
    seconds = np.array([0 if value is None else value for value in read], np.int64)
    return seconds, np.array([value is None for value in read], bool)
