"""Ctrl-C and SIGTERM, remembered: Python loses the exception that they raise inside a destructor or a callback of an
import, and a command that serves would go on for ever."""

import signal
import sys
import threading
from types import FrameType

asked = threading.Event()


def listen() -> None:
    """From now on both end this process as tidily; an ignored Ctrl-C (a job in the background) stays ignored."""
    signal.signal(signal.SIGTERM, _end)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _end)


def _end(number: int, frame: FrameType | None) -> None:
    asked.set()
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)
