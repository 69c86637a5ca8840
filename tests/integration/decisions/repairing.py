"""Decisions of a person on rejected rows, and the figures after them."""

from datetime import date

from t3lib import warehouse
from t3lib.settings import settings
from t3lib.warehouse.files import reprocessing
from tests.support.feeding import rows, run
from tests.support.restating import Decision

ANN: Decision = {"actor": "Ann", "why": "The till lost its point."}
LEDGER = "SELECT rows_read, rows_loaded, rows_rejected, pence_loaded FROM ops.source_file WHERE state = 'loaded'"


def status() -> list[str]:
    """Of every rejected row, in the order of files and rows."""
    return [row[0] for row in rows("SELECT status FROM ops.rejected_row ORDER BY file_id, row_number")]


def reprocess() -> list:
    """Reprocess the file's day; the result of each load."""
    with warehouse.connect() as db:
        day = date(2026, 11, 5)
        made = reprocessing.claim_days(db, day, day, actor="Ben", why="Again.", batch_bytes=settings().batch_bytes)
    return [run(batch_id) for batch_id in made]
