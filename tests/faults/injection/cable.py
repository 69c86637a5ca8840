"""The line to a real Postgres, as a Unix socket that passes everything on until it is cut."""

import contextlib
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path


class Cable:
    """`cut_at` is a piece of what the client sends: the line breaks `grace` bytes after it, for `cuts` connections."""

    def __init__(self, folder: Path, server: Path):
        self.folder, self.server = folder, server
        self.cut_at, self.grace, self.cuts, self.broken = b"", 0, 0, 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen(50)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self.server / ".s.PGSQL.5432"))
            threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, is_client: bool) -> None:
        seen, left = b"", None
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                if is_client and self.cuts and left is None and self.cut_at in seen + data:
                    left, self.cuts = self.grace, self.cuts - 1
                seen = data[-len(self.cut_at or b"x") :]
                if left is not None:
                    if left < len(data):
                        target.sendall(data[:left])
                        self.broken += 1
                        break
                    left -= len(data)
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def cable(server: str) -> Iterator[Cable]:
    """A cable to the server whose socket lies in a folder."""
    with tempfile.TemporaryDirectory(prefix="t3-c-", dir="/tmp") as folder:
        line = Cable(Path(folder), Path(server))
        try:
            yield line
        finally:
            line.close()
