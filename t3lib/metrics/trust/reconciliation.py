"""Reconciliation for a buyer's accountant: the files and rows behind the figures, and whether they agree."""

from dataclasses import dataclass

import pandas as pd
import sqlalchemy as sa

from t3lib.metrics.display import Figures
from t3lib.metrics.sales.totals import totals
from t3lib.metrics.scope import Scope, bound
from t3lib.metrics.trust.quality import OF_THESE_DAYS, data_quality, with_moments
from t3lib.warehouse.files.file_outcomes import NOT_LOADED


@dataclass(frozen=True)
class Reconciliation(Figures):
    """Rows and pence in the ledger of files and in the sales behind every figure, side by side.

    `ledger_*` are of complete files with sales in the scope; `other_days_*` are the rows of other days in them, sales
    or rejected; `unknown_day_rejected` rows of them have no readable day; `elsewhere_rejected` rows of the scope's days
    stand in other files. `rows_read` and `rows_rejected` count by the day of the row, as in `data_quality`."""

    ledger_files: int
    ledger_files_not_loaded: int
    ledger_rows_read: int
    ledger_rows_loaded: int
    ledger_rows_rejected: int
    ledger_pence: int
    other_days_rows: int
    other_days_pence: int
    transactions: int
    gross_sales_pence: int
    other_days_rejected: int = 0
    unknown_day_rejected: int = 0
    elsewhere_rejected: int = 0
    rows_rejected: int = 0

    @property
    def rows_read(self) -> int:
        """Rows of these days: the sales and the rows not loaded; the same number as in `data_quality`."""
        return self.transactions + self.rows_rejected

    @property
    def rows_difference(self) -> int:
        """Rows of the ledger that are neither a row of these days nor one of another or an unknown day; 0 if all
        agree."""
        rejected = self.other_days_rejected + self.unknown_day_rejected - self.elsewhere_rejected
        sales = self.ledger_rows_loaded - self.other_days_rows - self.transactions
        return sales or self.ledger_rows_read - self.other_days_rows - rejected - self.rows_read

    @property
    def pence_difference(self) -> int:
        """The ledger's pence minus the sales' pence; 0 if both agree."""
        return self.ledger_pence - self.other_days_pence - self.gross_sales_pence

    @property
    def agrees(self) -> bool:
        """Whether ledger and sales agree, to the row and the penny."""
        return not self.rows_difference and not self.pence_difference

    def statement(self) -> pd.DataFrame:
        """From the rows of the files to the sales in the figures: line, rows and amount_pence (missing for rows that
        have none). Lines of other, unknown and elsewhere found days are left out where there are none."""
        rest = [
            ("less sales of other days in them", -self.other_days_rows, -self.other_days_pence),
            ("less rows not loaded, dated to other days", -self.other_days_rejected, None),
            ("less rows not loaded, without a readable day", -self.unknown_day_rejected, None),
            ("plus rows not loaded, in files of other days", self.elsewhere_rejected, None),
        ]
        lines = [
            ("Rows of the files", self.ledger_rows_read, self.ledger_pence),
            *(line for line in rest if line[1]),
            ("Rows read", self.rows_read, None),
            ("less rows not loaded", -self.rows_rejected, None),
            ("Sales in the figures", self.transactions, self.gross_sales_pence),
            ("Unexplained", self.rows_difference, self.pence_difference),
        ]
        return pd.DataFrame(lines, columns=["line", "rows", "amount_pence"]).astype({"amount_pence": "Int64"})


# One row: the files of a scope's days, their rows and pence in the ledger, and their sales of other days.
_LEDGER = f"""
WITH own AS (SELECT * FROM mart.file WHERE {OF_THESE_DAYS}),
loaded AS (SELECT * FROM own WHERE state = 'loaded'),
beyond AS (
    SELECT count(*) AS rows, coalesce(sum(total_pence), 0)::bigint AS pence
    FROM loaded JOIN mart.sale USING (truck_id, file_id)
    WHERE (first_sale_at < :since OR loaded.last_sale_at >= :until) AND business_date NOT BETWEEN :first AND :last
)
SELECT count(*), (SELECT count(*) FROM own WHERE state = ANY(:not_loaded)),
       coalesce(sum(rows_read), 0)::bigint, coalesce(sum(rows_loaded), 0)::bigint,
       coalesce(sum(rows_rejected), 0)::bigint, coalesce(sum(pence_loaded), 0)::bigint,
       (SELECT rows FROM beyond), (SELECT pence FROM beyond)
FROM loaded"""
# One row: rejects of these files that are of other days or of none that can be read, and rejects of these days in
# other files. `status`: a repaired or replayed row is a sale, or counts with the file that replaced its own.
_REJECTS = f"""
WITH loaded AS (SELECT file_id FROM mart.file WHERE state = 'loaded' AND {OF_THESE_DAYS})
SELECT count(*) FILTER (WHERE loaded.file_id IS NOT NULL AND business_date NOT BETWEEN :first AND :last) AS other,
       count(*) FILTER (WHERE loaded.file_id IS NOT NULL AND business_date IS NULL) AS unknown,
       count(*) FILTER (WHERE loaded.file_id IS NULL) AS elsewhere
FROM mart.rejected LEFT JOIN loaded USING (file_id)
WHERE status IN ('open', 'dismissed')
  AND (loaded.file_id IS NOT NULL OR business_date BETWEEN :first AND :last
       AND (:all_trucks OR truck_id = ANY(CAST(:trucks AS integer[]))))"""


def reconciliation(db: sa.Connection, scope: Scope) -> Reconciliation:
    """The files of these days against the sales of these days. Days and trucks of the scope count.

    A file belongs to these days if its batch or one of its sales does. Raises ValueError for a scope with places,
    payments, menus or an hour, because files are not kept by these.

    >>> found = metrics.ask(metrics.reconciliation, week)
    >>> found.ledger_files, found.ledger_rows_read, found.rows_read, found.ledger_pence, found.gross_sales_pence
    (3, 5, 5, 2599, 2599)
    """
    if scope.locations or scope.payments or scope.menus or scope.until_hour is not None:
        raise ValueError("files are reconciled for whole days and all places, menus and payments")
    sales, quality, moments = totals(db, scope), data_quality(db, scope), with_moments(scope)
    ledger = db.execute(sa.text(_LEDGER), moments | {"not_loaded": list(NOT_LOADED)}).one()
    rejects = db.execute(sa.text(_REJECTS), moments).one()
    figures: list[int] = [*ledger, sales.transactions, sales.gross_sales_pence, *rejects, quality.rows_rejected]
    return Reconciliation(*figures)


_CLEAN = """
WITH loaded AS (
    SELECT CAST(date_trunc('month', business_date) AS date) AS period_first, sum(transactions) AS rows
    FROM mart.sales_hourly
    WHERE business_date BETWEEN :first AND :last AND (:all_trucks OR truck_id = ANY(CAST(:trucks AS integer[])))
    GROUP BY period_first
),
rejected AS (
    SELECT CAST(date_trunc('month', business_date) AS date) AS period_first, sum(rows) AS rows
    FROM mart.rejected_daily
    WHERE business_date BETWEEN :first AND :last AND (:all_trucks OR truck_id = ANY(CAST(:trucks AS integer[])))
    GROUP BY period_first
)
SELECT period_first, (coalesce(loaded.rows, 0) + coalesce(rejected.rows, 0))::bigint AS rows_read,
       coalesce(loaded.rows, 0)::bigint AS rows_loaded, coalesce(rejected.rows, 0)::bigint AS rows_rejected,
       100.0 * coalesce(loaded.rows, 0) / nullif(coalesce(loaded.rows, 0) + coalesce(rejected.rows, 0), 0) AS clean_pct
FROM loaded FULL JOIN rejected USING (period_first) ORDER BY period_first"""


def clean_rate(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per month with a row: period_first, rows_read, rows_loaded, rows_rejected, clean_pct (loaded of read).

    By the day of the row, as `data_quality`; days and trucks of the scope count.

    >>> metrics.frame("clean_rate", week)
      period_first  rows_read  rows_loaded  rows_rejected  clean_pct
    0   2026-11-01          5            4              1       80.0
    """
    result = db.execute(sa.text(_CLEAN), bound(scope))
    return pd.DataFrame(result.all(), columns=list(result.keys())).astype({"clean_pct": float})
