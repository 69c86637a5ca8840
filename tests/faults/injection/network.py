"""Networks that break between a worker and its database: a line that is cut, and one on which packets vanish."""

import contextlib
import ctypes
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.clusters import cluster

NOBODY = "02:00:00:00:00:01"
CLONE_NEWNET = 0x40000000


class Proxy:
    """A socket before the database's: when it is cut, the client hears nothing more, and the server its end."""

    def __init__(self, url: str, folder: Path):
        given = sa.make_url(url)
        server = Path(given.normalized_query["host"][0])
        self._target = str(next(path for path in server.glob(".s.PGSQL.*") if path.suffix != ".lock"))
        self.url = given.update_query_dict({"host": str(folder)}).render_as_string(hide_password=False)
        self._silent = False
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / Path(self._target).name))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """From now on nothing passes; there must be something that did."""
        assert self._pairs, "nobody came by this line"
        self._silent = True
        for _, server in self._pairs:
            _end(server)

    def restore(self) -> None:
        """New connections pass; the old ones are reset."""
        self._silent = False
        for client, _ in self._pairs:
            _end(client)

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            server = socket.socket(socket.AF_UNIX)
            self._pairs.append((client, server))
            if not self._silent:
                server.connect(self._target)
                for here, there in ((client, server), (server, client)):
                    threading.Thread(target=self._forward, args=(here, there), daemon=True).start()

    def _forward(self, here: socket.socket, there: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while (data := here.recv(65536)) and not self._silent:
                there.sendall(data)
        if not self._silent:
            _end(there)


@contextmanager
def proxy(url: str) -> Iterator[Proxy]:
    """A way to a test's database that can be cut."""
    folder = Path(tempfile.mkdtemp(prefix="t3-cut-", dir="/tmp"))
    try:
        yield Proxy(url, folder)
    finally:
        shutil.rmtree(folder)


class Network:
    """A machine of its own (a network namespace) on a cable to this one, where a database server listens."""

    def __init__(self):
        number = os.getpid() % 60_000
        self.space, self._near, self._far = f"t3-{number}", f"t3-n{number}", f"t3-f{number}"
        self.here, self.there = (f"10.231.{number // 256}.{number % 256 // 4 * 4 + end}" for end in (1, 2))
        self._inside = ("ip", "netns", "exec", self.space)

    def open(self) -> None:
        """Raises CalledProcessError where this is not allowed."""
        _said("ip", "netns", "add", self.space)
        _said("ip", "link", "add", self._near, "type", "veth", "peer", "name", self._far, "netns", self.space)
        for inside, name, address in (((), self._near, self.here), (self._inside, self._far, self.there)):
            _said(*inside, "ip", "address", "add", f"{address}/30", "dev", name)
            _said(*inside, "ip", "link", "set", name, "up")

    def close(self) -> None:
        """Its cable goes with it."""
        subprocess.run(["ip", "netns", "del", self.space], check=False, capture_output=True)

    def inside(self, task: Callable[[], object]) -> None:
        """Move this process to that machine, then do the task."""
        with open(f"/run/netns/{self.space}") as space:
            if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "cannot enter the network namespace")
        task()

    def fall_silent(self) -> None:
        """Packets vanish without an error: both ends send to an address that nobody has."""
        self._neighbours(NOBODY, NOBODY)

    def speak(self) -> None:
        """Packets arrive again."""
        near = _said("cat", f"/sys/class/net/{self._near}/address")
        far = _said(*self._inside, "cat", f"/sys/class/net/{self._far}/address")
        self._neighbours(near, far)

    def _neighbours(self, near: str, far: str) -> None:
        always = ("nud", "permanent")
        _said("ip", "neigh", "replace", self.there, "lladdr", far, "dev", self._near, *always)
        _said(*self._inside, "ip", "neigh", "replace", self.here, "lladdr", near, "dev", self._far, *always)


@contextmanager
def silent_network() -> Iterator[tuple[Network, str]]:
    """A network that can fall silent, and the URL under which a server of its own is reached over it."""
    network = Network()
    try:
        network.open()
    except (OSError, subprocess.CalledProcessError):
        network.close()
        pytest.skip("only root on Linux with iproute2 makes network namespaces")
    try:
        with cluster(listen=network.here) as url:
            host = sa.make_url(url).set(host=network.here).difference_update_query(["host"])
            yield network, host.render_as_string(hide_password=False)
    finally:
        network.close()


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _end(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
