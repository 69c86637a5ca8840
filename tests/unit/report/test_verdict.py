"""The verdict is made from the figures: literal figures in, sentences out."""

import pytest

from tests.support.reporting import figures, rows, totals, typical, verdict


def test_good_day_says_how_much_and_why():
    said = verdict(figures(totals(112_000, 140), totals(100_000, 125), typical(100_000, 125)))
    assert said.headline_text == "£1,120.00 taken, 12% above a usual Friday."
    assert said.sentences_text == (
        "That is 12% above last Friday's £1,000.00. "
        "More sales than usual were made (140, +12%), and the average ticket was as usual."
    )


def test_bad_day_says_how_much_and_why():
    said = verdict(figures(totals(90_000, 110), totals(100_000, 100), typical(100_000, 100)))
    assert said.headline_text == "£900.00 taken, 10% below a usual Friday."
    assert (
        "More sales than usual were made (110, +10%), but the average ticket was lower (£8.18, −18%)."
        in said.sentences_text
    )


def test_small_change_is_no_change():
    said = verdict(figures(totals(101_000, 101), totals(100_000, 100), typical(100_000, 100)))
    assert said.headline_text == "£1,010.00 taken, in line with a usual Friday."
    assert said.sentences_text == (
        "That is in line with last Friday's £1,000.00. The number of sales and the average ticket are both as usual."
    )


def test_last_week_and_the_usual_may_disagree():
    said = verdict(figures(totals(90_000, 90), totals(80_000, 80), typical(100_000, 100)))
    assert "10% below a usual Friday" in said.headline_text
    assert "That is 13% above last Friday's £800.00." in said.sentences_text


def test_first_week_compares_with_nothing():
    said = verdict(figures(totals(70_000, 100)))
    assert said.headline_text == "£700.00 taken on Friday."
    assert said.sentences_text == (
        "100 sales, £7.00 each on average, £700.00 together. There is no earlier Friday to compare with yet."
    )


def test_second_week_compares_with_the_one_before():
    said = verdict(figures(totals(70_000, 100), totals(50_000, 100), typical(50_000, 100, weeks=1)))
    assert said.headline_text == "£700.00 taken, 40% above last Friday."
    assert "last Friday's" not in said.sentences_text


def test_day_without_sales_says_so_and_what_is_usual():
    said = verdict(figures(totals(0, 0), totals(50_000, 50), typical(48_000, 50)))
    assert said.headline_text == "No sales are recorded for Friday 20 November."
    assert said.sentences_text.startswith("A usual Friday takes £480.00.")


def test_day_without_sales_ever():
    assert verdict(figures(totals(0, 0))).sentences_text == "There is no earlier Friday to compare with yet."


def test_usual_of_nothing_is_not_divided_by():
    said = verdict(figures(totals(70_000, 100), totals(0, 0), typical(0, 0)))
    assert said.headline_text == "£700.00 taken on Friday."


def test_closed_last_week_is_said():
    said = verdict(figures(totals(70_000, 100), totals(0, 0), typical(60_000, 100)))
    assert said.sentences_text.startswith("Nothing was sold last Friday.")


def test_one_sale_is_one_sale():
    assert verdict(figures(totals(700, 1))).sentences_text.startswith("1 sale, £7.00")


def test_truck_that_moved_the_day_is_named():
    trucks = rows(
        "truck_id",
        (1, "Burrito Madness", 100, 90_000, 50, 60_000, 50, 60_000),
        (2, "Kings of Kebabs", 40, 22_000, 50, 40_000, 50, 40_000),
        label="truck",
    )
    day = figures(totals(112_000, 140), totals(100_000, 100), typical(100_000, 100), trucks=trucks)
    assert verdict(day).sentences_text.endswith("The largest change is Burrito Madness, £300.00 above its usual.")


def test_week_that_lacked_a_truck_is_named():
    trucks = rows(
        "truck_id",
        (1, "Burrito Madness", 50, 50_000, 50, 50_000, 50, 50_000),
        (2, "Kings of Kebabs", 50, 50_000, 0, 0, 40, 40_000),
        label="truck",
    )
    day = figures(totals(100_000, 100), totals(50_000, 50), typical(90_000, 90), trucks=trucks)
    assert "That is 100% above last Friday's £500.00, when Kings of Kebabs had no sales." in verdict(day).sentences_text


def test_culinary_readers_get_the_number_of_sales():
    day = figures(totals(90_000, 110), totals(100_000, 100), typical(100_000, 100), edition_name="culinary")
    assert verdict(day).headline_text == "110 sales, 10% above a usual Friday."
    assert verdict(day).subject_text == "T3 Menus and demand, Fri 20 Nov 2026: 110 sales, 10% above usual"


@pytest.mark.parametrize(
    ("sales", "usual", "line"),
    [
        (totals(112_000, 140), typical(100_000, 125), "£1,120.00, 12% above usual"),
        (totals(99_900, 140), typical(100_000, 125), "£999.00, in line with usual"),
        (totals(70_000, 100), None, "£700.00"),
        (totals(0, 0), typical(100_000, 125), "no sales"),
    ],
)
def test_subject_carries_date_and_figure(sales, usual, line):
    assert verdict(figures(sales, usual, usual)).subject_text == f"T3 Morning figures, Fri 20 Nov 2026: {line}"
