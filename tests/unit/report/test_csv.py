"""The CSV that is attached to a mail: its columns, its sums, and hostile names in it."""

from tests.support.reporting import envelope, figures, rows, totals, typical

USUAL = (totals(100_000, 125), typical(100_000, 125))


def test_csv_starts_with_the_sum_of_all_trucks():
    text = envelope(figures(totals(112_000, 140), *USUAL)).content["csv"]["t3-2026-11-20-cfo.csv"]
    header, everyone, *_ = text.splitlines()
    assert header.startswith("business_date,truck_id,truck,transactions,")
    assert everyone == "2026-11-20,,All trucks,140,125,125,1120.00,1000.00,1000.00"


def test_hostile_names_are_inert_in_the_csv():
    names = enumerate(("=HYPERLINK(1)", '+1,"2'))
    trucks = rows("truck_id", *((n, name, 10, 7_000, 9, 6_300, 8, 5_600) for n, name in names), label="truck")
    day = figures(totals(20_000, 20), *USUAL, trucks=trucks)
    text = envelope(day).content["csv"]["t3-2026-11-20-cfo.csv"]
    assert ",'=HYPERLINK(1)," in text
    assert ""","'+1,""2",""" in text
