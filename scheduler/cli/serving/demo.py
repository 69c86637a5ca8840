"""`t3 demo`: a made-up fleet from its files to the mails, then live uploads."""

import threading
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from scheduler.cli.options import Port
from scheduler.cli.output import print_json, progress, say
from t3lib.money import pounds
from t3lib.problems import ServiceError
from t3lib.settings import settings

SEED = 1
UPLOAD_SECONDS = 4


def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop once the dashboard answers, and print JSON.")] = False,
    days: Annotated[int, typer.Option(min=1, max=400, help="Days of trade to make up.")] = 56,
    port: Port = 0,
) -> None:
    """Run everything on a made-up fleet, with live uploads.

    Example: t3 demo"""
    from scheduler import kernels
    from scheduler.cli.serving.lifecycle import EVERYTHING, in_background, links, stopping
    from scheduler.cli.session import session
    from scheduler.web import processes

    begun = time.monotonic()
    with session(*EVERYTHING) as running, stopping() as stop, ExitStack() as stack:
        kernels.warm()
        board = stack.enter_context(processes.page("dashboard", port))
        mails = fill(days)
        answer = board.answer()
        if once:
            print_json(_summary(mails, answer, time.monotonic() - begun))
            return
        operations = stack.enter_context(processes.page("operations"))
        stack.enter_context(in_background(stop))
        say(f"Ready after {time.monotonic() - begun:.0f} seconds.")
        links(running, board, operations)
        _upload(stop)
        say("Stopping.")


def fill(days: int) -> list[dict[str, Any]]:
    """Make up a fleet, ingest its files and send yesterday's reports; one mapping per mail."""
    from scheduler.cli.reporting.report import scheduled, send
    from t3lib.business_day import today

    made_up(days)
    _ingest()
    mails = send(today() - timedelta(days=1), scheduled())
    say(f"{sum(m['state'] == 'sent' for m in mails)} of {len(mails)} mails sent.")
    return mails


def made_up(days: int) -> Path:
    """Write the made-up fleet into the bucket, once per home; returns the path of its truth file."""
    from t3lib.business_day import today
    from t3lib.simulate import simulate

    truth = settings().home / "demo-truth.json"
    if truth.exists():
        say("The made-up fleet is already in the bucket.")
        return truth
    with progress(f"Making up {days} days of trade") as advance:
        part = truth.with_suffix(".part")
        made = simulate(settings().need("landing_url"), days=days, end=today(), seed=SEED, truth=part, progress=advance,
                        settlements=True)  # fmt: skip
    part.replace(truth)
    say(f"{made.files:,} files with {made.rows:,} rows are in the bucket.")
    return truth


def _ingest() -> None:
    from scheduler.cli.ingesting.batches import AT_ONCE, take_in
    from scheduler.queue import workflows
    from t3lib import warehouse
    from t3lib.warehouse.files import status

    with workflows.working(AT_ONCE):
        failed = take_in()
    if failed:
        raise ServiceError("; ".join(failed))
    with warehouse.connect() as db:
        found = status.summary(db)
    say(f"{found['rows_loaded']:,} sales loaded, {pounds(found['pence_loaded'])}; "
        f"{found['rows_rejected']:,} rows rejected.")  # fmt: skip


def _upload(stop: threading.Event) -> None:
    """Make small uploads until `stop` is set."""
    from t3lib.simulate.live import live_uploads

    uploads = live_uploads(settings().need("landing_url"), seed=SEED)
    while not stop.wait(UPLOAD_SECONDS):
        next(uploads)


def _summary(mails: list[dict[str, Any]], answer: int, seconds: float) -> dict[str, Any]:
    from t3lib import warehouse
    from t3lib.warehouse.files import status

    with warehouse.connect() as db:
        found = status.summary(db)
    sums = {name: found[name] for name in ("rows_read", "rows_loaded", "rows_rejected", "pence_loaded")}
    sent = sum(mail["state"] == "sent" for mail in mails)
    return {**sums, "mails_sent": sent, "dashboard_status": answer, "seconds": round(seconds, 1)}
