"""A landing folder and an ingest without kernels: the notebooks' own calls, batch by batch."""

from pathlib import Path

import sqlalchemy as sa

from t3lib import warehouse
from t3lib.ingest import pipeline
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing
from t3lib.warehouse.checks import reconciliation
from t3lib.warehouse.files import batches

LUNCH = "trucks/2026-11/5/15/T3_T3_A1.csv"
HEADER = "timestamp,type,total"


def put(folder: Path, key: str, *rows: str, header: str = HEADER) -> None:
    """Drop a file of these lines into the landing folder."""
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n")


def at(clock: str, payment: str, total: str, day: str = "2026-11-05") -> str:
    """One line of a live file."""
    return f"{day} {clock}:00+00:00,{payment},{total}"


def take_in(*, sweep: bool = True) -> list:
    """Discover and load until nothing waits; what each load did."""
    done = []
    while discover(Landing(), sweep=sweep) or _waiting():
        done += [run(batch_id) for batch_id in _waiting()]
    return done


def run(batch_id: str):
    """One batch through the three stages."""
    batch = pipeline.open_batch(batch_id)
    pipeline.extract_batch(batch)
    pipeline.clean_batch(batch)
    loaded = pipeline.load_batch(batch)
    with warehouse.connect() as db:
        batches.finish(db, batch_id)
    return loaded


def rows(query: str, **parameters) -> list[tuple]:
    """What a query finds, as plain tuples."""
    with warehouse.connect() as db:
        return [tuple(row) for row in db.execute(sa.text(query), parameters)]


def sales() -> list[tuple]:
    """(truck, row number, pence) of every sale."""
    return rows("SELECT truck_id, row_number, total_pence FROM core.sale ORDER BY truck_id, file_id, row_number")


def states() -> dict[str, str]:
    """The newest version's state by key."""
    return dict(rows("SELECT key, state FROM ops.source_file ORDER BY version NULLS FIRST"))


def assert_reconciles() -> None:
    """Files, sales, rejects and rollups agree."""
    with warehouse.connect() as db:
        checks = [check for check in reconciliation.checks(db) if not check.ok]
    assert not checks


def _waiting() -> list[str]:
    with warehouse.connect() as db:
        return [batch.batch_id for batch in batches.open_batches(db)]
