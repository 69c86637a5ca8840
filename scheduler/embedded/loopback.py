"""What the embedded servers on loopback ports have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from scheduler.embedded.home import Home
from scheduler.embedded.processes import Server, free_port, interrupt_deferred, launch, log_end, wait_until
from t3lib.problems import ServiceError


class Loopback(ABC):
    """A server on loopback ports; its ports and process are stored, so that other processes find it."""

    # The key in embedded.json of its process, ports and passwords; never change it.
    name: ClassVar[str]
    title: ClassVar[str]
    # What each port is for, by its key in embedded.json.
    ports: ClassVar[dict[str, str]]

    def __init__(self, home: Home, say: Callable[[str], None]):
        self.home, self.say = home, say
        self.log = home.path / "logs" / f"{self.name}.log"
        self._begun: Server | None = None

    @property
    @abstractmethod
    def settings(self) -> dict[str, str]:
        """The settings that lead to it."""

    @abstractmethod
    def command(self, ports: dict[str, int]) -> tuple[list[str], dict[str, str]]:
        """The command line and the environment of the server; secrets belong in the environment."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it accepts T3's credentials, which another program on the port would not."""

    @property
    def known(self) -> dict[str, Any]:
        """Its values in embedded.json."""
        return self.home.memory.get(self.name, {})

    @property
    def server(self) -> Server | None:
        """The running server, whichever process started it; None when it does not run."""
        known = self.known
        found = Server(known["pid"], known["started"]) if "pid" in known else None
        return found if found and found.alive else None

    def begin(self) -> None:
        """Launch the server unless one runs; `start` waits for it, and until then others can be started."""
        if not self.server:
            self._begun = self._launched()

    def start(self) -> None:
        """Adopt the running server or start one."""
        if wait_until(self.answers, self._begun, 20) if self._begun else self.server and self.answers():
            return
        self.stop()
        # Another program may take a port just before the server does.
        if not any(self._launch() for _ in range(3)):
            raise ServiceError(f"The {self.title} did not start. Its log ends with: {log_end(self.log)}")

    def stop(self) -> None:
        """Stop it."""
        if server := self.server:
            server.stop()

    def problem(self) -> str | None:
        """None when it answers, else what is wrong."""
        if not self.server:
            return f"The {self.title} does not run."
        return None if self.answers() else f"The {self.title} runs but does not answer."

    def _launch(self) -> bool:
        server = self._launched()
        if wait_until(self.answers, server, 20):
            return True
        server.stop()
        return False

    def _launched(self) -> Server:
        ports = {name: free_port(self.known.get(name), what, self.say) for name, what in self.ports.items()}
        command, environment = self.command(ports)
        with interrupt_deferred():  # a server that is not stored would never be stopped
            server = launch(command, self.log, env=environment)
            self.home.remember(self.name, pid=server.pid, started=server.started, **ports)
        return server
