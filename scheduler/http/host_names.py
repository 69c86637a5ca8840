"""Under which names a server answers. A site whose own name was pointed at this machine gets nothing (DNS rebinding):
browsers send the name that they looked up, and let that site read what comes back."""

import ipaddress
import re
import socket
from collections.abc import Iterable

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?")


class Names:
    """Names of this machine, those given, and addresses, which no name can be pointed away from."""

    def __init__(self, given: Iterable[str] = (), listens: str = "127.0.0.1") -> None:
        self._listens = ipaddress.ip_address(listens)
        own = {"localhost"} if self._listens.is_loopback else {"localhost", socket.gethostname().lower()}
        self.known = own | {name.lower() for name in given}

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
        return self._listens.is_unspecified or address == self._listens
