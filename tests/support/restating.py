"""What tests of changed figures share: who decides, reprocessing days, its outcomes, the recorded restatements."""

from datetime import date
from typing import TypedDict

from t3lib import warehouse
from t3lib.settings import settings
from t3lib.warehouse.files import reprocessing
from tests.support.feeding import rows, run

DAY = date(2026, 11, 5)
SHIFTED = "trucks/2026-11/5/18/T3_T3_B2.csv"
MENU = "truck_id,menu_item,menu_type,price"
RECORDED = """
    SELECT cause, truck_id, business_date::text, rows_before, rows_after, pence_before, pence_after
    FROM mart.restatement ORDER BY restatement_id
"""


class Decision(TypedDict):
    """Who decides, and why."""

    actor: str
    why: str


def reprocess(first: date = DAY, last: date = DAY) -> list:
    """Reprocess days: claim them and run their batches."""
    with warehouse.connect() as db:
        size = settings().batch_bytes
        made = reprocessing.claim_days(db, first, last, actor="Ann", why="A new rule.", batch_bytes=size)
    return [run(batch_id) for batch_id in made]


def outcomes() -> list[tuple]:
    """The outcome of reprocessing, for each file."""
    return rows("SELECT outcome FROM ops.again_file ORDER BY batch_id, file_id")
