"""The feed: what lies under which key of the bucket, and the rows in it."""

from t3lib.feed.bounds import MOST_BYTES, FeedError, visible
from t3lib.feed.keys import Key, parse
from t3lib.feed.rows import RAW_SCHEMA, read

__all__ = ["MOST_BYTES", "RAW_SCHEMA", "FeedError", "Key", "parse", "read", "visible"]
