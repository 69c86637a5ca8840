"""A batch of 10,000 rows, and the dashboard's pages, with 1 M, 10 M and 50 M sales behind them.

One database per size on one server. Each round measures one thing at every size, one right after the other, and the
ratio is the median of the rounds' ratios, so that other work on the machine affects all sizes alike.
Thirty trucks: 500 days, then 1,000 with five times the sales per day, then five times the sales per day again."""

import os
import random
import statistics
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import sqlalchemy as sa

from benchmarks import history
from benchmarks.measures import Measure, row, run, scratch_home, seconds
from scheduler.embedded.home import Home
from scheduler.embedded.postgres import Postgres
from t3lib import business_day, warehouse
from t3lib.dashboard.state import TABS, State
from t3lib.dashboard.tabs import TabContext, sheet
from t3lib.dashboard.view import read
from t3lib.ingest import pipeline
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing
from t3lib.settings import settings
from t3lib.warehouse.checks import reconciliation
from t3lib.warehouse.files import batches

GOAL, BATCH_ROWS, LATEST = 1.2, 10_000, business_day.today() - timedelta(1)
PAGES = [("today", "today"), *((tab, "4weeks") for tab in TABS if tab != "rows"), ("rows", "today")]


@dataclass(frozen=True)
class Size:
    """A database with so many days of files of so many rows."""

    trucks: int
    days: int
    rows_per_file: int

    @property
    def sales(self) -> int:
        return self.days * self.trucks * history.SLOTS * self.rows_per_file

    @property
    def name(self) -> str:
        return f"{self.sales / 1e6:.1f} M"


def measure(quick: bool) -> list[Measure]:
    """Medians at each size, and their ratio to the smallest."""
    trucks, rows = (10, (8, 25, 125)) if quick else (30, (17, 83, 417))
    sizes = [Size(trucks, days, per_file) for days, per_file in zip((500, 1000, 1000), rows, strict=True)]
    with scratch_home() as home:
        urls = _fill(server_of(home), sizes)
        taken = _rounds(home, urls, 1 + (5 if quick else 9))
        for url in urls.values():
            warehouse.engine(url).dispose()
    return [line for name, times in taken.items() for line in _rows(name, sizes, times)]


def _rounds(home: Path, urls: dict[Size, str], rounds: int, first: int = 0) -> dict[str, list[list[float]]]:
    """Seconds by task: one list per size, one entry per round; each size is first in turn."""
    sizes = list(urls)
    taken: dict[str, list[list[float]]] = {name: [[] for _ in sizes] for name in _tasks()}
    for number in range(first, first + rounds):
        _put(home, number, sizes[0].trucks)
        for name, task in _tasks().items():
            for turn in range(len(sizes)):
                which = (turn + number) % len(sizes)
                with _database(home, urls[sizes[which]], sizes[which]):
                    taken[name][which].append(seconds(task))
    return taken


def _rows(name: str, sizes: list[Size], times: list[list[float]]) -> list[Measure]:
    """The first round warms up and is left out."""
    rounds = [[1000 * taken for taken in of_size[1:]] for of_size in times]
    least = statistics.median(rounds[0])
    found = [row(f"{name}, {sizes[0].name} sales behind", least, "ms")]
    for size, of_size in list(zip(sizes, rounds, strict=True))[1:]:
        ratio = statistics.median(value / base for value, base in zip(of_size, rounds[0], strict=True))
        measured = row(f"{name}, {size.name}", statistics.median(of_size), "ms", f"{sizes[0].name} behind", least)
        found.append(measured | {"ratio": round(ratio, 3), "goal": f"at most {GOAL}", "met": ratio <= GOAL})
    return found


def _tasks() -> dict[str, Callable[[], None]]:
    pages = {f"page {TABS[tab]}, {preset}": State(preset=preset, tab=tab) for tab, preset in PAGES}
    batch = {f"batch of {BATCH_ROWS:,} rows": _take_in}
    return batch | {name: lambda state=state: _page(state) for name, state in pages.items()}


def _take_in() -> None:
    """Take in one batch, as the worker and the three notebooks do."""
    (batch_id,) = discover(Landing())
    batch = pipeline.open_batch(batch_id)
    pipeline.extract_batch(batch)
    pipeline.clean_batch(batch)
    loaded = pipeline.load_batch(batch)
    with warehouse.connect() as db:
        batches.finish(db, batch_id)
    if loaded.rows_read != BATCH_ROWS:
        raise SystemExit(f"{loaded.rows_read:,} rows were read")


def _page(state: State) -> None:
    """Read what a page reads: its figures and the cards of its tab."""
    with warehouse.connect() as db:
        view = read(db, state)
        sheet(db, TabContext(view.state, view.scope, view.until_hour, view.earlier))


def _put(home: Path, number: int, trucks: int) -> None:
    """Put one file per truck for the latest day into the bucket; 7 % of its rows are no sales."""
    chance = random.Random(number)
    folder = home / "s3" / "landing" / "trucks" / f"{LATEST:%Y-}{LATEST.month}" / str(LATEST.day) / "15"
    folder.mkdir(parents=True, exist_ok=True)
    share, more = divmod(BATCH_ROWS, trucks)
    for truck in range(1, trucks + 1):
        lines = [_line(chance) for _ in range(share + (truck <= more))]
        (folder / f"T3_T{truck}_B{number}.csv").write_text("\n".join(["timestamp,type,total", *lines]) + "\n")


def _line(chance: random.Random) -> str:
    stamp = f"{LATEST} {chance.randrange(12, 14)}:{chance.randrange(60):02d}:00+00:00"
    total = chance.choice(("4", "5.00", "6", "7", "8.00", "9") if chance.random() > 0.07 else ("VOID", "0", "ERR"))
    return f"{stamp},{chance.choice(('card', 'cash'))},{total}"


def server_of(home: Path) -> str:
    """URL of the embedded server as its administrator, who may disable triggers."""
    return f"postgresql://postgres@/postgres?host={Postgres(Home(home), print).cluster.sockets}"


@contextmanager
def as_administrator(home: Path):
    """Use the embedded database as `server_of` in the block."""
    url = sa.make_url(server_of(home)).set(database="t3").render_as_string(hide_password=False)
    owner, os.environ["T3_DATABASE_URL"] = os.environ.get("T3_DATABASE_URL"), url
    settings.cache_clear()
    yield
    warehouse.engine(url).dispose()
    os.environ.pop("T3_DATABASE_URL")
    if owner:
        os.environ["T3_DATABASE_URL"] = owner
    settings.cache_clear()


def _fill(base: str, sizes: list[Size]) -> dict[Size, str]:
    """A database per size, each grown out of the one before."""
    urls: dict[Size, str] = {}
    last = LATEST - timedelta(1)
    for before, size in zip([None, *sizes], sizes, strict=False):
        urls[size] = _copy(base, urls[before] if before else None, f"growth_{size.sales}")
        with _database(None, urls[size], size):
            _grow(before, size, last)
        if before is None:
            _check(urls[size])
    return urls


def _grow(before: Size | None, size: Size, last: date) -> None:
    first, oldest = last - timedelta(size.days - 1), last + timedelta(1)
    if before is None:
        warehouse.upgrade()
        history.begin(size.trucks)
    else:
        oldest = last - timedelta(before.days - 1)
    if first < oldest:
        history.add_days(first, oldest - timedelta(1), size.trucks)
        history.add_rows(first, oldest - timedelta(1), 1, size.rows_per_file)
    if before and before.rows_per_file < size.rows_per_file:
        history.add_rows(oldest, last, before.rows_per_file + 1, size.rows_per_file)
    history.finish()


def _copy(base: str, template: str | None, name: str) -> str:
    source = f" TEMPLATE {sa.make_url(template).database} STRATEGY FILE_COPY" if template else ""
    if template:
        warehouse.engine(template).dispose()
    with warehouse.engine(base).connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(sa.text(f"CREATE DATABASE {name}{source}"))
    return sa.make_url(base).set(database=name).render_as_string(hide_password=False)


@contextmanager
def _database(home: Path | None, url: str, size: Size):
    """Use this database in the block, with separate staged files."""
    before = {name: os.environ.get(name, "") for name in ("T3_DATABASE_URL", "T3_OUTPUTS")}
    os.environ["T3_DATABASE_URL"] = url
    if home:
        os.environ["T3_OUTPUTS"] = str(home / "outputs" / str(size.sales))
    settings.cache_clear()
    yield
    os.environ |= before
    settings.cache_clear()


def _check(url: str) -> None:
    """Raise SystemExit unless what was made in SQL reconciles."""
    with warehouse.connect(url) as db:
        if wrong := [check for check in reconciliation.checks(db) if not check.ok]:
            raise SystemExit(f"does not reconcile: {wrong}")


if __name__ == "__main__":
    run("growth", __doc__, measure)
