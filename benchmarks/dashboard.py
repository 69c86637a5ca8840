"""The dashboard as its visitors see it: real Chromium, years of sales behind it, and the same page in Streamlit.

One visitor alone: from the request to the first figure and to live widgets, and a choice of a truck. Twenty at once:
one in Chromium, the others with the requests of a browser on another machine; all live, a choice of each, a load
that all of them see. Then twenty Chromiums, which take most of the machine, to compare with Streamlit."""

import asyncio
import os
import statistics
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from math import isnan, nan
from pathlib import Path

import psutil
import sqlalchemy as sa

from benchmarks import history
from benchmarks.browsing import remote
from benchmarks.browsing.visitors import Site, Visitors, chromes, pss
from benchmarks.growth import LATEST, as_administrator
from benchmarks.measures import Measure, row, run, scratch_home
from scheduler.embedded.home import Home
from scheduler.embedded.postgres import Postgres
from scheduler.embedded.processes import free_port
from scheduler.kernels.parent import AHEAD
from scheduler.web import processes
from t3lib import business_day, metrics, warehouse
from t3lib.dashboard.state import State, scope
from t3lib.money import pounds
from t3lib.settings import ROOT

GOALS = {"first": 0.5, "live": 2.5, "choice": 0.3, "at_once": 6.0, "load": 2.0, "choices": 1.5, "failures": 0,
         "memory": 50.0}  # fmt: skip
RANGE, MANY, ALL = "4weeks", 20, 50
Found = dict[str, float]  # by name of the measure: seconds, megabytes or visitors
_PEERS = ROOT / ".venv-peers" / "bin" / "python"


def measure(quick: bool) -> list[Measure]:
    """The measures of T3 and of Streamlit, side by side."""
    trucks, days, per_file = (10, 300, 42) if quick else (30, 1000, 167)
    with scratch_home() as home:
        sales = fill(home, trucks, days, per_file)
        rounds = 3 if quick else 9
        with processes.page("dashboard") as page:
            server = page.server.pid
            ours = asyncio.run(_visited(_ours(page.url), server, home, rounds, ours=True))
        with _streamlit() as (url, server):
            theirs = asyncio.run(_visited(_theirs(url), server, home, rounds, ours=False))
    return _rows(ours, theirs, sales)


def fill(home: Path, trucks: int, days: int, per_file: int) -> int:
    """Make the sales behind the pages, up to yesterday; returns how many."""
    first = LATEST - timedelta(days - 1)
    with as_administrator(home):
        history.begin(trucks)
        history.add_days(first, LATEST, trucks)
        history.add_rows(first, LATEST, 1, per_file)
        history.finish()
    return days * trucks * history.SLOTS * per_file


async def _visited(site: Site, server: int, home: Path, rounds: int, ours: bool) -> Found:
    found: Found = {}
    wanted, alone = _wanted(), _processes(server)
    async with chromes(site) as visitors:
        await visitors.gather(1)
        await _alone(visitors, found, wanted, rounds)
        if ours:
            crowds = []
            for _ in range(max(1, rounds // 3)):
                await _quiet(server, alone)
                crowds.append(await _crowd(visitors))
            found |= {name: statistics.median(crowd[name] for crowd in crowds) for name in crowds[0]}
            await _quiet(server, alone)
            found["failures"] = await _many(visitors)
            wanted = _wanted()
        await visitors.gather(MANY)
        await _quiet(server, alone)
        before, base = pss(server), _database_memory(home)
        found["chromes"], visits = await visitors.arrive(MANY)
        found["chromes_failed"] = sum(not visit.figure for visit in visits)
        found["memory"] = (pss(server) - before) / MANY
        found["database"] = (_database_memory(home) - base) / MANY
        if not found["chromes_failed"]:
            chosen = [wanted[number % len(wanted)] for number in range(MANY)]
            found["chromes_choices"] = max(await visitors.choose(chosen))
        await visitors.leave()
    return found


async def _crowd(visitors: Visitors) -> dict[str, float]:
    """Twenty at once, one of them in Chromium: by name of the measure."""
    crowd = {}
    async with AsyncExitStack() as stack:
        begin = time.perf_counter()
        (_, (seen,)), others = await asyncio.gather(
            visitors.arrive(1), remote.arrive(visitors.site.url, MANY - 1, stack)
        )
        crowd["at_once"] = time.perf_counter() - begin
        crowd["in_chromium"] = seen.live
        crowd["firsts"] = statistics.median([seen.first, *(other.first for other in others)])
        crowd["load"] = await _load(visitors, others)
        await asyncio.sleep(3)
        wanted = _wanted()  # the load changed one of them
        chosen = [wanted[number % len(wanted)] for number in range(1, MANY)]
        own, taken = await asyncio.gather(
            visitors.choose(wanted[:1]),
            asyncio.gather(*(other.choose(f"range={RANGE}&truck={number % len(wanted) + 1}", chosen[number - 1][1])
                             for number, other in enumerate(others, 1))),
        )  # fmt: skip
        crowd["choices"], crowd["choices_median"] = max(*own, *taken), statistics.median([*own, *taken])
        await visitors.leave()
    return crowd


async def _many(visitors: Visitors) -> int:
    """How many of fifty visitors at once get no page."""
    async with AsyncExitStack() as stack:
        arrived = await remote.arrive(visitors.site.url, ALL, stack)
        return sum(not one.figure or one.live > remote.TIMEOUT_SECONDS for one in arrived)


async def _load(visitors: Visitors, others: list[remote.Remote]) -> float:
    """Seconds from a commit until the last of the open pages shows it."""
    with warehouse.connect() as db:
        db.execute(sa.text(_SALE), {"day": LATEST})
        figure = pounds(metrics.totals(db, scope(State(preset=RANGE), business_day.today(), None)).gross_sales_pence)
    begin = time.perf_counter()
    moments = await asyncio.gather(visitors.sees(figure), *(other.sees(figure) for other in others))
    return max(moments) - begin


# A sale of £7.77 of the last truck, whose figure and the fleet's total change.
_SALE = """
    INSERT INTO mart.sales_hourly VALUES ((SELECT max(truck_id) FROM core.truck), :day, 23, 0, 'cash', 1, 777)
    ON CONFLICT (business_date, truck_id, local_hour, location_id, payment_type) DO UPDATE
    SET transactions = sales_hourly.transactions + 1, total_pence = sales_hourly.total_pence + 777;
    UPDATE mart.watermark SET version = version + 1, loaded_at = now()"""


async def _alone(visitors: Visitors, found: Found, wanted: list[tuple[str, str]], rounds: int) -> None:
    """Medians of one visitor after the other; the first warms up and is left out."""
    visits, choices = [], []
    for number in range(rounds + 1):
        _, (visit,) = await visitors.arrive(1)
        visits.append(visit)
        choices += await visitors.choose([wanted[number % len(wanted)]])
        await visitors.leave()
    found["first"] = statistics.median(visit.first for visit in visits[1:])
    found["live"] = statistics.median(visit.live for visit in visits[1:])
    found["choice"] = statistics.median(choices[1:])


def _wanted() -> list[tuple[str, str]]:
    """(truck, its gross sales as the page writes them) of every truck, from the metrics that both pages use."""
    with warehouse.connect() as db:
        shown = scope(State(preset=RANGE), business_day.today(), metrics.data_range(db))
        return [(row.truck, pounds(row.gross_sales_pence)) for row in metrics.by_truck(db, shown).itertuples()]


async def _quiet(server: int, alone: int) -> None:
    """Wait until the kernels of visitors who left are gone: then a server's memory is only its own and that of the
    kernels it started ahead."""
    alone += AHEAD
    for _ in range(30):
        if _processes(server) <= alone:
            return
        await asyncio.sleep(5)
    print(f"{_processes(server) - alone} kernels of visitors who left still run.")


def _processes(server: int) -> int:
    return len(psutil.Process(server).children(recursive=True))


def _database_memory(home: Path) -> float:
    server = Postgres(Home(home), print).server
    return pss(server.pid) if server else 0


@contextmanager
def _streamlit() -> Iterator[tuple[str, int]]:
    """Serve the same page by Streamlit, from the peers' environment; yields its address and process."""
    port = free_port(0, "Streamlit", print)
    script = Path(__file__).parent / "peers" / "with_streamlit.py"
    command: list[str | Path] = [_PEERS, "-m", "streamlit", "run", script]
    command += [f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true"]
    command += ["--browser.gatherUsageStats=false", "--server.fileWatcherType=none"]
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
    """One row per measure: T3's value, Streamlit's if it has one, their ratio, and whether the goal is met."""

    def one(field: str, name: str, unit: str = "s") -> Measure:
        value, other, goal = ours.get(field, nan), theirs.get(field, nan), GOALS.get(field)
        against = "" if isnan(other) else f"Streamlit {other:.2f}"
        limit = "" if goal is None else f"at most {goal} {unit}"
        return row(
            name, value, unit, against, None if isnan(other) else other, limit, None if goal is None else value <= goal
        )

    return [
        one("first", f"request to first figure, {sales / 1e6:.1f} M sales behind"),
        one("live", "request to live page"),
        one("choice", "a choice"),
        one("at_once", f"{MANY} visitors at once, all live"),
        one("in_chromium", "  the one in Chromium, live"),
        one("firsts", "  first figure (median)"),
        one("load", "  a load on all of them"),
        one("choices", f"  {MANY} choices at once, the slowest"),
        one("choices_median", "  the median one"),
        one("failures", f"{ALL} visitors at once, without a page", "visitors"),
        one("chromes", f"{MANY} Chromiums at once on this machine, all live"),
        one("chromes_failed", "  of them without a live page", "visitors"),
        one("chromes_choices", "  their choices at once, the slowest"),
        one("memory", "memory per visitor", "MB"),
        one("database", "memory per visitor in the database", "MB"),
    ]


if __name__ == "__main__":
    run("dashboard", __doc__, measure)
