"""Static files: compressed once, and cached by browsers for good where the address has a digest.

The names of Voilà's own scripts have none, so they are also served under a folder named for the digest of them all: a
daily visitor downloads none of the hundred again."""

import functools
import gzip
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import tornado.web

COMPRESSED = {".js", ".css", ".svg", ".json", ".html", ".map"}
_DIGEST = re.compile(r"\.[0-9a-f]{16,}\.\w+$|^[0-9a-f]{16,}$")


class CompressedFiles(tornado.web.StaticFileHandler):
    """Mixed into a StaticFileHandler: sends text files gzipped to browsers that accept it, each compressed once."""

    immutable = False

    async def get(self, path: str, include_body: bool = True) -> None:
        """Answer 404 where Voilà's handlers raise an error for a path that they do not know."""
        try:
            await self._send(path, include_body)
        except (AssertionError, ValueError, UnboundLocalError):
            raise tornado.web.HTTPError(404) from None

    async def _send(self, path: str, include_body: bool) -> None:
        accepted = "gzip" in self.request.headers.get("Accept-Encoding", "")
        if not accepted or "Range" in self.request.headers or Path(path).suffix not in COMPRESSED:
            return await super().get(path, include_body)
        self.path = self.parse_url_path(path)
        file = self.get_absolute_path(self.root, self.path)  # may set another root
        found = self.validate_absolute_path(self.root, file)
        if found is None:  # the answer was a redirect
            return None
        self.absolute_path = found
        content, digest = gzipped(found, Path(found).stat().st_mtime_ns)
        self.set_header("Content-Type", self.get_content_type())
        self.set_header("Content-Encoding", "gzip")
        self.set_header("Vary", "Accept-Encoding")
        self.set_header("Cache-Control", cache_control(path, self.immutable or self.get_argument("v", "")))
        self.set_header("Etag", f'"{digest}"')
        if self.check_etag_header():
            self.set_status(304)
            return None
        self.finish(content if include_body else b"")
        return None


def compressed_handler(
    handler: type[tornado.web.StaticFileHandler], immutable: bool = False
) -> type[tornado.web.StaticFileHandler]:
    """The handler class with compressed files; `immutable` ones never change under their address."""
    return type(f"Compressed{handler.__name__}", (CompressedFiles, handler), {"immutable": immutable})


def digest_of(folders: Iterable[str]) -> str:
    """A digest of the names of all files in some folders and of when they last changed."""
    files = sorted((str(path), path.stat().st_mtime_ns) for folder in folders for path in Path(folder).rglob("*.*"))
    return hashlib.sha256(repr(files).encode()).hexdigest()[:32]


@functools.lru_cache(maxsize=256)
def gzipped(path: str, changed: int) -> tuple[bytes, str]:
    """(gzipped content, its digest) of a file as it was when it last changed."""
    content = Path(path).read_bytes()
    return gzip.compress(content, mtime=0), hashlib.sha256(content).hexdigest()[:32]


def cache_control(path: str, digest: str | bool = "") -> str:
    """The Cache-Control header: a file with a digest in its name or address never changes; others are revalidated."""
    immutable = digest is True or _DIGEST.search(path) or _DIGEST.search(digest or "")
    return "public, max-age=31536000, immutable" if immutable else "no-cache"
