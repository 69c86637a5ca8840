"""The archive: core.sale as hive-partitioned Parquet under T3_ARCHIVE_URL, for readers without the database.

The layout is business_month=2026-11/truck_id=3/2026-11-05.parquet, one object per truck and business day. The
database is the truth and each object a copy of its committed rows, so an object is always replaced by one PUT:
a reader sees a day before a change or after it, never old rows beside new ones and never half a file. Days that one
transaction changed are written one after the other, within seconds. Objects of a day keep the cost of a load small (a
month would be rewritten with every batch), and since the name follows from the day, there are no versions to clean up
and nothing to compact: both would be visible to readers of a bucket.
"""

from t3lib.archive.layout import Day
from t3lib.archive.store import Archive
from t3lib.archive.verification import Verification, check, verify
from t3lib.archive.writing import rebuild, waiting, write

__all__ = ["Archive", "Day", "Verification", "check", "rebuild", "verify", "waiting", "write"]
