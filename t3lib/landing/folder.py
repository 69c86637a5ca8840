"""A folder as an object store: every file below it is a version by its inode, times and size; links stay inside."""

import errno
import os
import re
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, NoReturn

from t3lib.landing.objects import Object, ObjectChangedError, ObjectTooLargeError, visible_key

# Clocks of file systems tick every few milliseconds: what changes twice in a tick would look the same.
TICK_SECONDS = 0.02
LINK_OUT = "A link that leads out of the folder of the bucket: it is not followed. Put the file itself here."
LINK_FOLDER = "A link to a folder: it is not followed. Put the folder itself here."
LINK_LOOP = "A link that leads back to itself."
LINK_NOWHERE = "A link to nothing."
NO_FILE = "Neither a file nor a folder, but a pipe, a socket or a device."
_HALF_PUT = re.compile(rb".*#\d+", re.DOTALL)  # what obstore writes before it gives a file its name
_INSIDE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_REMOVED = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Folder:
    """Lists and reads; names are bytes here, as the file system has them."""

    def __init__(self, path: Path):
        self.root = os.path.realpath(os.fsencode(path))

    def objects(self, prefix: str = "") -> Iterator[Object]:
        """Every file below a prefix, and what is no file with the reason why it is ignored."""
        start = os.path.join(self.root, os.fsencode(prefix)) if prefix else self.root
        if os.path.realpath(start) == start:  # else a link leads to it, which a listing of the root names
            yield from self._below(start)

    def folders(self) -> list[str]:
        """The names of the folders directly in it."""
        with os.scandir(self.root) as found:
            return sorted(visible_key(entry.name) for entry in found if entry.is_dir(follow_symlinks=False))

    def read(self, key: str, etag: str, most: int | None = None) -> bytes:
        """The bytes of one version. Raises ObjectChangedError and ObjectTooLargeError."""
        with self._open(key) as file:
            status = os.fstat(file.fileno())
            if _etag(status) != etag or not stat.S_ISREG(status.st_mode):
                raise ObjectChangedError(f"{key} changed since it was listed")
            if most is not None and status.st_size > most:
                raise ObjectTooLargeError(f"{key} has {status.st_size:,} bytes")
            _wait_for_next_tick(status)
            data = file.read()
            if _etag(os.fstat(file.fileno())) != etag:
                raise ObjectChangedError(f"{key} changed while it was read")
        return data

    def _below(self, start: bytes) -> Iterator[Object]:
        waiting = [start]
        while waiting:
            folder = waiting.pop()
            try:
                with os.scandir(folder) as found:
                    entries = sorted(found, key=lambda entry: entry.name)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                yield Object(self._key(folder + b"/"), "-", 0, _EPOCH, f"Cannot be listed: {error.strerror}.")
                continue
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif version := self._object(entry):
                    yield version

    def _object(self, entry: os.DirEntry[bytes]) -> Object | None:
        if _HALF_PUT.fullmatch(entry.name):
            return None
        try:
            status, ignored = entry.stat(follow_symlinks=False), None
            if entry.is_symlink():
                status, ignored = self._linked(entry, status)
            elif not stat.S_ISREG(status.st_mode):
                ignored = NO_FILE
        except FileNotFoundError:
            return None
        changed = _EPOCH + timedelta(microseconds=status.st_mtime_ns // 1000)
        return Object(self._key(entry.path), _etag(status), status.st_size, changed, ignored)

    def _linked(self, entry: os.DirEntry[bytes], link: os.stat_result) -> tuple[os.stat_result, str | None]:
        """The file that a link leads to, or the link and why it is ignored."""
        try:
            status = os.stat(entry.path)
        except FileNotFoundError:
            return link, LINK_NOWHERE
        except OSError:
            return link, LINK_LOOP
        if stat.S_ISDIR(status.st_mode):
            return link, LINK_FOLDER
        if self._inside(entry.path) is None:
            return link, LINK_OUT
        return (status, None) if stat.S_ISREG(status.st_mode) else (link, NO_FILE)

    def _inside(self, path: bytes) -> bytes | None:
        """Where a path leads to, from the root on; None when that is outside."""
        real, root = os.path.realpath(path), self.root.rstrip(b"/") + b"/"
        return real[len(root) :] if real.startswith(root) else None

    def _open(self, key: str) -> BinaryIO:
        """The opened file. Only a link to a file inside the folder is followed, also one made since the listing."""
        path = os.fsencode(key)
        try:
            return self._walk(path)
        except OSError as error:
            if error.errno != errno.ELOOP or (inside := self._inside(os.path.join(self.root, path))) is None:
                self._raise_changed(key, error)
        try:
            return self._walk(inside)
        except OSError as error:
            self._raise_changed(key, error)

    def _walk(self, path: bytes) -> BinaryIO:
        """Open each part in the one before it, so that no part can be a link."""
        at = os.open(self.root, os.O_RDONLY)
        for part in path.split(b"/"):
            try:
                if part == b"..":
                    raise FileNotFoundError(errno.ENOENT, "is above the folder")
                inner = os.open(part, _INSIDE, dir_fd=at)
            finally:
                os.close(at)
            at = inner
        return os.fdopen(at, "rb")

    def _raise_changed(self, key: str, error: OSError) -> NoReturn:
        if error.errno in _REMOVED:
            raise ObjectChangedError(f"{key} was removed since it was listed") from error
        raise error

    def _key(self, path: bytes) -> str:
        return visible_key(path[len(self.root.rstrip(b"/")) + 1 :])


def _etag(status: os.stat_result) -> str:
    """Differs after every change, even one that sets the old mtime again: the kernel itself sets ctime."""
    return f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_ctime_ns:x}-{status.st_size:x}"


def _wait_for_next_tick(status: os.stat_result) -> None:
    """Wait until a later change must get another time than the version that is read."""
    age = time.time() - max(status.st_mtime, status.st_ctime)
    if age < TICK_SECONDS:
        time.sleep(min(TICK_SECONDS - age, TICK_SECONDS))
