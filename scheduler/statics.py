"""Static files as browsers want them: compressed once, and cached for good where the name has a digest."""

import functools
import gzip
import hashlib
import re
from pathlib import Path

import tornado.web

COMPRESSED = {".js", ".css", ".svg", ".json", ".html", ".map"}
_DIGEST = re.compile(r"\.[0-9a-f]{16,}\.\w+$")


class CompressedFiles:
    """Mixed into a StaticFileHandler: texts are sent gzipped to those who take that, each compressed once."""

    async def get(self, path: str, include_body: bool = True) -> None:
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
        self.set_header("Cache-Control", lasting(path))
        self.set_header("Etag", f'"{digest}"')
        if self.check_etag_header():
            self.set_status(304)
            return None
        self.finish(content if include_body else b"")
        return None


def of(handler: type[tornado.web.StaticFileHandler]) -> type[tornado.web.StaticFileHandler]:
    """The same handler with compressed files."""
    return type(f"Compressed{handler.__name__}", (CompressedFiles, handler), {})


@functools.lru_cache(maxsize=256)
def compressed(path: str, changed: int) -> tuple[bytes, str]:
    """(gzipped content, its digest) of a file as it was when it last changed."""
    content = Path(path).read_bytes()
    return gzip.compress(content, mtime=0), hashlib.sha256(content).hexdigest()[:32]


def lasting(path: str) -> str:
    """A name with a digest never changes its content; others are asked for again."""
    return "public, max-age=31536000, immutable" if _DIGEST.search(path) else "no-cache"
