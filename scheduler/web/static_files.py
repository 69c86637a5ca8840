"""Static files as browsers want them: compressed once, and cached for good where the address has a digest.

Voilà's own scripts have none in their names: they are also served under a folder named for the digest of them all, so
that who comes every day asks for none of the hundred again."""

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
    """Mixed into a StaticFileHandler: texts are sent gzipped to those who take that, each compressed once."""

    lasts = False

    async def get(self, path: str, include_body: bool = True) -> None:
        """Voilà's handlers take a path that is like none of theirs for a fault of their own."""
        try:
            await self._sent(path, include_body)
        except (AssertionError, ValueError, UnboundLocalError):
            raise tornado.web.HTTPError(404) from None

    async def _sent(self, path: str, include_body: bool) -> None:
        takes = "gzip" in self.request.headers.get("Accept-Encoding", "")
        if not takes or "Range" in self.request.headers or Path(path).suffix not in COMPRESSED:
            return await super().get(path, include_body)
        self.path = self.parse_url_path(path)
        wanted = self.get_absolute_path(self.root, self.path)  # this may choose another root
        found = self.validate_absolute_path(self.root, wanted)
        if found is None:  # it has been redirected
            return None
        self.absolute_path = found
        content, digest = compressed(found, Path(found).stat().st_mtime_ns)
        self.set_header("Content-Type", self.get_content_type())
        self.set_header("Content-Encoding", "gzip")
        self.set_header("Vary", "Accept-Encoding")
        self.set_header("Cache-Control", lasting(path, self.lasts or self.get_argument("v", "")))
        self.set_header("Etag", f'"{digest}"')
        if self.check_etag_header():
            self.set_status(304)
            return None
        self.finish(content if include_body else b"")
        return None


def of(handler: type[tornado.web.StaticFileHandler], lasts: bool = False) -> type[tornado.web.StaticFileHandler]:
    """The same handler with compressed files; those that `lasts` serves never change under their address."""
    return type(f"Compressed{handler.__name__}", (CompressedFiles, handler), {"lasts": lasts})


def version(folders: Iterable[str]) -> str:
    """A digest of which files lie in some folders and when they last changed."""
    files = sorted((str(path), path.stat().st_mtime_ns) for folder in folders for path in Path(folder).rglob("*.*"))
    return hashlib.sha256(repr(files).encode()).hexdigest()[:32]


@functools.lru_cache(maxsize=256)
def compressed(path: str, changed: int) -> tuple[bytes, str]:
    """(gzipped content, its digest) of a file as it was when it last changed."""
    content = Path(path).read_bytes()
    return gzip.compress(content, mtime=0), hashlib.sha256(content).hexdigest()[:32]


def lasting(path: str, digest: str | bool = "") -> str:
    """What has a digest in its name or address never changes; others are asked for again."""
    known = digest is True or _DIGEST.search(path) or _DIGEST.search(digest or "")
    return "public, max-age=31536000, immutable" if known else "no-cache"
