"""Sections of a report: what they say, and what they do with hostile or missing input."""

import json
import re
from datetime import date, time
from io import BytesIO

import matplotlib.image
import pandas as pd
import pytest

from t3lib import period, report
from t3lib.charts.palette import LIGHT
from t3lib.editions import edition, editions, schema, wrong_addresses
from t3lib.metrics import Attention
from t3lib.metrics.money.contribution import Contribution
from t3lib.report import chart
from t3lib.report.links import dashboard
from t3lib.settings import ROOT, SettingsError, settings
from tests.support.reporting import FRIDAY, envelope, figures, rows, section, totals, typical, verdict

HOSTILE = "<script>alert(1)</script>\r\nBcc: everyone"
USUAL = (totals(100_000, 125), typical(100_000, 125))


def html(block):
    bundle = block._repr_mimebundle_()
    return (bundle[0] if isinstance(bundle, tuple) else bundle)["text/html"]


def trucks(*names):
    return rows("truck_id", *((n, name, 10, 7_000, 9, 6_300, 8, 5_600) for n, name in enumerate(names)), label="truck")


def test_tiles_compare_with_last_week_and_the_usual():
    text = section("tiles", figures(totals(112_000, 140), *USUAL)).text
    assert "Sales:           £1,120.00  (+12% vs last Fri; +12% vs usual)" in text


def test_one_long_figure_makes_every_tile_smaller():
    assert html(section("tiles", figures(totals(2_337_957, 3_475)))).count("font-size: 17px") == 4
    assert "font-size: 17px" not in html(section("tiles", figures(totals(112_000, 140))))


def test_tiles_of_the_first_week_compare_with_nothing():
    assert "(" not in section("tiles", figures(totals(112_000, 140))).text


def test_tiles_of_a_day_without_sales_divide_by_nothing():
    text = section("tiles", figures(totals(0, 0), *USUAL, edition_name="culinary")).text
    assert "Average ticket:  –" in text
    assert "Busiest hour:    –" in text


@pytest.mark.parametrize(("size", "money"), [(845_000, True), (94_000_00, True), (9_400, False), (600_00, True)])
def test_scale_of_a_chart_fits_into_the_picture(size, money):
    png = chart.by_hour([chart.Hour("Sat", size, None)], ("this week", "usual week"), money, LIGHT)
    left_edge = matplotlib.image.imread(BytesIO(png))[:, :4]
    assert (left_edge == left_edge[0, 0]).all()


def test_worst_change_is_first():
    day = figures(
        totals(20_000, 20), *USUAL,
        trucks=rows("truck_id", (1, "Up", 1, 900, 1, 100, 1, 100), (2, "Down", 1, 100, 1, 900, 1, 900), label="truck"),
    )  # fmt: skip
    text = section("trucks", day).text
    assert text.index("Down") < text.index("Up")
    assert "−£8.00 −89%" in text


def test_long_tables_end_in_the_csv():
    day = figures(totals(20_000, 20), *USUAL, trucks=trucks(*(f"Truck {n}" for n in range(30))))
    shown = section("trucks", day)
    assert html(shown).count("<tr>") == 1 + day.edition.rows
    assert "18 more are in the attached CSV." in shown.text
    assert envelope(day).content["csv"]["t3-2026-11-20-cfo.csv"].count("Truck ") == 30


def test_tables_have_at_most_four_columns():
    day = figures(totals(20_000, 20), *USUAL, edition_name="culinary")
    for block in (section("trucks", day), section("prices", day)):
        assert html(block).count("<th") <= 4


def test_hostile_names_are_shown_not_run():
    attention = (Attention("silent", 0, HOSTILE, f"{HOSTILE} has no sales"),)
    day = figures(totals(20_000, 20), *USUAL, trucks=trucks(HOSTILE, "Eels"), attention=attention)
    for block in (verdict(day).block, section("attention", day), section("trucks", day)):
        assert "<script" not in html(block)
        assert "\nBcc" not in block.text


def test_sections_of_other_editions_show_nothing():
    assert section("payments", figures(totals(1, 1), edition_name="culinary")) is None
    assert section("prices", figures(totals(1, 1), edition_name="cfo")) is None


def test_missing_input_names_its_file():
    assert "Needs metadata/costs.csv" in section("contribution", figures(totals(1, 1))).text
    culinary = figures(totals(1, 1), edition_name="culinary")
    assert "Needs metadata/menu.csv" in section("menus", culinary).text
    assert "Needs metadata/pitches.csv" in section("places", culinary).text


def test_profit_by_truck_says_what_an_hour_brings_and_costs_in_labour():
    inputs = {"menu": True, "pitches": True, "costs": True}
    text = " ".join(section("profit", figures(totals(2_599, 4), inputs=inputs)).text.split())
    assert "SuperSmoothie £0.96 £4.99 40.1%" in text
    assert "A trading hour brings £8.66 and costs £4.00 of labour, 46.2% of sales;" in text
    assert section("profit", figures(totals(2_599, 4))) is None


def test_contribution_is_a_statement_that_adds_up():
    found = Contribution(100_000, {"Cost of goods": 35_000, "vat": 16_667, "pitch_fee": 6_000}, 500)
    day = figures(totals(100_000, 125), contribution=found, inputs={"menu": True, "pitches": True, "costs": True})
    text = section("contribution", day).text
    assert "VAT" in text
    assert "Pitch fee" in text
    assert "£423.33     42.3%" in text
    assert "£5.00 of sales have no cost of goods" in text


def test_calm_day_says_so():
    assert "Nothing out of the ordinary." in section("attention", figures(totals(112_000, 140), *USUAL)).text


def test_calm_is_not_claimed_without_history_or_sales():
    assert "Too few Fridays are known yet" in section("attention", figures(totals(1, 1))).text
    assert "No truck has a sale." in section("attention", figures(totals(0, 0), *USUAL)).text


def test_trucks_that_are_never_out_are_counted_not_listed():
    fleet = rows("truck_id", (1, "Up", 1, 900, 1, 100, 1, 100), (2, "Laid up", 0, 0, 0, 0, 0, 0), label="truck")
    text = section("trucks", figures(totals(900, 1), *USUAL, trucks=fleet)).text
    assert "1 truck had no sales, as usual." in text
    assert "Laid up" not in text


def test_truck_that_was_not_out_last_week_is_not_compared_with_it():
    fleet = rows("truck_id", (1, "Kings of Kebabs", 1, 900, 0, 0, 1, 100), label="truck")
    text = section("trucks", figures(totals(900, 1), *USUAL, trucks=fleet)).text
    assert "none then  +£8.00 +800%" in text


def test_first_week_has_no_columns_of_dashes():
    day = figures(totals(112_000, 140))
    assert "vs" not in section("trucks", day).text
    assert "vs" not in section("payments", day).text


def test_attention_uses_the_usual_of_the_report():
    silent = Attention("silent", 1, "Burrito Madness", "Burrito Madness has no sales; by now it usually has £9.99")
    fleet = rows("truck_id", (1, "Burrito Madness", 0, 0, 5, 4_000, 5, 5_000), label="truck")
    text = section("attention", figures(totals(1, 1), *USUAL, trucks=fleet, attention=(silent,))).text
    assert "Burrito Madness has no sales; usually £50.00." in text


def test_operators_see_why_rows_were_not_loaded():
    text = section("rejects", figures(totals(112_000, 140), edition_name="operations")).text
    assert "The sale was voided on the till." in text
    assert "2          1.4%" in text


def test_picture_says_its_figure():
    day = figures(totals(112_000, 140), *USUAL)
    _, metadata = section("hours", day)._repr_mimebundle_()
    assert "£1,120.00 over the day" in metadata["image/png"]["alt"]


def test_day_without_any_hour_has_no_picture():
    assert section("hours", figures(totals(0, 0), hours=rows("local_hour"))) is None


def test_hours_run_on_past_midnight():
    day = figures(totals(2_000, 2), hours=rows("local_hour", (0, "", 1, 1_000), (23, "", 1, 1_000)))
    text = section("hours", day).text
    assert text.index("11pm") < text.index("12am")


def test_note_says_what_the_figures_are_based_on():
    text = report.data_note(figures(totals(112_000, 140), *USUAL)).text
    said = " ".join(text.split())
    assert "From 4 files: 142 rows read, 140 loaded, 2 not loaded (1.4%)." in said
    assert "Last load 04:40 on Saturday 21 November 2026." in said
    assert "04:00 to 04:00 the next day, Europe/London time" in said
    assert max(map(len, text.splitlines())) <= 72


def test_note_tells_which_earlier_days_changed():
    restated = pd.DataFrame(
        [
            [date(2026, 11, 18), 5, 3_450, 0, ["late_file"]],
            [date(2026, 11, 17), -1, -700, 0, ["new_version", "repair"]],
            [date(2026, 11, 5), 0, 0, -6_300, ["applied"]],
        ],
        columns=["business_date", "rows_change", "pence_change", "contribution_change", "causes"],
    )
    said = " ".join(report.data_note(figures(totals(112_000, 140), *USUAL, restated=restated)).text.split())
    assert "sales changed since the last report: Wed 18 Nov +£34.50 (file came late); Tue 17 Nov −£7.00 (file" in said
    assert "contribution changed since the last report: Thu 5 Nov −£63.00 (a list applied to the past)." in said


def test_links_open_the_dashboard_on_the_day(monkeypatch):
    monkeypatch.setenv("T3_DASHBOARD_URL", "https://figures.example/")
    settings.cache_clear()
    state = pytest.importorskip("t3lib.dashboard.state")
    url = dashboard(period.of("day", FRIDAY), 3)
    assert state.parse(url.partition("?")[2]) == state.State("custom", FRIDAY, FRIDAY, trucks=(3,))
    assert html(report.data_note(figures(totals(1, 1)))).count("<a ") == 1


def test_without_a_dashboard_there_are_no_links():
    assert dashboard(period.of("day", FRIDAY)) is None
    assert "<a " not in html(report.data_note(figures(totals(1, 1))))


def test_unknown_edition_names_those_there_are():
    with pytest.raises(SettingsError, match="cfo, culinary, operations"):
        edition("ceo")


def test_wrong_edition_is_named_by_table_and_key(tmp_path, monkeypatch):
    file = tmp_path / "editions.toml"
    file.write_text('[cfo]\ntitle="x"\nrecipients="nobody"\nmeasure="profit"\nsections=[]\n'
                    'tiles=[]\nflat_pct=2\nrows=12\n')  # fmt: skip
    monkeypatch.setenv("T3_EDITIONS", str(file))
    settings.cache_clear()
    with pytest.raises(SettingsError, match=r"cfo\.recipients.*cfo\.measure"):
        editions()


def test_wrong_addresses_are_named_by_where_they_are_set_and_refuse_no_other(tmp_path, monkeypatch):
    file = tmp_path / "editions.toml"
    file.write_text((ROOT / "notebooks" / "editions.toml").read_text().replace('"hiram.boulie@t3.example"', '"hiram"'))
    monkeypatch.setenv("T3_EDITIONS", str(file))
    monkeypatch.setenv("T3_RECIPIENTS_CFO", "good@t3.example, bad@")
    monkeypatch.setenv("T3_RECIPIENTS_OPERATIONS", "@t3.example")
    monkeypatch.setenv("T3_MAIL_TRIALS", "me")
    settings.cache_clear()
    assert edition("cfo").addresses == ("good@t3.example", "bad@")
    named = [line.split(" is not ")[0] for line in wrong_addresses()]
    assert named == [
        "T3_RECIPIENTS_CFO: 'bad@'", "T3_RECIPIENTS_OPERATIONS: '@t3.example'", "T3_MAIL_TRIALS: 'me'",
        "cfo_week in editions.toml: 'hiram'", "cfo_month in editions.toml: 'hiram'",
    ]  # fmt: skip


def test_the_schema_that_editors_show_is_the_one_that_counts():
    assert json.loads((ROOT / "notebooks" / "editions.schema.json").read_text()) == schema()


def test_the_edition_in_the_docs_is_one(tmp_path, monkeypatch):
    [example] = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "reports.md").read_text(), re.DOTALL)
    (tmp_path / "own.toml").write_text(example)
    monkeypatch.setenv("T3_EDITIONS", str(tmp_path / "own.toml"))
    settings.cache_clear()
    assert editions()["owner"].pdf


def test_the_editions_in_the_docs_are_those_there_are():
    table = re.findall(
        r"^\| (`.*?`) \| (?:the day|a day|Monday|a calendar)", (ROOT / "docs" / "reports.md").read_text(), re.M
    )
    assert re.findall(r"`(\w+)`", " ".join(table)) == list(editions())


def test_an_edition_of_ones_own_needs_a_table_only(tmp_path, monkeypatch):
    own = '\n[owner]\ntitle = "For the owner"\nrecipients = ["owner@t3.example"]\nperiod = "week"\nat = "08:00"\n'
    own += 'measure = "gross_sales_pence"\nsections = ["tiles"]\ntiles = ["gross_sales"]\nflat_pct = 1\nrows = 5\n'
    file = tmp_path / "editions.toml"
    file.write_text((ROOT / "notebooks" / "editions.toml").read_text() + own)
    monkeypatch.setenv("T3_EDITIONS", str(file))
    settings.cache_clear()
    made = edition("owner")
    assert (made.addresses, made.report, made.at) == (("owner@t3.example",), "weekly", time(8))
    monkeypatch.setenv("T3_RECIPIENTS_OWNER", "other@t3.example")
    settings.cache_clear()
    assert edition("owner").addresses == ("other@t3.example",)
