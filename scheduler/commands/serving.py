"""Commands that run until they are told to stop."""

import logging
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext

from rich.logging import RichHandler

from scheduler.commands import ending
from scheduler.commands.output import err, open_in_browser, out, say
from scheduler.commands.session import session
from scheduler.embedded import Running
from scheduler.web import processes
from scheduler.worker import health_endpoint
from scheduler.worker.loop import work
from t3lib.business_day import today
from t3lib.urls import scrub_record

EVERYTHING = ("database", "landing", "smtp", "archive")


def up(port: int, concurrency: int, health_port: int | None = None) -> None:
    """Worker, dashboard and operations page."""
    with session(*EVERYTHING) as running, stopping() as stop, ExitStack() as stack:
        stack.enter_context(in_background(stop, concurrency, health_port))
        board = stack.enter_context(processes.page("dashboard", port))
        operations = stack.enter_context(processes.page("operations"))
        links(running, board, operations)
        stop.wait()
        say("Stopping.")


def worker(concurrency: int, health_port: int | None = None) -> None:
    """A worker alone."""
    with session(*EVERYTHING), stopping() as stop:
        say("Working. Ctrl-C stops.")
        with in_background(stop, concurrency, health_port):
            stop.wait()
        say("Stopping.")


def page(name: str, port: int) -> None:
    """One page alone."""
    with session("database"), stopping() as stop, processes.page(name, port) as served:
        out.print(served.url)
        say("Ctrl-C stops.")
        stop.wait()


def lab(port: int) -> None:
    """JupyterLab alone."""
    with session("database", "landing", "archive"), stopping() as stop, processes.lab(port) as page:
        out.print(page.url, soft_wrap=True)
        say("Notebooks read with the analyst's rights and write only the schema sandbox. Ctrl-C stops.")
        open_in_browser(page.url)
        stop.wait()


def links(running: Running, board: processes.Page, operations: processes.Page) -> None:
    """What there is to open."""
    out.print()
    out.print(f"  dashboard   {board.url}")
    out.print(f"  operations  {operations.url}")
    if running.inbox_page:
        out.print(f"  inbox       {running.inbox_page}")
    if running.landing_folder:
        out.print(f"  landing     {running.landing_folder}", soft_wrap=True)
        day = today()
        example = f"trucks/{day.year}-{day.month}/{day.day}/12/T3_T1_A1.csv"
        out.print(f"              drop a truck's file there, such as {example} (columns timestamp,type,total)")
    out.print("\n  Ctrl-C stops everything.\n")


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, or have set while the command was starting."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    if ending.asked.is_set():
        stop.set()
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def in_background(stop: threading.Event, concurrency: int = 1, health_port: int | None = None) -> Iterator[None]:
    """The worker in a thread of this process; the block's end stops it, and its end sets `stop`.

    Raises at the end what the worker raised."""
    handler = RichHandler(console=err, show_path=False)
    handler.addFilter(scrub_record)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
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
