"""The host names under which a server answers: a defence against DNS rebinding, where a foreign site points its own
name at this machine and its scripts may then read the answers. Browsers send the name in the Host header."""

import ipaddress
import re
import socket
from collections.abc import Iterable

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?")


class HostNames:
    """This machine's names, the given ones, and IP addresses, which cannot be rebound."""

    def __init__(self, names: Iterable[str] = (), listen_address: str = "127.0.0.1") -> None:
        self._listen_address = ipaddress.ip_address(listen_address)
        own = {"localhost"} if self._listen_address.is_loopback else {"localhost", socket.gethostname().lower()}
        self.known = own | {name.lower() for name in names}

    def allow(self, host: str) -> bool:
        """Whether a Host header names this server."""
        found = _HOST.fullmatch(host)
        name = found[1].strip("[]").lower().removesuffix(".") if found else ""
        try:
            return self._own(ipaddress.ip_address(name))
        except ValueError:
            return name in self.known

    def _own(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        if str(address) in self.known or address.is_loopback:
            return True
        return self._listen_address.is_unspecified or address == self._listen_address
