"""What a buyer asks of twelve months, from a few rows that a person can add up."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
import sqlalchemy as sa

from t3lib import business_day, metrics
from t3lib.metrics import Scope
from t3lib.period import part_of_month
from tests.integration.metrics.test_metrics import named, sold

OCTOBER = Scope(date(2026, 10, 1), date(2026, 10, 31))


def test_twelve_months_end_with_the_last_day_and_begin_with_a_month(db: sa.Connection):
    named(db, {1: "Burrito Madness", 2: "Kings of Kebabs"})
    sold(db, (1, date(2025, 10, 31), 12, "card", 1, 99), (1, date(2025, 11, 1), 12, "card", 1, 600),
         (1, date(2026, 10, 15), 12, "card", 1, 300), (2, date(2026, 10, 20), 12, "card", 1, 100),
         (1, date(2026, 10, 21), 12, "card", 1, 77))  # fmt: skip
    found = metrics.trailing_by_truck(db, Scope(date(2026, 10, 20), date(2026, 10, 20)))
    assert found[["truck", "trailing_pence", "trailing_share_pct", "trailing_months"]].values.tolist() == [
        ["Burrito Madness", 900, 90.0, 2],
        ["Kings of Kebabs", 100, 10.0, 1],
    ]
    assert (
        found["trailing_before_pence"].isna().all()
    )  # the data begin in October 2025, the year before in November 2024


def test_the_year_before_is_of_the_same_dates(db: sa.Connection):
    named(db, {1: "Burrito Madness"})
    sold(db, (1, date(2024, 11, 1), 12, "card", 1, 500), (1, date(2025, 10, 20), 12, "card", 1, 50),
         (1, date(2025, 10, 21), 12, "card", 1, 7), (1, date(2026, 10, 20), 12, "card", 1, 900))  # fmt: skip
    found = metrics.trailing_by_truck(db, Scope(date(2026, 10, 20), date(2026, 10, 20)))
    assert found[["trailing_pence", "trailing_before_pence"]].values.tolist() == [[900, 550]]


def test_the_day_before_the_29th_of_february_is_the_28th():
    leap = metrics.year_before(Scope(date(2028, 2, 1), date(2028, 2, 29)))
    assert (leap.first, leap.last) == (date(2027, 2, 1), date(2027, 2, 28))


def test_a_season_is_measured_by_truck_and_day(db: sa.Connection):
    """September: one truck out once for £1.00. October: two trucks out for £3.00 each. Mean of three: £2.33."""
    sold(db, (1, date(2026, 9, 30), 12, "card", 1, 100), (1, date(2026, 10, 1), 12, "card", 1, 300),
         (2, date(2026, 10, 1), 12, "card", 2, 300))  # fmt: skip
    found = metrics.seasonality(db, Scope(date(2026, 9, 1), date(2026, 10, 31)))
    assert found[["season", "truck_days", "sales_per_truck_day_pence"]].values.tolist() == [[9, 1, 100], [10, 2, 300]]
    assert found["season_index"].tolist() == pytest.approx([100 * 3 / 7, 900 / 7])
    by_weekday = metrics.seasonality(db, Scope(date(2026, 9, 1), date(2026, 10, 31)), "weekday")
    assert by_weekday["season"].tolist() == [3, 4]
    with pytest.raises(ValueError, match="a month or a weekday, not year"):
        metrics.seasonality(db, OCTOBER, "year")


def test_a_new_truck_is_compared_with_established_ones_in_the_same_days(db: sa.Connection):
    began = date(2026, 10, 5)
    sold(db, (1, date(2026, 8, 1), 12, "card", 1, 500))
    for day, pence in ((began, 200), (began + timedelta(6), 100), (began + timedelta(7), 600)):
        sold(db, (9, day, 12, "card", 1, pence))
    for day in (began, began + timedelta(8)):
        sold(db, (1, day, 12, "card", 1, 1000), (2, day, 12, "card", 1, 200))
    found = metrics.ramp(db, Scope(date(2026, 8, 1), date(2026, 10, 20)))
    assert found["truck_id"].tolist() == [2, 2, 9, 9]  # truck 2 also began in October
    ninth = found[found["truck_id"] == 9]
    weeks = ninth[["ramp_week", "gross_sales_pence", "established_pence"]].values.tolist()
    assert weeks == [[1, 300, 1000], [2, 600, 1000]]
    assert ninth["ramp_pct"].tolist() == pytest.approx([30, 60])
    assert metrics.ramp(db, Scope(date(2026, 8, 1), date(2026, 10, 10))).empty  # no week of it is whole


def test_a_truck_of_the_first_weeks_of_the_data_is_no_new_one(db: sa.Connection):
    sold(db, (1, date(2026, 8, 1), 12, "card", 1, 500), (2, date(2026, 8, 28), 12, "card", 1, 500))
    assert metrics.ramp(db, Scope(date(2026, 8, 1), date(2026, 10, 20))).empty


NOON = datetime(2026, 10, 31, 12, tzinfo=UTC)


def _file(db: sa.Connection, key: str, *sales: tuple[int, int], rejected: int = 0) -> None:
    """A loaded file with sales (days after NOON, pence) and so many rejects."""
    moments = [NOON + timedelta(days) for days, _ in sales]
    row = {"k": key, "read": len(sales) + rejected, "loaded": len(sales), "rejected": rejected,
           "pence": sum(pence for _, pence in sales), "first": moments[0], "last": moments[-1]}  # fmt: skip
    file_id = db.execute(
        sa.text("""INSERT INTO ops.source_file (key, etag, size, last_modified, kind, truck_id, batch_date, state,
                       rows_read, rows_loaded, rows_rejected, pence_loaded, first_sale_at, last_sale_at)
                   VALUES (:k, 'x', 1, now(), 'sales', 1, '2026-10-31', 'loaded', :read, :loaded, :rejected, :pence,
                           :first, :last)
                   RETURNING file_id"""),
        row,
    ).scalar_one()
    for number, (moment, (_, pence)) in enumerate(zip(moments, sales, strict=True), 1):
        day = moment.date()
        db.execute(sa.text("SELECT core.ensure_month(:day)"), {"day": day})
        db.execute(
            sa.text("""INSERT INTO core.sale (truck_id, file_id, row_number, sold_at, business_date, local_hour,
                           payment_type, total_pence) VALUES (1, :file, :number, :at, :day, 12, 'card', :pence)"""),
            {"file": file_id, "number": number, "at": moment, "day": day, "pence": pence},
        )
        sold(db, (1, day, number, "card", 1, pence))
    for number in range(1, rejected + 1):
        db.execute(
            sa.text("""INSERT INTO ops.rejected_row (file_id, row_number, truck_id, reason, business_date, status)
                       VALUES (:file, :number, 1, 'void', '2026-10-31', 'open')"""),
            {"file": file_id, "number": len(sales) + number},
        )


def test_the_ledger_agrees_with_the_sales_and_says_by_how_much_it_does_not(db: sa.Connection):
    """A file with a sale on either side of the end of October and a reject; then a sale that no file has."""
    _file(db, "a", (0, 300), (1, 400), rejected=1)
    db.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))  # as a commit does: the rollup of rejects is made then
    found = metrics.reconciliation(db, OCTOBER)
    assert (found.ledger_files, found.ledger_rows_read, found.ledger_rows_rejected) == (1, 3, 1)
    assert (found.other_days_rows, found.other_days_pence) == (1, 400)
    assert (found.transactions, found.gross_sales_pence, found.agrees) == (1, 300, True)
    sold(db, (1, date(2026, 10, 30), 12, "card", 1, 55))
    found = metrics.reconciliation(db, OCTOBER)
    assert (found.rows_difference, found.pence_difference, found.agrees) == (-1, -55, False)


def test_a_row_that_is_not_loaded_counts_on_its_own_day_in_both_sums(db: sa.Connection):
    """Of a file's four rejects one is dated to 2100, one to 1970; a file of July has one that is dated to October."""
    _file(db, "a", (0, 300), rejected=4)
    _file(db, "b", (-100, 200), rejected=2)
    db.execute(sa.text("UPDATE ops.source_file SET batch_date = '2026-07-23' WHERE key = 'b'"))
    db.execute(
        sa.text("""UPDATE ops.rejected_row SET business_date = CASE row_number WHEN 2 THEN date '2100-01-01'
                              WHEN 3 THEN date '1970-01-01' ELSE business_date END WHERE file_id =
                              (SELECT file_id FROM ops.source_file WHERE key = 'a')""")
    )
    db.execute(
        sa.text("""UPDATE ops.rejected_row SET business_date = '2026-07-23' WHERE row_number = 2 AND file_id =
                              (SELECT file_id FROM ops.source_file WHERE key = 'b')""")
    )
    db.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))  # as a commit does: the rollup of rejects is made then
    found, quality = metrics.reconciliation(db, OCTOBER), metrics.data_quality(db, OCTOBER)
    assert (found.ledger_rows_read, found.other_days_rejected, found.elsewhere_rejected) == (5, 2, 1)
    assert (found.rows_read, found.rows_rejected) == (quality.rows_read, quality.rows_rejected) == (4, 3)
    assert found.statement()[["line", "rows"]].values.tolist() == [
        ["Rows of the files", 5], ["less rows not loaded, dated to other days", -2],
        ["plus rows not loaded, in files of other days", 1], ["Rows read", 4], ["less rows not loaded", -3],
        ["Sales in the figures", 1], ["Unexplained", 0]]  # fmt: skip
    assert found.agrees
    db.execute(sa.text("INSERT INTO mart.rejected_daily VALUES (1, '2026-10-02', 'void', 1)"))
    assert metrics.reconciliation(db, OCTOBER).rows_difference == -1


def test_months_of_which_not_every_day_counts_are_known(db: sa.Connection, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(business_day, "today", lambda now=None: date(2026, 11, 4))
    sold(db, (1, date(2026, 7, 9), 12, "card", 1, 100), (1, date(2026, 11, 4), 12, "card", 1, 100))
    spans = {
        (date(2026, 6, 1), date(2026, 10, 31)): [["2026-07-01", "2026-07-09", "2026-07-31"]],
        (date(2026, 8, 1), date(2026, 10, 31)): [],
        (date(2026, 7, 9), date(2026, 11, 30)): [["2026-07-01", "2026-07-09", "2026-07-31"],
                                                 ["2026-11-01", "2026-11-01", "2026-11-04"]],
        (date(2026, 8, 3), date(2026, 8, 20)): [["2026-08-01", "2026-08-03", "2026-08-20"]],
        (date(2026, 5, 1), date(2026, 6, 30)): [],  # before the data
    }  # fmt: skip
    for days, partial in spans.items():
        assert metrics.partial_months(db, Scope(*days)).astype(str).values.tolist() == partial, days


def test_a_part_of_a_day_is_not_reconciled_with_files(db: sa.Connection):
    with pytest.raises(ValueError, match="whole days"):
        metrics.reconciliation(db, Scope(OCTOBER.first, OCTOBER.last, payments=("card",)))


def test_the_share_of_clean_rows_is_given_by_month(db: sa.Connection):
    sold(db, (1, date(2026, 9, 30), 12, "card", 3, 900), (1, date(2026, 10, 1), 12, "card", 9, 900))
    db.execute(sa.text("INSERT INTO mart.rejected_daily VALUES (1, '2026-10-01', 'void', 1)"))
    found = metrics.clean_rate(db, Scope(date(2026, 9, 1), date(2026, 10, 31)))
    assert found[["rows_read", "rows_loaded", "rows_rejected", "clean_pct"]].values.tolist() == [
        [3, 3, 0, 100.0],
        [10, 9, 1, 90.0],
    ]
    assert found["period_first"].tolist() == [date(2026, 9, 1), date(2026, 10, 1)]


def test_without_sales_the_pack_is_empty(db: sa.Connection):
    for figure in (metrics.trailing_by_truck, metrics.trailing_months, metrics.seasonality, metrics.ramp,
                   metrics.clean_rate):  # fmt: skip
        assert isinstance(found := figure(db, OCTOBER), pd.DataFrame)
        assert found.empty, figure.__name__
    assert metrics.reconciliation(db, OCTOBER).agrees


def test_a_month_whose_last_day_still_trades_is_no_whole_one(db: sa.Connection, monkeypatch: pytest.MonkeyPatch):
    sold(db, (1, date(2026, 7, 1), 12, "card", 1, 100), (1, date(2026, 10, 31), 12, "card", 1, 100))
    monkeypatch.setattr(business_day, "today", lambda now=None: OCTOBER.last)
    [row] = metrics.partial_months(db, OCTOBER).itertuples()
    assert part_of_month(row.first_day, row.last_day) == "to 31 Oct"
    monkeypatch.setattr(business_day, "today", lambda now=None: OCTOBER.last + timedelta(1))
    assert metrics.partial_months(db, OCTOBER).empty
