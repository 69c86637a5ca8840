"""Start and stop what the serving commands run: a page, the worker in the background, the links to open, Ctrl-C."""

import logging
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext

from rich.logging import RichHandler

from scheduler.cli import signals
from scheduler.cli.output import err, out, say
from scheduler.cli.session import session
from scheduler.embedded import Running
from scheduler.web import processes
from scheduler.worker import health_endpoint
from scheduler.worker.loop import work
from t3lib.business_day import today
from t3lib.cleaning import Rulebook
from t3lib.urls import scrub_record

EVERYTHING = ("database", "landing", "smtp", "archive")


def page(name: str, port: int) -> None:
    """Serve one page until Ctrl-C."""
    with session("database"), stopping() as stop, processes.page(name, port) as served:
        out().print(served.url)
        say("Ctrl-C stops.")
        stop.wait()


def links(running: Running, board: processes.Page, operations: processes.Page) -> None:
    """Print what can be opened."""
    out().print()
    out().print(f"  dashboard   {board.url}")
    out().print(f"  operations  {operations.url}")
    if running.inbox_page:
        out().print(f"  inbox       {running.inbox_page}")
    if running.landing_folder:
        out().print(f"  landing     {running.landing_folder}", soft_wrap=True)
        day = today()
        example = f"trucks/{day.year}-{day.month}/{day.day}/12/T3_T1_A1.csv"
        out().print(f"              drop a truck's file there, such as {example} (columns timestamp,type,total)")
    out().print("\n  Ctrl-C stops everything.\n")


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set; set from the start if one came while the command was starting."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    if signals.shutdown_requested.is_set():
        stop.set()
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def in_background(stop: threading.Event, concurrency: int = 1, health_port: int | None = None) -> Iterator[None]:
    """Run the worker in a thread of this process. The end of the block stops it; if it ends first, `stop` is set.

    Raises at the end what the worker raised."""
    handler = RichHandler(console=err(), show_path=False)
    handler.addFilter(scrub_record)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    Rulebook.in_force(checked=True)  # no worker begins under rules that contradict their own examples
    pulse = health_endpoint.Pulse()
    answering = nullcontext() if health_port is None else health_endpoint.serving(pulse, health_port)
    with answering as address, ThreadPoolExecutor(1, "t3-worker") as pool:
        if address:
            say(f"Health at {address}/healthz, metrics at {address}/metrics.")
        working = pool.submit(work, stop, concurrency, pulse)
        working.add_done_callback(lambda _: stop.set())
        try:
            yield
        finally:
            stop.set()
            working.result()
