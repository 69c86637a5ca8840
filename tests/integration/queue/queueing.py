"""One sale's file in the bucket, and taking in through the queue what lies there."""

from datetime import date
from pathlib import Path

from scheduler.queue import workflows
from t3lib.ingest import discovery
from t3lib.landing import Landing
from tests.support import feeding


def put(bucket: Path, day: date, hour: int = 12, truck: int = 1, total: str = "4.99") -> Path:
    """A truck's file with one sale of that day and batch."""
    key = f"trucks/{day.year}-{day.month}/{day.day}/{hour}/T3_T{truck}_A1.csv"
    feeding.put(bucket, key, feeding.at(f"{hour - 2:02d}:00", "card", total, str(day)))
    return bucket / key


def take_in(sweep: bool = True) -> None:
    """Load what the bucket holds, through the queue."""
    discovery.discover(Landing(), sweep=sweep)
    for workflow in workflows.enqueue_open_batches():
        workflows.wait(workflow)
