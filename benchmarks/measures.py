"""What the benchmarks share: arguments, timers, measures, and their output as a table or JSON."""

import argparse
import json
import logging
import os
import platform
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

Measure = dict[str, Any]


def run(name: str, description: str | None, measure: Callable[[bool], list[Measure]]) -> None:
    """Parse --quick and --json, measure, and print a table or one JSON object (benchmark, machine, measures)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="a smaller load and fewer rounds")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    found = {"benchmark": name, "machine": machine(), "measures": measure(options.quick)}
    print(json.dumps(found, indent=1)) if options.json else show(found)


def machine() -> str:
    """The machine that was measured on."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def row(name: str, value: float, unit: str, against: str = "", other: float | None = None, goal: str = "",
        met: bool | None = None) -> Measure:  # fmt: skip
    """One measure; its ratio is the value divided by the other one."""
    ratio = round(value / other, 3) if other else None
    return {"name": name, "value": round(value, 3), "unit": unit, "against": against, "ratio": ratio, "goal": goal,
            "met": met}  # fmt: skip


def show(found: dict[str, Any]) -> None:
    """The table for people."""
    table = Table(title=f"{found['benchmark']} ({found['machine']})")
    for column in ("measure", "value", "against", "ratio", "goal", "met"):
        table.add_column(column)
    for m in found["measures"]:
        ratio = "" if m["ratio"] is None else str(m["ratio"])
        met = {True: "yes", False: "NO", None: ""}[m["met"]]
        table.add_row(m["name"], f"{m['value']:,} {m['unit']}", m["against"], ratio, str(m["goal"] or ""), met)
    Console(width=max(Console().width, 130)).print(table)


def seconds(work: Callable[[], Any]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def median(work: Callable[[], Any], rounds: int) -> float:
    """Median wall time of several calls."""
    return statistics.median(seconds(work) for _ in range(rounds))


@contextmanager
def scratch_home() -> Iterator[Path]:
    """A T3_HOME for one benchmark, with embedded services running in it."""
    from scheduler.embedded import services
    from scheduler.embedded.home import scratch_folder

    with scratch_folder("t3-benchmark-") as path:
        os.environ |= {"T3_HOME": str(path), "T3_OUTPUTS": str(path / "outputs")}
        with services(say=lambda line: None):
            yield path


class PeakMemory:
    """The largest sum of PSS of a process and its descendants, sampled while a block runs.

    Sampled once a second, because Linux walks every page for it: twice a second took a twentieth of both cores."""

    def __init__(self, every: float = 1.0):
        self.every, self.bytes, self._stop = every, 0, threading.Event()

    def __enter__(self) -> "PeakMemory":
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._stop.wait(self.every):
            self.bytes = max(self.bytes, sum(map(_pss, [me, *me.children(recursive=True)])))


def _pss(process: psutil.Process) -> int:
    try:
        if "postgres" in process.name():
            return 0
        sums = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        return int(next(line.split()[1] for line in sums.splitlines() if line.startswith("Pss:"))) * 1024
    except (psutil.Error, OSError, StopIteration):
        return 0
