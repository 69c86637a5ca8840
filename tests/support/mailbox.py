"""A real SMTP server on loopback that keeps what it accepts and misbehaves on demand."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aiosmtpd.controller import Controller


@dataclass
class Mailbox:
    """`answers` maps a command (or `command recipient`) to a reply, or to `drop` to cut the connection."""

    answers: dict[str, str] = field(default_factory=dict)
    received: list[tuple[str, bytes]] = field(default_factory=list)
    url: str = ""
    before_answer: Callable[[], None] = lambda: None  # called when a whole message has come
    before_recipient: Callable[[], None] = lambda: None  # called when a recipient was named

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        envelope.mail_from = address
        return self._answer(server, "MAIL")

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        self.before_recipient()
        envelope.rcpt_tos.append(address)
        return self._answer(server, f"RCPT {address}", "RCPT")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.before_answer()
        answer = self._answer(server, "DATA")
        if answer.startswith("250"):
            self.received += [(address, envelope.content) for address in envelope.rcpt_tos]
        return answer

    def _answer(self, server: Any, *commands: str) -> str:
        answer = next((self.answers[command] for command in commands if command in self.answers), "250 ok")
        if answer != "drop":
            return answer
        server.transport.abort()
        return "250 taken, but nobody hears it"


@contextmanager
def mailbox(**settings: Any) -> Iterator[Mailbox]:
    """A running mailbox; keywords go to aiosmtpd (`tls_context`, ...)."""
    box = Mailbox(url=f"smtp://127.0.0.1:{free_port()}")
    controller = Controller(box, hostname="127.0.0.1", port=urlsplit(box.url).port, **settings)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def free_port() -> int:
    """A loopback port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
