"""Figures from a few rows that a person can add up."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from t3lib import metrics
from t3lib.metrics import Scope

SUNDAY = date(2025, 11, 23)
SATURDAY = date(2025, 11, 22)


def sold(db: sa.Connection, *rows: tuple[int, date, int, str, int, int]) -> None:
    """Rows (truck, business date, hour, payment, transactions, pence) of the hourly rollup."""
    insert = sa.text("INSERT INTO mart.sales_hourly VALUES (:t, :d, :h, 0, :p, :n, :pence)")
    db.execute(insert, [dict(zip(("t", "d", "h", "p", "n", "pence"), row, strict=True)) for row in rows])


def named(db: sa.Connection, names: dict[int, str], card: bool = True) -> None:
    insert = sa.text("INSERT INTO core.truck (truck_id, name, has_card_reader) VALUES (:i, :n, :c)")
    db.execute(insert, [{"i": i, "n": n, "c": card} for i, n in names.items()])


def weekly(first: date, weeks: int) -> Iterable[date]:
    return (first - timedelta(weeks=n) for n in range(1, weeks + 1))


@pytest.fixture
def two_days(db: sa.Connection) -> sa.Connection:
    """Truck 1: Saturday 13:00 card 2 for £10, cash 1 for £5; Sunday 00:30 still Saturday, card 1 for £2.
    Truck 2: Sunday 13:00 cash 3 for £9.01."""
    named(db, {1: "Burrito Madness", 2: "Kings of Kebabs"})
    sold(
        db,
        (1, SATURDAY, 13, "card", 2, 1000),
        (1, SATURDAY, 13, "cash", 1, 500),
        (1, SATURDAY, 0, "card", 1, 200),
        (2, SUNDAY, 13, "cash", 3, 901),
    )
    return db


def test_totals_add_up_and_the_average_ticket_is_rounded_half_up(two_days: sa.Connection):
    found = metrics.totals(two_days, Scope(SATURDAY, SUNDAY))
    assert (found.gross_sales_pence, found.transactions, found.average_ticket_pence) == (2601, 7, 372)
    assert found.card_share_pct == pytest.approx(100 * 1200 / 2601)


def test_an_empty_scope_is_zeros_and_no_shares(two_days: sa.Connection):
    empty = Scope(date(2020, 1, 1), date(2020, 1, 2))
    assert metrics.totals(two_days, empty) == metrics.Totals(0, 0, None, None)
    assert metrics.by_day(two_days, empty).empty
    assert metrics.by_payment(two_days, empty).empty
    assert metrics.by_truck(two_days, empty)["gross_sales_pence"].tolist() == [0, 0]


def test_a_database_without_sales_answers_too(db: sa.Connection):
    scope = Scope(SATURDAY, SUNDAY)
    assert metrics.data_range(db) is None
    assert metrics.typical(db, scope) is None
    assert metrics.by_day(db, scope).empty
    assert metrics.typical_by_hour(db, scope).empty
    assert metrics.attention(db, SUNDAY) == []
    assert metrics.data_quality(db, scope) == metrics.DataQuality(0, 0, 0, 0)


@pytest.mark.parametrize(
    ("limits", "pence"),
    [
        ({"trucks": (1,)}, 1700),
        ({"payments": ("cash",)}, 1401),
        ({"trucks": (1,), "payments": ("cash",)}, 500),
        ({"locations": (0,)}, 2601),
        ({"locations": (7,)}, 0),
        ({"trucks": (99,)}, 0),
    ],
)
def test_filters_keep_what_they_name(two_days: sa.Connection, limits: dict, pence: int):
    assert metrics.totals(two_days, Scope(SATURDAY, SUNDAY, **limits)).gross_sales_pence == pence


def test_an_hour_after_midnight_comes_last_in_its_business_day(two_days: sa.Connection):
    scope = Scope(SATURDAY, SATURDAY)
    assert metrics.by_hour(two_days, scope)["local_hour"].tolist() == [13, 0]
    until = [
        metrics.totals(two_days, Scope(SATURDAY, SATURDAY, until_hour=h)).gross_sales_pence for h in (4, 13, 14, 0, 1)
    ]
    assert until == [0, 0, 1500, 1500, 1700]


def test_until_hour_cuts_the_last_day_only(two_days: sa.Connection):
    assert metrics.totals(two_days, Scope(SATURDAY, SUNDAY, until_hour=12)).gross_sales_pence == 1700


def test_days_without_sales_are_zeros_between_days_with_sales(two_days: sa.Connection):
    sold(two_days, (1, date(2025, 11, 19), 12, "card", 1, 100))
    frame = metrics.by_day(two_days, Scope(date(2025, 11, 1), date(2025, 11, 30)))
    assert frame["business_date"].tolist() == [date(2025, 11, d) for d in (19, 20, 21, 22, 23)]
    assert frame["gross_sales_pence"].tolist() == [100, 0, 0, 1700, 901]
    assert frame["average_ticket_pence"].isna().tolist() == [False, True, True, False, False]


def test_a_truck_that_details_lack_is_shown_under_its_number(two_days: sa.Connection):
    sold(two_days, (9, SUNDAY, 12, "card", 1, 799))
    frame = metrics.by_truck(two_days, Scope(SUNDAY, SUNDAY))
    assert dict(zip(frame["truck"], frame["gross_sales_pence"], strict=True)) == {
        "Burrito Madness": 0,
        "Kings of Kebabs": 901,
        "Truck 9 (not in details.xlsx)": 799,
    }


def test_breakdowns_add_up_to_the_total(two_days: sa.Connection):
    scope = Scope(SATURDAY, SUNDAY)
    total = metrics.totals(two_days, scope)
    for breakdown in (
        metrics.by_day,
        metrics.by_truck,
        metrics.by_hour,
        metrics.by_hour_and_truck,
        metrics.by_payment,
    ):
        frame = breakdown(two_days, scope)
        assert frame["gross_sales_pence"].sum() == total.gross_sales_pence, breakdown.__name__
        assert frame["transactions"].sum() == total.transactions, breakdown.__name__
    assert metrics.by_payment(two_days, scope)["share_pct"].sum() == pytest.approx(100)


def test_the_hour_that_comes_twice_when_clocks_go_back_is_one_row(db: sa.Connection):
    saturday = date(2025, 10, 25)  # at 02:00 BST on Sunday the clocks go back: the hour from 1 comes twice
    sold(db, (2, saturday, 1, "card", 4, 2000), (2, saturday, 23, "card", 1, 500))
    frame = metrics.by_hour(db, Scope(saturday, saturday))
    assert frame[["local_hour", "transactions"]].values.tolist() == [[23, 1], [1, 4]]


def test_prices_are_counted_by_truck(two_days: sa.Connection):
    two_days.execute(
        sa.text("INSERT INTO mart.price_daily VALUES (1, :d, 500, 3), (1, :e, 500, 1), (1, :d, 200, 1)"),
        {"d": SATURDAY, "e": SUNDAY},
    )
    frame = metrics.by_price(two_days, Scope(SATURDAY, SUNDAY))
    assert frame[["price_pence", "transactions", "gross_sales_pence"]].values.tolist() == [
        [200, 1, 200],
        [500, 4, 2000],
    ]
    with pytest.raises(ValueError, match="by day and truck"):
        metrics.by_price(two_days, Scope(SATURDAY, SUNDAY, payments=("card",)))


def test_typical_is_the_mean_of_the_weeks_that_are_held(db: sa.Connection):
    one, two = weekly(SUNDAY, 2)
    sold(db, (1, one, 12, "card", 2, 1000), (1, two, 12, "cash", 1, 501), (1, SUNDAY, 12, "card", 9, 9999))
    found = metrics.typical(db, Scope(SUNDAY, SUNDAY), weeks=4)
    assert found == metrics.Typical(751, 2, 500, found.card_share_pct, weeks=2)
    assert found.card_share_pct == pytest.approx(100 * 1000 / 1501)
    assert metrics.typical(db, Scope(two, two)) is None


def test_a_week_without_sales_counts_as_zero_once_data_began(db: sa.Connection):
    one, _, three = weekly(SUNDAY, 3)
    sold(db, (1, three, 12, "card", 1, 300), (1, one, 12, "card", 1, 600))
    assert metrics.typical(db, Scope(SUNDAY, SUNDAY)).gross_sales_pence == 300


def test_typical_hours_are_whole_days_in_the_order_of_the_business_day(db: sa.Connection):
    one, two = weekly(SUNDAY, 2)
    sold(db, (1, one, 0, "card", 1, 100), (1, one, 18, "card", 1, 400), (1, two, 18, "card", 1, 201))
    frame = metrics.typical_by_hour(db, Scope(SUNDAY, SUNDAY, until_hour=12))
    assert frame.values.tolist() == [[18, 301], [0, 50]]


def test_a_day_still_trading_is_complete_until_the_hour_of_its_last_sale(db: sa.Connection):
    noon = datetime(2025, 11, 23, 12, 40, tzinfo=UTC)
    assert metrics.complete_until(db, SUNDAY, noon) == 4
    db.execute(sa.text("UPDATE mart.watermark SET version = 3, last_sale_at = '2025-11-23 11:58+00'"))
    assert metrics.complete_until(db, SUNDAY, noon) == 11
    assert metrics.complete_until(db, SATURDAY, noon) is None
    assert metrics.freshness(db).version == 3


def test_rows_behind_a_scope_reconcile(two_days: sa.Connection):
    file = """INSERT INTO ops.source_file (key, etag, size, last_modified, kind, truck_id, batch_date, state)
              VALUES ('a', 'x', 1, now(), 'sales', :truck, :day, 'new') RETURNING file_id"""
    file_id = two_days.execute(sa.text(file), {"truck": 1, "day": SATURDAY}).scalar_one()
    two_days.execute(
        sa.text("""INSERT INTO ops.rejected_row (file_id, row_number, truck_id, reason, business_date, status)
                   VALUES (:f, 1, 1, 'void', :d, 'open'), (:f, 2, 1, 'void', NULL, 'open'),
                          (:f, 3, 1, 'zero', :d, 'repaired')"""),
        {"f": file_id, "d": SATURDAY},
    )
    two_days.execute(sa.text("SET CONSTRAINTS ops.rejected_folds IMMEDIATE"))
    found = metrics.data_quality(two_days, Scope(SATURDAY, SATURDAY))
    assert (found.rows_read, found.rows_loaded, found.rows_rejected) == (6, 4, 2)
    assert found.rejected == {"void": 2}
    assert metrics.data_quality(two_days, Scope(SATURDAY, SUNDAY, trucks=(2,))).rejected == {}


def test_a_truck_without_its_usual_sales_needs_attention_first(db: sa.Connection):
    named(db, {1: "Burrito Madness", 2: "Kings of Kebabs", 3: "Cupcakes by Michelle"})
    for day in weekly(SUNDAY, 8):
        sold(db, *((truck, day, 13, "card", 20, 10000) for truck in (1, 2, 3)))
    sold(db, (2, SUNDAY, 13, "cash", 20, 10000), (3, SUNDAY, 13, "card", 10, 4000))
    found = metrics.attention(db, SUNDAY)
    assert [(item.kind, item.truck_id) for item in found] == [
        ("silent", 1),
        ("card_reader", 2),
        ("sales_low", 3),
    ]
    assert found[2].text == "Cupcakes by Michelle is 60% below its usual £100.00"


def test_an_ordinary_day_needs_no_attention(db: sa.Connection):
    named(db, {1: "Burrito Madness"})
    for day in (*weekly(SUNDAY, 8), SUNDAY):
        sold(db, (1, day, 13, "card", 20, 10000))
    assert metrics.attention(db, SUNDAY) == []
