"""The object store where trucks drop their files, and in which the archive is kept."""

import hashlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError, PreconditionError
from obstore.store import LocalStore, ObjectStore, S3Store

from t3lib.landing import s3
from t3lib.landing.folder import Folder
from t3lib.landing.listing import Listing
from t3lib.landing.objects import Object, ObjectChangedError, ObjectNotGivenError, ObjectTooLargeError
from t3lib.settings import settings

__all__ = ["Landing", "Object", "ObjectChangedError", "ObjectNotGivenError", "ObjectTooLargeError"]

READERS = 16
READ_AGAIN_SECONDS = (0.3, 1, 3)  # a listing may lag behind the objects


class Landing:
    """A bucket or folder by URL: list, read a pinned version, write."""

    def __init__(self, url: str | None = None):
        self.url = url or settings().need("landing_url")
        self.store = s3.store(self.url)
        self._lister = _lister(self.url, self.store)

    def objects(self, prefix: str = "") -> Iterator[Object]:
        """Every object below a prefix, whatever its key; those that are never read say why."""
        return self._lister.objects(f"{prefix}/" if prefix and isinstance(self._lister, Listing) else prefix)

    def folders(self) -> list[str]:
        """The common prefixes one level below the root."""
        return self._lister.folders()

    def read(self, key: str, etag: str, most: int | None = None) -> bytes:
        """The bytes of one object version, `most` of them at most.

        Raises ObjectChangedError when the key now holds another version, ObjectNotGivenError when the store still
        lists this one, ObjectTooLargeError before a byte is read."""
        for pause in (*READ_AGAIN_SECONDS, None):
            try:
                return self._read(key, etag, most)
            except ObjectChangedError as error:
                if not self._is_listed(key, etag):
                    raise
                if pause is None:
                    raise ObjectNotGivenError(f"{key} is listed as a version that cannot be read") from error
                time.sleep(pause)
        raise AssertionError("not reached")

    def read_many(self, wanted: list[tuple[str, str]], most: int | None = None) -> Iterator[bytes | Exception]:
        """The bytes (or the error) of each (key, etag), in order, read concurrently and bounded."""
        with ThreadPoolExecutor(min(READERS, max(len(wanted), 1))) as pool:
            yield from pool.map(partial(self._read_or_error, most=most), wanted)

    def write(self, key: str, data: bytes) -> None:
        """Put one object."""
        obstore.put(self.store, key, data)

    def delete(self, key: str) -> None:
        """Remove one object; a missing one is no error."""
        obstore.delete(self.store, key)

    def _is_listed(self, key: str, etag: str) -> bool:
        return any((found.key, found.etag) == (key, etag) for found in self._lister.objects(key))

    def _read(self, key: str, etag: str, most: int | None) -> bytes:
        """Not every server honours If-Match, so the answer's own etag is compared as well. Where the etag is not the
        MD5 of the bytes, the etag is fetched once more: the object may have changed while it was read."""
        if isinstance(self._lister, Folder):
            return self._lister.read(key, etag, most)
        try:
            found = obstore.get(self.store, key, options={"if_match": f'"{etag}"'})
            if most is not None and found.meta["size"] > most:
                raise ObjectTooLargeError(f"{key} has {found.meta['size']:,} bytes")
            data = bytes(found.bytes())
            same = _etag(found.meta) == etag and (
                hashlib.md5(data, usedforsecurity=False).hexdigest() == etag or self._etag_now(key) == etag
            )
        except (PreconditionError, NotFoundError, FileNotFoundError) as error:
            raise ObjectChangedError(f"{key} changed or was removed since it was listed") from error
        if not same:
            raise ObjectChangedError(f"{key} changed since it was listed")
        return data

    def _etag_now(self, key: str) -> str:
        return _etag(obstore.head(self.store, key))

    def _read_or_error(self, version: tuple[str, str], most: int | None) -> bytes | Exception:
        try:
            return self.read(*version, most)
        except (BaseError, OSError, ObjectChangedError, ObjectTooLargeError) as error:
            return error


class _Other:
    """Stores of other clouds, listed by obstore, which refuses keys with empty or dotted parts."""

    def __init__(self, store: ObjectStore):
        self._store = store

    def objects(self, prefix: str = "") -> Iterator[Object]:
        for page in obstore.list(self._store, prefix or None, chunk_size=1000):
            for meta in page:
                yield Object(meta["path"], _etag(meta), meta["size"], meta["last_modified"])

    def folders(self) -> list[str]:
        return list(obstore.list_with_delimiter(self._store)["common_prefixes"])


def _lister(url: str, store: ObjectStore) -> Folder | Listing | _Other:
    """What lists this kind of store."""
    if isinstance(store, LocalStore):
        return Folder(Path(unquote(urlsplit(url).path)))
    return Listing(store, s3.ANSWER_SECONDS) if isinstance(store, S3Store) else _Other(store)


def _etag(meta: Any) -> str:
    """The etag without the quotes that only some answers have; without an etag, time and size identify a version."""
    return (meta["e_tag"] or "").strip('"') or f"{meta['last_modified'].timestamp()}-{meta['size']}"
