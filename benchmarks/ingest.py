"""From files on S3 to committed, reconciled sales with key and rollups, through the three notebooks, with one worker.

The worker is warm: its kernels' imports are done, and trucks, menus and pitches were taken in before.
Compared in the same round: psql's \\copy of the same rows as CSV into a table without an index, which is the fastest
way to load text; and pandas.to_sql and dlt on a share of the rows (dlt if `make benchmarks` made its environment)."""

import os
import statistics
import subprocess
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import sqlalchemy as sa
from jupyter_client.manager import start_new_kernel

from benchmarks.measures import Measure, PeakMemory, median, row, run, scratch_home, seconds
from scheduler import kernels
from scheduler.cli.ingesting.batches import AT_ONCE, take_in
from scheduler.embedded.home import Home
from scheduler.embedded.postgres import Postgres
from scheduler.queue import workflows
from t3lib import warehouse
from t3lib.settings import ROOT, settings
from t3lib.simulate import simulate
from t3lib.simulate.writer import Writer
from t3lib.warehouse.checks import reconciliation
from t3lib.warehouse.db.connection import libpq_url

GOAL, GOAL_BYTES, ROUNDS = 0.40, 1.5 * 2**30, 3
_COPY = r"psql \copy, no index"
_PEERS = (("copied", _COPY), ("to_sql", "pandas.to_sql, no cleaning"), ("dlt", "dlt, no cleaning"))
_PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
_COPIED = "truck_id, file_id, row_number, sold_at, payment_type, total_pence"


@dataclass(frozen=True)
class _Round:
    """Results of one ingest and its peers: rows per second, and bytes."""

    rows: int
    ours: float
    archived: float
    copied: float
    to_sql: float
    dlt: float | None
    peak: int


def measure(quick: bool) -> list[Measure]:
    """Rows per second of T3 and its peers, and the worker's peak memory: medians of the rounds."""
    rounds = [_round(8_600)] if quick else [_round(86_000) for _ in range(ROUNDS)]
    name = f"ingest of {rounds[0].rows / 1e6:.2f} M dirty rows, one worker"
    peak = rounds[0].peak  # in later rounds the peers have filled this process
    return [
        *(_against(rounds, name, "ours", peer, named) for peer, named in _PEERS if getattr(rounds[0], peer)),
        _against(rounds, "the same, and the archive written", "archived", "copied", _COPY),
        row("peak memory of the worker and its kernels", peak / 2**20, "MB PSS", goal="at most 1,536",
            met=peak <= GOAL_BYTES),
    ]  # fmt: skip


def _against(rounds: list[_Round], name: str, which: str, peer: str, named: str) -> Measure:
    """The median, and the median of the rounds' ratios."""
    value = statistics.median(getattr(one, which) for one in rounds)
    ratio = statistics.median(getattr(one, which) / getattr(one, peer) for one in rounds)
    goal = (f"at least {GOAL}", ratio >= GOAL) if (which, peer) == ("ours", "copied") else ("", None)
    return row(name, value, "rows/s", named, value / ratio, *goal)


def _round(sales_per_day: int) -> _Round:
    """An ingest by a warm worker that knows its fleet, then the peers with the rows that it loaded."""
    with scratch_home() as home:
        settings.cache_clear()
        made = simulate(home / "feed", trucks=57, days=1, sales_per_day=sales_per_day, mishaps=False,
                        end=date(2026, 11, 19))  # fmt: skip
        _start_kernels()
        with workflows.working(AT_ONCE), PeakMemory() as peak:
            _upload(home / "feed", "metadata")
            _ingest()
            _upload(home / "feed", "[!m]*")  # metadata that is put again would be read again
            begun = datetime.now(UTC)
            archived = made.rows / seconds(_ingest)
        kernels.cool()
        ours = made.rows / (_committed() - begun).total_seconds()
        with warehouse.connect() as db:
            wrong = [check for check in reconciliation.checks(db) if not check.ok]
        if wrong:
            raise SystemExit(f"does not reconcile: {wrong}")
        copied, share = _copy(home, made.accepted_rows), _share(made.accepted_rows // 50)
        return _Round(made.rows, ours, archived, copied, _to_sql(share), _dlt(home, share), peak.bytes)


def _upload(feed: Path, folder: str) -> None:
    """Put what is in a folder of the feed into the bucket."""
    with Writer(settings().need("landing_url")) as writer:
        for path in sorted(feed.glob(f"{folder}/**/*")):
            if path.is_file():
                writer.put(path.relative_to(feed).as_posix(), path.read_bytes())


def _ingest() -> None:
    if failed := take_in():
        raise SystemExit(failed)


def _start_kernels() -> None:
    """Start the parent of the worker's kernels and let it do the imports."""
    kernels.install(settings().home)
    os.environ.update(kernels.environment(settings().home))
    manager, client = start_new_kernel(kernel_name=kernels.NAME)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def _committed() -> datetime:
    """When the last load finished."""
    with warehouse.connect() as db:
        return db.scalar(sa.text("SELECT max(finished_at) FROM ops.run WHERE notebook = '3_load'"))


def _copy(home: Path, rows: int) -> float:
    """Rows per second of \\copy, median of three."""
    file = home / "sales.csv"
    psql: list[str | Path] = [
        _psql(home),
        "-q",
        "-d",
        libpq_url(settings().need("database_url")),
        "-v",
        "ON_ERROR_STOP=1",
    ]
    types = "truck_id int, file_id bigint, row_number int, sold_at timestamptz, payment_type text, total_pence int"

    def run_psql(*statements: str) -> None:
        subprocess.run([*psql, *(word for s in statements for word in ("-c", s))], check=True, capture_output=True)

    run_psql(f"\\copy (SELECT {_COPIED} FROM core.sale) TO '{file}' WITH (FORMAT csv, HEADER)")
    into = f"\\copy copied FROM '{file}' WITH (FORMAT csv, HEADER)"
    return rows / median(lambda: run_psql("DROP TABLE IF EXISTS copied", f"CREATE TABLE copied ({types})", into), 3)


def _share(rows: int) -> pd.DataFrame:
    with warehouse.connect() as db:
        return pd.read_sql(sa.text(f"SELECT {_COPIED} FROM core.sale LIMIT {rows}"), db)


def _to_sql(share: pd.DataFrame) -> float:
    options = {"if_exists": "replace", "index": False, "method": "multi", "chunksize": 5_000}
    return len(share) / seconds(lambda: share.to_sql("slow", warehouse.engine(), **options))


def _dlt(home: Path, share: pd.DataFrame) -> float | None:
    """Rows per second, from Arrow by COPY; None if dlt is not installed."""
    if not _PEERS_PYTHON.exists():
        return None
    share.to_parquet(home / "share.parquet")
    command: list[str | Path] = [_PEERS_PYTHON, ROOT / "benchmarks" / "peers" / "with_dlt.py", home / "share.parquet",
               libpq_url(settings().need("database_url"))]  # fmt: skip
    return len(share) / float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _psql(home: Path) -> Path:
    return Postgres(Home(home), print).cluster.binary.with_name("psql")


if __name__ == "__main__":
    run("ingest", __doc__, measure)
