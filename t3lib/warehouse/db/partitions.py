"""The monthly partitions of the sales table."""

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from t3lib.warehouse.db.connection import connect


def ensure_months(sales: pa.Table, url: str | None = None) -> None:
    """Make the partitions that these sales need, in a transaction of its own."""
    months = {date(d.year, d.month, 1) for d in pc.unique(sales["business_date"]).to_pylist()}
    with connect(url) as db:
        for month in sorted(months):
            db.execute(sa.text("SELECT core.ensure_month(:month)"), {"month": month})
