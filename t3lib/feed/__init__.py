"""The feed: what each key of the bucket holds, and the rows in it."""

from t3lib.feed.bounds import MOST_BYTES, FeedError, visible
from t3lib.feed.keys import Key, parse
from t3lib.feed.raw_lines import raw_text
from t3lib.feed.rows import COLUMNS, RAW_SCHEMA, Reading, examine, read

__all__ = [
    "COLUMNS",
    "MOST_BYTES",
    "RAW_SCHEMA",
    "FeedError",
    "Key",
    "Reading",
    "examine",
    "parse",
    "raw_text",
    "read",
    "visible",
]
