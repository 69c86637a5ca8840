"""Object versions as a listing shows them, and what goes wrong with one that was listed."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

MOST_KEY_BYTES = 2000  # an index of the database takes 2,700


class ObjectTooLargeError(Exception):
    """The object is larger than the reader can take."""


class ObjectChangedError(Exception):
    """The object is no longer the version that was listed; the next listing sees the new one."""


class ObjectNotGivenError(ObjectChangedError):
    """The store still lists a version but returns another one, or none."""


@dataclass(frozen=True)
class Object:
    """One object version as a listing shows it; `ignored` says why it is never read, whatever its key is."""

    key: str
    etag: str
    size: int
    last_modified: datetime
    ignored: str | None = None


def visible_key(key: bytes) -> str:
    """A key as text that a database and a page can show: what is not UTF-8 or not printable becomes an escape.

    Keys of the feed stay as they are. A very long key is cut and gets a digest, so that it stays unique."""
    text = key.decode("utf-8", "backslashreplace")
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    if len(text.encode()) <= MOST_KEY_BYTES:
        return text
    short = text.encode()[: MOST_KEY_BYTES - 100].decode(errors="ignore")
    return f"{short}… {hashlib.sha256(key).hexdigest()[:16]}"
