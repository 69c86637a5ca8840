"""`t3 vat` and `t3 journal` as people type them."""

import csv
import io
import json
from datetime import date
from pathlib import Path

import pytest

from t3lib import business_day
from tests.support.feeding import at, put, take_in
from tests.support.restating import COSTS, COSTS_CSV, MENU_CSV, THURSDAY, place, sell

RATED = "truck_id,menu_item,menu_type,price,unit_cost,vat"


@pytest.fixture
def day(bucket: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """On Thursday two burritos at 20 percent and a loaf at 0; it is the Sunday after."""
    monkeypatch.setattr(business_day, "today", lambda now=None: date(2026, 11, 8))
    place(bucket, COSTS_CSV, ",vat,20,percent,2026-11-01", when="2026-11-01 08:00", header=COSTS)
    place(bucket, MENU_CSV, "1,Burrito,Mexican,7.00,1.50,", "1,Loaf,Bakery,3.00,,0", when="2026-11-01 08:00",
          header=RATED)  # fmt: skip
    sell(bucket, THURSDAY, "7", "7", "3")
    return bucket


def test_a_vat_return_is_text_json_and_csv(t3, day: Path):
    code, said, noted = t3("vat", "return", "--quarter", "2026-q4")
    assert code == 0
    assert "Box 1, VAT due on sales: £2.33" in said
    assert "Box 6, sales without VAT: £14 (£14.67, pence left out)" in said
    assert "The quarter is not over: it ends on 31 December 2026." in noted
    found = json.loads(t3("vat", "return", "--quarter", "2026-Q4", "--json")[1])
    assert (found["box1_pence"], found["box6_pounds"], len(found["lines"]), len(found["caveats"])) == (233, 14, 2, 2)
    lines = list(csv.DictReader(io.StringIO(t3("vat", "return", "--quarter", "2026-Q4", "--csv")[1])))
    assert [(row["vat_rate_pct"], row["gross_sales"], row["vat"], row["net_sales"]) for row in lines] == [
        ("20", "14.00", "2.33", "11.67"), ("0", "3.00", "0.00", "3.00")]  # fmt: skip
    assert t3("vat", "return")[1].startswith("VAT return 2026-Q3, 1 Jul – 30 Sep 2026")
    assert t3("vat", "return", "--quarter", "Q3") == (
        2, "", "t3: --quarter 'Q3' is not a quarter: write it like 2026-Q3.\n")  # fmt: skip


def test_menu_lists_the_rate_of_a_dish(t3, day: Path):
    assert "0%" in t3("menu")[1]
    assert [row["vat_pct"] for row in json.loads(t3("menu", "--json")[1])] == [None, 0.0]


def test_days_are_exported_listed_and_corrected(t3, day: Path, tmp_path: Path):
    export = ("journal", "export", "--from", "2026-11-05", "--to", "2026-11-06", "--layout", "xero", "--by", "Ann",
              "--folder", str(tmp_path / "books"))  # fmt: skip
    code, said, noted = t3(*export, "--together")
    assert (code, noted) == (0, "")
    assert "exported and locked" in said
    assert "nothing to post" in said
    files = {path.name: path.read_bytes() for path in (tmp_path / "books").iterdir()}
    assert sorted(files) == ["journal_2026-11-05_xero.csv", "journals_2026-11-05_2026-11-06_xero.csv"]
    assert len(set(files.values())) == 1
    assert "unchanged since its export" in t3(*export)[1]
    put(day, "trucks/2026-11/5/18/T3_T1_A1.csv", at("15:00", "cash", "7"))
    take_in()
    said = t3("journal", "list")[1]
    assert "Corrections that wait" in said
    assert "£7.00" in said
    found = json.loads(t3(*export, "--json")[1])
    assert [(one["state"], len(one["journals"])) for one in found] == [("corrected", 2), ("nothing", 0)]
    listed = json.loads(t3("journal", "list", "--json")[1])
    assert [(one["number"], one["actor"], one["file"]) for one in listed["journals"]] == [
        (1, "Ann", "journal_2026-11-05_xero_correction_1.csv"), (0, "Ann", "journal_2026-11-05_xero.csv")]  # fmt: skip
    assert listed["corrections"] == []


def test_what_cannot_be_exported_says_why(t3, day: Path):
    sell(day, business_day.today(), "7")
    days = ("journal", "export", "--from", "2026-11-08", "--to", "2026-11-08")
    code, said, noted = t3(*days, "--layout", "xero")
    assert (code, said) == (1, "No day was exported.\n")
    assert noted.startswith("Not exported: 2026-11-08 is not complete: it still trades. Export it with --partial")
    assert t3(*days, "--layout", "sage")[2] == "t3: There is no layout 'sage': choose one of xero, quickbooks.\n"
    assert t3(*days[:5], "2026-11-01", "--layout", "xero")[0] == 2
