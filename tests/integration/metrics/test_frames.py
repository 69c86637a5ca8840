"""Tables and charts for notebooks, over a small database."""

from datetime import date

import pandas as pd
import pytest
import sqlalchemy as sa

from t3lib import charts, metrics, warehouse

WEEK = metrics.Scope(date(2026, 11, 2), date(2026, 11, 8))


@pytest.fixture
def sold(database):
    """Three burritos for £21.00 on Wednesday and Thursday, a smoothie for £4.99 on Thursday."""
    with warehouse.connect() as db:
        db.execute(
            sa.text("INSERT INTO core.truck (truck_id, name) VALUES (1, 'Burrito Madness'), (6, 'SuperSmoothie')")
        )
        db.execute(
            sa.text("""INSERT INTO mart.sales_hourly VALUES
            (1, '2026-11-04', 13, 0, 'card', 1, 700), (1, '2026-11-05', 13, 0, 'card', 2, 1400),
            (6, '2026-11-05', 14, 0, 'cash', 1, 499)""")
        )
        db.execute(
            sa.text("INSERT INTO core.cost (cost, amount, per, from_date) VALUES ('vat', 20, 'percent', '2026-01-01')")
        )


@pytest.mark.parametrize("name", metrics.figures())
def test_every_breakdown_is_tidy_with_and_without_sales(sold, name):
    empty = metrics.Scope(date(2026, 12, 1), date(2026, 12, 2))
    for table in (metrics.frame(name, WEEK), metrics.frame(name, empty)):
        assert table.attrs["grain"].startswith("One row per ")
        for column in table.columns:
            if column in ("truck", "location", "payment_type", "menu_type"):
                assert isinstance(table[column].dtype, pd.CategoricalDtype), column
            if column in ("business_date", "period_first", "batch_date", "first_sale_on"):
                assert table[column].dtype.kind == "M", column
            if column.endswith("_pence"):
                assert table[column].dropna().map(lambda pence: pence == int(pence)).all(), column
        assert not [column for column in metrics.pounds(table).columns if column.endswith("_pence")]
    assert metrics.sql(name, WEEK).lstrip().upper().startswith(("WITH", "SELECT"))


def test_the_shown_query_gives_the_figure(sold):
    with warehouse.connect() as db:
        assert db.exec_driver_sql(metrics.sql("by_truck", WEEK).replace("%", "%%")).all()[0][1:4] == (
            "Burrito Madness", 3, 2100)  # fmt: skip


def test_hash_joins_end_with_the_block_or_with_the_savepoint_that_failed(sold):
    names = ("enable_nestloop", "enable_mergejoin", "jit")
    with warehouse.connect() as db:
        before = [db.exec_driver_sql(f"SHOW {name}").scalar() for name in names]
        with warehouse.hash_joins(db):
            assert [db.exec_driver_sql(f"SHOW {name}").scalar() for name in names] == ["off"] * 3
        assert [db.exec_driver_sql(f"SHOW {name}").scalar() for name in names] == before
        with pytest.raises(sa.exc.DataError), db.begin_nested(), warehouse.hash_joins(db):
            db.exec_driver_sql("SELECT 1 / 0")
        assert [db.exec_driver_sql(f"SHOW {name}").scalar() for name in names] == before


def test_an_unknown_breakdown_is_refused_with_those_there_are(sold):
    with pytest.raises(ValueError, match=r"there is no breakdown 'by_driver'; there are .*by_truck"):
        metrics.frame("by_driver", WEEK)


def test_charts_of_nothing_are_drawn(sold):
    empty = metrics.frame("by_day_and_truck", metrics.Scope(date(2026, 12, 1), date(2026, 12, 2)))
    assert charts.bars(empty, "truck", "gross_sales_pence").text.endswith("by truck: nothing.")
    assert charts.lines(empty, "business_date", "transactions", "truck").png.startswith(b"\x89PNG")
    assert "<table" in charts.table(empty).to_html()


def test_a_day_with_all_trucks_at_one_place_is_a_gathering(database):
    with warehouse.connect() as db:
        db.execute(sa.text("INSERT INTO core.location VALUES (4, 'Alnfield Park')"))
        db.execute(
            sa.text("""INSERT INTO mart.sales_hourly VALUES
            (1, '2026-11-04', 13, 4, 'card', 1, 700), (2, '2026-11-04', 13, 4, 'card', 1, 700),
            (1, '2026-11-05', 13, 4, 'card', 1, 700), (2, '2026-11-05', 13, 1, 'card', 1, 700),
            (1, '2026-11-06', 13, 4, 'card', 1, 700),
            (1, '2026-11-07', 13, 0, 'card', 1, 700), (2, '2026-11-07', 13, 0, 'card', 1, 700)""")
        )
    found = metrics.frame("gatherings", WEEK)
    assert found[["location", "trucks"]].values.tolist() == [["Alnfield Park", 2]]
    assert found["business_date"].tolist() == [pd.Timestamp("2026-11-04")]


def test_figures_that_are_no_table_are_shown_as_people_read_them():
    shown = metrics.Contribution(2599, {"<b>wages</b>": 1200, "vat": 433}, 0)._repr_html_()
    assert "&lt;b&gt;wages&lt;/b&gt;</td><td>£12.00</td>" in shown
    assert "contribution</td><td>£9.66</td>" in shown
    assert "margin</td><td>37.2%</td>" in shown
    quality = metrics.DataQuality(3, 12733, 12732, 1, {"void": 1})._repr_html_()
    assert "rows read</td><td>12,733</td>" in quality
    assert "void</td><td>1</td>" in quality
    assert "average ticket</td><td>–</td>" in metrics.Totals(0, 0, None, None)._repr_html_()
    assert WEEK._repr_markdown_() == "7 business days, Mon 2 Nov 2026 to Sun 8 Nov 2026"
    lunch = metrics.Scope(WEEK.last, WEEK.last, trucks=(1, 6), payments=("card",), until_hour=15)
    assert lunch._repr_markdown_() == (
        "1 business day, Sun 8 Nov 2026 to Sun 8 Nov 2026; to 15:00; truck 1, 6; payment card"
    )


def test_a_table_says_yes_and_no_and_sets_words_to_the_left(sold):
    trucks = metrics.frame("by_truck", WEEK).assign(is_new=[True, False])
    shown = charts.table(trucks).to_html()
    assert shown.count(">yes<") == shown.count(">no<") == 1
    assert ".col1 {\n  text-align: left" in shown
    assert "col2 {" not in shown
