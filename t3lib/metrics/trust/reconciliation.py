"""Reconciliation for a buyer's accountant: the files and rows behind the figures, and whether they agree."""

from dataclasses import dataclass

import pandas as pd
import sqlalchemy as sa

from t3lib import business_day
from t3lib.metrics.display import Figures
from t3lib.metrics.sales.totals import totals
from t3lib.metrics.scope import Scope, bound
from t3lib.warehouse.files.file_outcomes import NOT_LOADED


@dataclass(frozen=True)
class Reconciliation(Figures):
    """Rows and pence in the ledger of files and in the sales behind every figure, side by side.

    `ledger_*` are of complete files with sales in the scope; `other_days_*` are the sales of other days in them."""

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

    @property
    def rows_difference(self) -> int:
        """Rows of the ledger that are neither a sale, a reject, nor a sale of another day; 0 if all agree."""
        lost = self.ledger_rows_read - self.ledger_rows_loaded - self.ledger_rows_rejected
        return lost + self.ledger_rows_loaded - self.other_days_rows - self.transactions

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
        have none)."""
        lines = [
            ("Rows read", self.ledger_rows_read, None),
            ("less rows not loaded", -self.ledger_rows_rejected, None),
            ("Rows loaded", self.ledger_rows_loaded, self.ledger_pence),
            ("less sales of other days in the same files", -self.other_days_rows, -self.other_days_pence),
            ("Sales in the figures", self.transactions, self.gross_sales_pence),
            ("Unexplained", self.rows_difference, self.pence_difference),
        ]
        shown = [line for line in lines if self.other_days_rows or not line[0].startswith("less sales")]
        return pd.DataFrame(shown, columns=["line", "rows", "amount_pence"]).astype({"amount_pence": "Int64"})


# One row: the files of a scope's days, their rows and pence in the ledger, and their sales of other days.
_LEDGER = """
WITH own AS (
    SELECT * FROM mart.file
    WHERE kind IN ('sales', 'history')
      AND (batch_date BETWEEN :first AND :last OR (first_sale_at < :until AND last_sale_at >= :since))
      AND (:all_trucks OR truck_id = ANY(CAST(:trucks AS integer[])))
),
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


def reconciliation(db: sa.Connection, scope: Scope) -> Reconciliation:
    """The files of these days against the sales of these days. Days and trucks of the scope count.

    A file belongs to these days if its batch or one of its sales does. Raises ValueError for a scope with places,
    payments, menus or an hour, because files are not kept by these.

    >>> found = metrics.ask(metrics.reconciliation, week)
    >>> found.ledger_files, found.ledger_rows_read, found.ledger_pence, found.gross_sales_pence
    (3, 5, 2599, 2599)
    """
    if scope.locations or scope.payments or scope.menus or scope.until_hour is not None:
        raise ValueError("files are reconciled for whole days and all places, menus and payments")
    sales = totals(db, scope)
    moments = {"since": business_day.bounds(scope.first)[0], "until": business_day.bounds(scope.last)[1]}
    ledger = db.execute(sa.text(_LEDGER), bound(scope) | moments | {"not_loaded": list(NOT_LOADED)}).one()
    figures: list[int] = [*ledger, sales.transactions, sales.gross_sales_pence]
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
