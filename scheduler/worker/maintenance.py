"""Daily maintenance: makes partitions ahead of time and removes staged files that no open batch owns."""

import shutil
import time
from datetime import date

import sqlalchemy as sa

from t3lib import warehouse
from t3lib.business_day import today
from t3lib.settings import settings

MONTHS_AHEAD = 2
# Younger folders may belong to a notebook that an analyst runs by hand.
STAGED_HOURS = 24


def ensure_partitions(day: date | None = None) -> list[date]:
    """Make the partitions of this month and the next two; returns their first days."""
    day = day or today()
    months = [date(day.year + (day.month - 1 + n) // 12, (day.month - 1 + n) % 12 + 1, 1)
              for n in range(MONTHS_AHEAD + 1)]  # fmt: skip
    with warehouse.connect() as db:
        for month in months:
            db.execute(sa.text("SELECT core.ensure_month(:month)"), {"month": month})
    return months


def remove_staged(hours: float = STAGED_HOURS) -> list[str]:
    """Remove staged folders on this machine that no open batch owns; returns their names."""
    staging = settings().outputs / "staging"
    if not staging.is_dir():
        return []
    with warehouse.connect() as db:
        owned = set(db.scalars(sa.text("SELECT batch_id FROM ops.batch WHERE state <> 'done'")))
    before = time.time() - hours * 3600
    old = [folder for folder in staging.iterdir() if folder.name not in owned and folder.stat().st_mtime < before]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return sorted(folder.name for folder in old)
