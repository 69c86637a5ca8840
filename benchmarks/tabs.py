"""Each tab of the dashboard with 20 M sales behind it: all that its page reads and draws, cold and warm.

Thirty trucks for a thousand days, with dated menus, pitches with fees and events, costs of each kind, VAT by dish and
the bank. Profit is measured by each of its dimensions. Cold: a new connection; warm: median of the rounds after it.
Beside it the processor seconds of this process and of its server process, which other work hardly changes, without
its parallel workers."""

import statistics
import time
from datetime import timedelta
from pathlib import Path

import psutil

from benchmarks import history
from benchmarks.growth import LATEST, as_administrator
from benchmarks.measures import Measure, row, run, scratch_home
from t3lib import warehouse
from t3lib.dashboard.html.fragments import render
from t3lib.dashboard.state import PROFIT_BY, TABS, State
from t3lib.dashboard.tabs import TabContext, chart, sheet
from t3lib.dashboard.view import read

GOALS = {1: 1.0, 28: 1.0, 365: 2.0}


def measure(quick: bool) -> list[Measure]:
    """Seconds of each tab for a day, four weeks and a year."""
    trucks, days, per_file = (10, 400, 25) if quick else (30, 1000, 167)
    with scratch_home() as home:
        fill(home, trucks, days, per_file)
        found = times(2 if quick else 5)
        warehouse.engine().dispose()
    return found


def fill(home: Path, trucks: int, days: int, per_file: int) -> None:
    """Make the sales behind the pages, up to yesterday, as the server's administrator, who may disable triggers."""
    first = LATEST - timedelta(days - 1)
    with as_administrator(home):
        history.begin(trucks, (first, LATEST))
        history.add_days(first, LATEST, trucks)
        history.add_rows(first, LATEST, 1, per_file, dated=True)
        history.finish()
        history.bank(first, LATEST)


def times(rounds: int) -> list[Measure]:
    """One measure per page and range of days."""
    found = []
    for days, goal in GOALS.items():
        for name, state in pages(days).items():
            warehouse.engine().dispose()
            cold, *warm = [draw(state) for _ in range(1 + rounds)]
            taken, busy = (statistics.median(values) for values in zip(*warm, strict=True))
            beside = f"{busy:.2f} s of processors; cold {cold[0]:.2f} s"
            found.append(row(f"{name}, {days} days", taken, "s", beside, goal=f"at most {goal} s", met=taken <= goal))
    return found


def pages(days: int) -> dict[str, State]:
    """The pages of the last so many days: each tab, Money once per dimension of profit."""
    chosen = State(preset="custom", first=LATEST - timedelta(days - 1), last=LATEST)
    found = {}
    for tab, name in TABS.items():
        for key in PROFIT_BY if tab == "money" else ("",):
            more = {"profit_by": key} if key else {}
            found[f"{name}{f', profit by {key}' if key else ''}"] = State(
                **(vars(chosen) | {"tab": tab} | more))  # fmt: skip
    return found


def draw(state: State) -> tuple[float, float]:
    """Read and draw what a page does: its figures, the cards of its tab, the chart, and what all tabs have; its seconds
    and processor seconds."""
    begun, own = time.perf_counter(), time.process_time()
    with warehouse.connect() as db:
        server = psutil.Process(db.connection.dbapi_connection.get_backend_pid())  # type: ignore[union-attr]
        before = sum(server.cpu_times()[:2])
        warehouse.one_moment(db)
        view = read(db, state)
        context = TabContext(view.state, view.scope, view.until_hour, view.earlier)
        sheet(db, context)
        chart(db, context)
        render(view)
        busy = sum(server.cpu_times()[:2]) - before
    return time.perf_counter() - begun, busy + time.process_time() - own


if __name__ == "__main__":
    run("tabs", __doc__, measure)
