"""The dashboard as its visitors find it: real Chromium, years of sales behind it, and the same page in Streamlit.

Request to first figure, to live widgets, a choice of a truck; one visitor alone, twenty at once, fifty in all; the
memory that a visitor takes. Visitors, page and database share one machine, so what browsers cost is in the times."""

import asyncio
import os
import statistics
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import history
import sqlalchemy as sa
from growth import LATEST, server_of
from measures import Measure, row, run, scratch_home
from visitors import Site, Visitors, chromes, pss

from scheduler import pages
from scheduler.embedded.home import Home
from scheduler.embedded.postgres import Postgres
from scheduler.embedded.processes import free_port
from t3lib import business_day, metrics, warehouse
from t3lib.dashboard.state import State, scope
from t3lib.money import pounds
from t3lib.settings import ROOT, settings

GOALS = {"first": 0.5, "live": 2.5, "at_once": 6.0, "choice": 0.3, "choices": 1.5, "memory": 50.0}
RANGE, MANY, ALL = "4weeks", 20, 50
_PEERS = ROOT / ".venv-peers" / "bin" / "python"


@dataclass
class Found:
    """What was measured of one product, in seconds and megabytes."""

    first: float = 0
    live: float = 0
    choice: float = 0
    at_once: float = 0
    firsts: float = 0
    choices: float = 0
    choices_median: float = 0
    memory: float = 0
    database: float = 0
    failures: int = 0


def measure(quick: bool) -> list[Measure]:
    """Ours beside Streamlit's."""
    trucks, days, per_file = (10, 300, 42) if quick else (30, 1000, 167)
    with scratch_home() as home:
        sales = fill(home, trucks, days, per_file)
        rounds = 3 if quick else 9
        with pages.page("dashboard") as page:
            server = page.server.pid
            ours = asyncio.run(_visited(_ours(page.url), server, home, rounds))
        with _streamlit() as (url, server):
            theirs = asyncio.run(_visited(_theirs(url), server, home, rounds))
    return _rows(ours, theirs, sales)


def fill(home: Path, trucks: int, days: int, per_file: int) -> int:
    """The world behind the pages, up to yesterday; how many sales."""
    url = sa.make_url(server_of(home)).set(database="t3").render_as_string(hide_password=False)
    owner, os.environ["T3_DATABASE_URL"] = os.environ.get("T3_DATABASE_URL"), url
    settings.cache_clear()
    history.begin(trucks)
    first = LATEST - timedelta(days - 1)
    history.add_days(first, LATEST, trucks)
    history.add_rows(first, LATEST, 1, per_file)
    history.finish()
    warehouse.engine(url).dispose()
    os.environ.pop("T3_DATABASE_URL")
    if owner:
        os.environ["T3_DATABASE_URL"] = owner
    settings.cache_clear()
    return days * trucks * history.SLOTS * per_file


async def _visited(site: Site, server: int, home: Path, rounds: int) -> Found:
    found, wanted = Found(), _wanted()
    async with chromes(site) as visitors:
        await visitors.gather(1)
        await _alone(visitors, found, wanted, rounds)
        await visitors.gather(MANY)
        await _quiet(server)
        before, base = pss(server), _database_memory(home)
        found.at_once, visits = await visitors.arrive(MANY)
        found.firsts = statistics.median(visit.first for visit in visits)
        found.memory = (pss(server) - before) / MANY
        found.database = (_database_memory(home) - base) / MANY
        taken = await visitors.choose([wanted[number % len(wanted)] for number in range(MANY)])
        found.choices, found.choices_median = max(taken), statistics.median(taken)
        await visitors.leave()
        await visitors.gather(ALL)
        _, visits = await visitors.arrive(ALL)
        found.failures = sum(not visit.figure for visit in visits)
        await visitors.leave()
    return found


async def _alone(visitors: Visitors, found: Found, wanted: list[tuple[str, str]], rounds: int) -> None:
    """Medians of one visitor after the other; the first warms up and is left out."""
    visits, choices = [], []
    for number in range(rounds + 1):
        _, (visit,) = await visitors.arrive(1)
        visits.append(visit)
        choices += await visitors.choose([wanted[number % len(wanted)]])
        await visitors.leave()
    found.first = statistics.median(visit.first for visit in visits[1:])
    found.live = statistics.median(visit.live for visit in visits[1:])
    found.choice = statistics.median(choices[1:])


def _wanted() -> list[tuple[str, str]]:
    """(truck, its gross sales as the page writes them) of every truck, by the metrics that both products use."""
    with warehouse.connect() as db:
        shown = scope(State(preset=RANGE), business_day.today(), metrics.data_range(db))
        return [(row.truck, pounds(row.gross_sales_pence)) for row in metrics.by_truck(db, shown).itertuples()]


async def _quiet(server: int) -> None:
    """Wait until the kernels of visitors who left are gone: the memory of a server is then its own."""
    least = float("inf")
    for _ in range(40):
        now = pss(server)
        if now >= least - 1:
            return
        least = now
        await asyncio.sleep(5)


def _database_memory(home: Path) -> float:
    server = Postgres(Home(home), print).server
    return pss(server.pid) if server else 0


@contextmanager
def _streamlit() -> Iterator[tuple[str, int]]:
    """The same page served by Streamlit, from the peers' environment; its address and process."""
    port = free_port(0, "Streamlit", print)
    command = [_PEERS, "-m", "streamlit", "run", Path(__file__).with_name("peer_streamlit.py"), f"--server.port={port}",
               "--server.address=127.0.0.1", "--server.headless=true", "--browser.gatherUsageStats=false",
               "--server.fileWatcherType=none"]  # fmt: skip
    url, env = f"http://127.0.0.1:{port}/", os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"{url}_stcore/health", timeout=2).close()
                break
            except OSError:
                time.sleep(0.1)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(20)


def _ours(url: str) -> Site:
    return Site(
        f"{url}?range={RANGE}",
        first=".t3-first [data-figure=gross_sales_pence]",
        live="document.documentElement.classList.contains('t3-ready')",
        choices=".t3-live .t3-trucks a[data-choice]",
        figure=".t3-live [data-figure=gross_sales_pence]",
        settled="true",
    )


def _theirs(url: str) -> Site:
    idle = "!document.querySelector('[data-test-script-state=running]')"
    return Site(
        f"{url}?range={RANGE}",
        first="[data-testid=stMetricValue]",
        live=f"{idle} && document.querySelectorAll('[data-testid=stVegaLiteChart] svg').length >= 2",
        choices="[data-testid=stButtonGroup] button",
        figure="[data-testid=stMetricValue]",
        settled=idle,
    )


def _rows(ours: Found, theirs: Found, sales: int) -> list[Measure]:
    """One row a measure: ours, Streamlit's, their ratio, and whether the goal is met."""
    behind = f"{sales / 1e6:.1f} M sales behind"

    def one(field: str, name: str, unit: str = "s") -> Measure:
        value, goal = getattr(ours, field), GOALS.get(field)
        met = None if goal is None else value <= goal
        limit = "" if goal is None else f"at most {goal} {unit}"
        return row(name, value, unit, f"Streamlit {getattr(theirs, field):.2f}", getattr(theirs, field), limit, met)

    failed = row(f"{ALL} visitors at once, without a page", ours.failures, "visitors", f"Streamlit {theirs.failures}")
    return [
        one("first", f"request to first figure, {behind}"),
        one("live", "request to live page"),
        one("choice", "a choice, one visitor"),
        one("firsts", f"{MANY} visitors at once, first figure (median)"),
        one("at_once", f"{MANY} visitors at once, all live"),
        one("choices", f"{MANY} choices at once, the slowest"),
        one("choices_median", f"{MANY} choices at once (median)"),
        one("memory", "memory per visitor", "MB"),
        one("database", "memory per visitor in the database", "MB"),
        failed | {"goal": "none", "met": not ours.failures},
    ]


if __name__ == "__main__":
    run("dashboard", __doc__, measure)
