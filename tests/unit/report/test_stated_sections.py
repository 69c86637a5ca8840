"""Sections, verdict and limits stand in the notebook and editions.toml: what changes there changes the mail."""

import copy
import json
from datetime import date

import nbformat
import pandas as pd
import pytest

from scheduler.runs import contract
from t3lib import report
from t3lib.editions import NOTEBOOK, attention_limits, edition, editions, sections
from t3lib.metrics import BankAgreement
from t3lib.report import rehearsal
from t3lib.settings import ROOT, SettingsError, settings
from tests.support.reporting import figures, notebook, rows, section, totals, typical

SALES = (totals(112_000, 140), totals(100_000, 125), typical(100_000, 125))


def edited(before, after):
    """4_report with an edit in one of its cells."""
    found = copy.deepcopy(notebook())
    (cell,) = [cell for cell in found["cells"] if before in "".join(cell["source"])]
    cell["source"] = "".join(cell["source"]).replace(before, after)
    return found


def broken(tmp_path, before, after):
    """What the contract says of 4_report with an edit."""
    path = tmp_path / "4_report.ipynb"
    path.write_text(json.dumps(edited(before, after)))
    return contract.breaches(path)


@pytest.fixture
def own_editions(tmp_path, monkeypatch):
    """Use an edited editions.toml."""

    def use(before, after):
        text = (ROOT / "notebooks" / "editions.toml").read_text()
        assert before in text
        (tmp_path / "editions.toml").write_text(text.replace(before, after))
        monkeypatch.setenv("T3_EDITIONS", str(tmp_path / "editions.toml"))
        settings.cache_clear()

    return use


def test_every_section_of_every_edition_is_a_cell():
    known = sections()
    assert len(known) == len(set(known)) == 25
    assert {name for one in editions().values() for name in one.sections} == set(known)


@pytest.mark.parametrize(
    ("before", "after", "told", "cell"),
    [
        ('"Truck": trucks.truck', '"Truck": trucks.trcuk', "AttributeError: ", 'In [11] (if day.includes("trucks"):)'),
        ("(metrics.by_payment)", "(metrics.by_paymnt)", "AttributeError: ", 'In [12] (if day.includes("payments"):)'),
        ("{took}, {moved} {usual}.", "{took}, {moves} {usual}.", "ValueError: '{took}, {moves}", "In [3] (verdict = "),
        ("{truck} has no sales", "{lorry} has no sales", "ValueError: ", 'In [7] (if day.includes("attention"):)'),
        ('day.includes("days")', 'day.includes("hours")', "Two cells have the section hours", ""),
        ('day.includes("days")', 'day.includes("mine")', "No edition has the section mine: say who gets it", ""),
        ('day.includes("days")', 'day.includes("mine", "cof")', "SettingsError: There is no edition 'cof'", "In [9] ("),
        ('"busiest_hour"', '"busy_hour"', "ValueError: editions.toml: ", 'In [6] (if day.includes("tiles"):'),
    ],
)
def test_a_mistake_in_a_section_is_told_by_its_cell(tmp_path, before, after, told, cell):
    assert [line for line in broken(tmp_path, before, after) if line.startswith(told) and cell in line]


def test_a_cell_says_itself_who_gets_a_new_section(tmp_path):
    """Its place is that of its cell. A section that editions.toml names is where that file says."""
    source = 'if day.includes("mine", "cfo", "culinary"):\n    day.show(report.paragraph("Mine", "Said."))'
    found = copy.deepcopy(notebook())
    at = next(n for n, cell in enumerate(found["cells"]) if sections(["".join(cell["source"])]) == ["trucks"])
    found["cells"].insert(at, {"cell_type": "code", "metadata": {}, "source": source})
    assert list(rehearsal.wrong_sections(found)) == []
    shown = [name for _, name, _ in rehearsal.rehearse(found, figures(*SALES), checked=False).parts]
    assert shown[shown.index("mine") + 1] == "trucks"
    day = figures(*SALES)
    own = day.includes("mine", "culinary"), day.includes("mine"), day.includes("places", "cfo")
    assert own == (False, False, False)


@pytest.mark.slow  # it rehearses the report twice
def test_a_section_may_use_every_figure_and_others_are_not_rehearsed(tmp_path):
    new = 'day.includes("places") and len(day.figure(metrics.typical_by_hour))'
    assert broken(tmp_path, 'day.includes("places")', new) == []
    unknown = 'day.includes("places") and day.figure(report.headings)'
    assert broken(tmp_path, 'day.includes("places")', unknown) == []


def test_a_sentence_changed_in_the_notebook_changes_the_mail():
    found = edited("{took}, {moved} {usual}.", "{moved} {usual}: {took}!")
    shown = rehearsal.rehearse(found, figures(*SALES), checked=False)
    assert shown.parts[0][2].text.splitlines()[2] == "12% above a usual Friday: £1,120.00 taken!"
    quiet = edited('found.calm("Nothing out of the ordinary.")', 'found.calm("All is well.")')
    parts = rehearsal.rehearse(quiet, figures(*SALES), checked=False).parts
    assert "All is well." in next(part for _, name, part in parts if name == "attention").text


def test_a_threshold_changed_in_editions_changes_the_verdict(own_editions):
    own_editions("flat_pct = 2.0", "flat_pct = 15.0")
    shown = rehearsal.rehearse(notebook(), figures(*SALES), checked=False)
    assert "£1,120.00 taken, in line with a usual Friday." in shown.parts[0][2].text


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('"trucks", "payments"', '"trucks", "paymnts"', r"cfo\.sections: 4_report\.ipynb has no section 'paymnts'"),
        ("fewest_sales = 10", "fewest_sale = 10", r"editions\.toml: attention\.fewest_sale: there is no key "
         r"fewest_sale: did you mean fewest_sales\? There are weeks, fewest_weeks, deviations"),
        ("fewest_sales = 10", "colour = 10", r"no key colour: There are weeks, fewest_weeks"),
        ("[attention]", "[atention]", r"\[atention\] is read as an edition: did you mean \[attention\]\?$"),
        ("deviations = 3.0", "deviations = 0", r"attention\.deviations is 0: write a number above 0 and at most 20"),
        ("deviations = 3.0", "deviations = nan", r"attention\.deviations is nan: write a number above 0"),
        ("weeks = 8\n", "weeks = 2.5\n", r"attention\.weeks is 2\.5: write a whole number from 3 to 52"),
        ("weeks = 8\nfewest_weeks = 3", "weeks = 3\nfewest_weeks = 4", r"attention: fewest_weeks is 4, more"),
        ("fewest_sales = 10", "fewest_sales = 20000", r"fewest_sales is 20000: write a whole number from 1 to 10000"),
        ("fewest_rejects = 10", "fewest_rejects = 0", r"fewest_rejects is 0: write a whole number from 1 to 10000"),
        ("least_pct = 10.0", "least_pct = 101", r"least_pct is 101: write a number from 0 to 100"),
        ("flat_pct = 2.0", 'flat_pct = "low"', r"cfo\.flat_pct is 'low': write a number from 0 to 100"),
        ("flat_pct = 2.0", "flat_pct = 200", r"cfo\.flat_pct is 200: write a number from 0 to 100"),
        ("above_pct = 1.0", "above_pct = 0", r"cfo\.correction\.above_pct is 0: write a number above 0"),
        ("flat_pct = 2.0", "flatpct = 2.0", r"cfo\.flat_pct is missing; cfo\.flatpct: .*did you mean flat_pct\?"),
        ("rows = 12", "rows = 21", r"cfo\.rows is 21: write a whole number from 1 to 20"),
    ],
)  # fmt: skip
def test_a_wrong_section_or_threshold_is_told_by_table_and_key(own_editions, before, after, told):
    own_editions(before, after)
    with pytest.raises(SettingsError, match=told):
        editions()


def test_a_file_without_limits_has_the_usual_ones(own_editions):
    text = (ROOT / "notebooks" / "editions.toml").read_text()
    table = text[text.index("[attention]\n") : text.index("[cfo]")]
    own_editions(table, "")
    assert attention_limits() == type(attention_limits())()


def test_an_edition_shows_a_section_that_a_cell_has_and_no_other(own_editions):
    own_editions('"trucks", "payments", "contribution", "profit", "bank"]', '"trucks"]')
    parts = rehearsal.rehearse(notebook(), figures(*SALES), checked=False).parts
    assert {name for _, name, _ in parts if name} == set(edition("cfo").sections) == {
        "tiles", "attention", "hours", "trucks",
    }  # fmt: skip


@pytest.mark.slow  # it rehearses the report twice
def test_the_schedule_is_told_of_a_section_that_is_not_committed(own_editions, tmp_path, monkeypatch):
    assert rehearsal.wrong_in_force() == []
    path = tmp_path / "4_report.ipynb"
    path.write_text(json.dumps(edited('day.includes("payments")', 'day.includes("paid")')))
    editions()  # read while the folder's notebook still has it
    monkeypatch.setattr(rehearsal, "NOTEBOOK", path)
    assert [line for line in rehearsal.wrong_in_force() if "cfo: " in line and "no section 'payments'" in line]


def test_columns_know_their_units():
    frame = pd.DataFrame(
        {"gross_sales_pence_usual": [1_250], "share_pct": [68.4], "busiest_hour": [13], "hhi": [6_502]}
    )
    said = report.sentence("{gross_sales_pence_usual}, {share_pct}, {busiest_hour}, {hhi}", frame)
    assert said == "£12.50, 68.4%, 1–2pm, 6,502"
    assert report.sentence("{share_pct}", frame.head(0)) == ""
    with pytest.raises(ValueError, match=r"names \{sale\}; there are: busiest_hour, "):
        report.sentence("{sale}", frame)


def test_a_table_refuses_what_it_cannot_show():
    with pytest.raises(ValueError, match="'speed' has no unit"):
        report.table("x", {"a": pd.Series([1.5], name="speed")})
    with pytest.raises(ValueError, match="same length; it has 'a' 1, 'b' 2"):
        report.table("x", {"a": [1], "b": [1, 2]})
    sales = pd.DataFrame({"truck": ["A", "B"], "gross_sales_pence": [100, 900]})
    dearest = sales.sort_values("gross_sales_pence", ascending=False)
    with pytest.raises(ValueError, match="sorted or filtered differently"):
        report.table("x", {"Truck": dearest.truck, "Sales": sales.gross_sales_pence})
    with pytest.raises(ValueError, match="'share_pct' cannot be compared"):
        report.change(pd.Series([1.0], name="share_pct"), pd.Series([1.0]))


def test_a_column_without_anything_to_compare_with_is_left_out():
    frame = rows("truck_id", (1, "Eels", 3, 2_100))
    change = report.change(frame.transactions, frame.transactions_usual)
    assert "vs" not in report.table("x", {"Truck": frame.label, "vs usual": change, None: [1]}).text


def test_a_paragraph_is_a_section_too():
    block = report.paragraph("In short", "", report.sentence("{transactions} sales.", SALES[0]))
    assert block.text == "IN SHORT\n\n140 sales."
    assert report.paragraph("In short", "") is None


def test_the_notebook_on_disk_is_the_one_that_is_rehearsed():
    assert [n for n, _ in rehearsal.code(nbformat.read(NOTEBOOK, 4))] == [n for n, _ in rehearsal.code(notebook())]


def test_dishes_nearest_to_a_better_class_are_first():
    columns = ["dish", "truck", "menu_class", "sold_a_day", "more_a_day", "unit_margin_pence", "more_margin_pence"]
    lines = [
        ["Eels", "Hot", "star", 9.0, None, 500, None],
        ["Pie", "Hot", "puzzle", 2.0, 1.0, 500, None],
        ["Tea", "Hot", "dog", 4.0, 2.0, 100, 10],
        ["Ham", "Hot", "no unit cost", 4.0, None, None, None],
    ]
    dishes = pd.DataFrame(lines, columns=columns).astype({"unit_margin_pence": "Int64", "more_margin_pence": "Int64"})
    known = {"menu": True, "pitches": True, "costs": True}
    day = figures(*SALES, edition_name="culinary", pack={"menu_matrix": dishes}, inputs=known)
    text = section("matrix", day).text
    assert text.index("Tea (Hot)") < text.index("Pie (Hot)") < text.index("Ham (Hot)")
    assert "Eels" not in text
    assert "Tea (Hot)           dog          2.0      £0.10" in text
    assert "star 1, puzzle 1, dog 1, no unit cost 1" in " ".join(text.split())


def test_the_mail_says_what_is_missing_and_what_came_on_top_of_the_sales():
    def said(found: BankAgreement) -> str:
        day = figures(*SALES, edition_name="cfo", pack={"bank_agreement": found})
        return " ".join(section("bank", day).text.split())

    told = "£4.00 is missing. £2.50 came on top, without sales. The Money tab says what."
    assert said(BankAgreement(10_000, 9_000, 600, 400, 250, 3)).endswith(f"£6.00 on its way. {told}")
    assert said(BankAgreement(9_600, 9_000, 600, 0, 0, 0)).endswith("£6.00 on its way.")


def test_effects_of_price_changes_stand_with_half_their_interval_or_a_reason():
    known = {"effect_state": "known", "effect_sold": -5.0, "high_sold": -4.5, "effect_margin_pence": pd.NA}
    unknown = {"effect_state": "too few days to say", "effect_sold": None, "high_sold": None}
    found = pd.DataFrame([known, unknown]).assign(high_margin_pence=pd.NA)
    changed = found.assign(dish="Pie", old_price_pence=600, new_price_pence=720, changed_on=date(2026, 11, 3))
    assert report.changed_prices(changed)[0] == "Pie (£6.00 → £7.20, 3 Nov)"
    sold, reason = report.effect(found, "sold")
    assert (sold.text, sold.sub, sold.tone) == ("−5.0", "± 0.5", "down")
    assert (reason.text, reason.sub) == ("–", "too few days to say")
    assert [(cell.text, cell.sub) for cell in report.effect(found, "margin_pence", why=False)] == [("–", ""), ("–", "")]
