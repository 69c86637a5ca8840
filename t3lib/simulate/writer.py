"""Writing many small objects to a landing: a few at a time, in bounded memory."""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urlsplit

from t3lib.landing import Landing

WRITERS = 4
WAITING = 64


def landing_url(out: str | Path) -> str:
    """A URL for the landing; a plain folder is created."""
    parts = urlsplit(str(out))
    if parts.scheme in ("", "file"):
        folder = Path(unquote(parts.path)) if parts.scheme else Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        return folder.resolve().as_uri()
    return str(out)


class Writer:
    """Counts the objects and bytes that it writes; leaving it waits for the last one and raises what failed."""

    def __init__(self, out: str | Path):
        self.files = self.bytes = 0
        self._landing = Landing(landing_url(out))
        self._pool = ThreadPoolExecutor(WRITERS)
        self._under_way: deque[Future[None]] = deque()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *error: object) -> None:
        with self._pool:
            self.wait()

    def put(self, key: str, body: bytes) -> None:
        """Start writing one object; waits when too many are under way."""
        self._under_way.append(self._pool.submit(self._landing.write, key, body))
        self.files, self.bytes = self.files + 1, self.bytes + len(body)
        if len(self._under_way) >= WAITING:
            self._under_way.popleft().result()

    def wait(self) -> None:
        """Wait until everything is written."""
        while self._under_way:
            self._under_way.popleft().result()
