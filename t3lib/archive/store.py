"""The objects of the archive: each written by one PUT, listed by day, and readable while a day is replaced."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

import obstore
import pyarrow as pa
import pyarrow.parquet as pq
from obstore.exceptions import GenericError, NotFoundError

from t3lib.archive.layout import Day, encode, prefix
from t3lib.landing import Landing
from t3lib.settings import settings

THREADS = 16
READ_ATTEMPTS = 4
RETRY_SECONDS = 0.1  # times the attempt

_T = TypeVar("_T")


class Archive(Landing):
    """The bucket or folder under T3_ARCHIVE_URL."""

    def __init__(self, url: str | None = None):
        super().__init__(url or settings().need("archive_url"))
        parts = urlsplit(self.url)
        self._folder = Path(unquote(parts.path)) if parts.scheme in ("", "file") else None

    def days(self, month: str | None = None) -> tuple[list[Day], list[str]]:
        """The days in the archive, and the keys of other Parquet files, which a reader would take for days."""
        keys = [found.key for found in self.objects(prefix(month)) if found.key.endswith(".parquet")]
        days = [(Day.of(key), key) for key in keys]
        return sorted(day for day, _ in days if day), sorted(key for day, key in days if not day)

    def replace(self, day: Day, sales: pa.Table | None) -> None:
        """Replace a day by its rows; a day without sales has no object."""
        if sales is None:
            self.delete(day.key)
        else:
            self.write(day.key, encode(sales))

    def read_day(self, day: Day, columns: list[str] | None = None) -> pa.Table | None:
        """The rows of a day as they are now; None when it has no object, as after a restatement to nothing.

        An object that is listed but not found, or incomplete, is just being replaced (the embedded store takes a
        moment for it)."""
        for attempt in range(1, READ_ATTEMPTS + 1):
            try:
                data = obstore.get(self.store, day.key).bytes()
                # Not read_table: it starts Arrow's threads, and one process in sixty aborted when they ended.
                return pq.ParquetFile(pa.BufferReader(bytes(data))).read(columns, use_threads=False)
            except (GenericError, pa.ArrowInvalid):
                if attempt == READ_ATTEMPTS:
                    raise
            except (NotFoundError, FileNotFoundError):
                if not any(found.key == day.key for found in self.objects(day.key.rpartition("/")[0])):
                    return None
            time.sleep(attempt * RETRY_SECONDS)
        raise FileNotFoundError(f"{day.key} is listed under {self.url} but cannot be read.")

    def write(self, key: str, data: bytes | pa.Buffer) -> None:
        """Write one object."""
        if self._folder is None:
            obstore.put(self.store, key, bytes(data))
        else:
            _put_file(self._folder / key, data)

    def delete(self, key: str) -> None:
        """Remove one object; a missing one is no error."""
        try:
            super().delete(key)
        except (NotFoundError, FileNotFoundError):
            return


def each(days: Iterable[Day], work: Callable[[Day], _T]) -> Iterator[_T]:
    """The results of `work` for each day, in order; many days are worked on at once."""
    with ThreadPoolExecutor(THREADS) as pool:
        yield from pool.map(work, days)


def _put_file(path: Path, data: bytes | pa.Buffer) -> None:
    """Write a temporary file and rename it: obstore's put leaves a visible `#1` file behind when it is killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
