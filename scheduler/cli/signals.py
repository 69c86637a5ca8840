"""Remembers Ctrl-C and SIGTERM: Python drops the exception that they raise inside a destructor or an import callback,
and a serving command would never end."""

import signal
import sys
import threading
from types import FrameType

shutdown_requested = threading.Event()


def listen() -> None:
    """Let both end this process tidily; an ignored Ctrl-C (a background job) stays ignored."""
    signal.signal(signal.SIGTERM, _end)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _end)


def _end(number: int, frame: FrameType | None) -> None:
    shutdown_requested.set()
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)
