"""Business days as journals: hand-worked amounts, locks, corrections, files."""

import csv
import io
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from t3lib import business_day, warehouse
from t3lib.dashboard import shared_figures
from t3lib.dashboard.operations import journal_corrections
from t3lib.journal import corrections, export, locked
from t3lib.journal.entries import Line
from t3lib.journal.export import Order, Outcome
from t3lib.settings import settings
from tests.support.feeding import at, put, rows, take_in
from tests.support.restating import COSTS, COSTS_CSV, FRIDAY, MENU_CSV, THURSDAY, place, upload

RATED = "truck_id,menu_item,menu_type,price,unit_cost,vat"
MENU = ("1,Burrito,Mexican,7.00,1.50,", "1,Soup,Cold,4.20,1.00,5", "1,Bread,Cold,3.00,,0")
FILE = "trucks/2026-11/5/15/T3_T1_A1.csv"
SALES = (at("12:00", "card", "7"), at("12:05", "cash", "7"), at("12:10", "cash", "7"), at("12:15", "card", "4.20"),
         at("12:20", "cash", "3"), at("12:25", "cash", "3"))  # fmt: skip
LINES = """
    SELECT number, part, account, amount_pence FROM ops.journal_line JOIN ops.journal USING (journal_id)
    ORDER BY 1, line
"""


@pytest.fixture(autouse=True)
def _sunday(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(business_day, "today", lambda now=None: date(2026, 11, 8))


@pytest.fixture
def thursday(bucket: Path) -> Path:
    """31.20 on Thursday: 11.20 by card, 20.00 in cash; 21.00 at 20 percent, 4.20 at 5 and 6.00 at 0."""
    place(bucket, COSTS_CSV, ",vat,20,percent,2026-11-01", ",card_fee,1.75,percent,2026-11-01",
          "1,wages,80,day,2026-11-01", when="2026-11-01 08:00", header=COSTS)  # fmt: skip
    place(bucket, MENU_CSV, *MENU, when="2026-11-01 08:00", header=RATED)
    put(bucket, FILE, *SALES)
    take_in()
    return bucket


def exported(first: date = THURSDAY, last: date | None = None, layout: str = "xero", **more) -> list[Outcome]:
    with warehouse.connect() as db:
        return export.export(db, first, last or first, Order(layout, "Ann", **more))


def waiting() -> list[corrections.Correction]:
    with warehouse.connect() as db:
        return corrections.waiting(db)


def test_a_day_is_a_balanced_journal_in_the_layout_of_xero(thursday: Path):
    (found,) = exported()
    head = "*Narration,*Date,Description,*AccountCode,*TaxRate,*Amount"
    line = "T3 sales of 2026-11-05,05/11/2026,{},No VAT,{},,,,"
    assert found.journals[0].content.split("\r\n") == [
        f"{head},TrackingName1,TrackingOption1,TrackingName2,TrackingOption2",
        line.format("Card sales,616", "11.20"),
        line.format("Cash sales,615", "20.00"),
        line.format("Sales at 20% VAT,200", "-17.50"),  # 21.00 / 6 = 3.50 of VAT
        line.format("Sales at 5% VAT,201", "-4.00"),  # 4.20 / 21 = 0.20 of VAT
        line.format("Sales at 0% VAT,202", "-6.00"),
        line.format("VAT at 20%,821", "-3.50"),
        line.format("VAT at 5%,821", "-0.20"),
        line.format("Cost of goods,310", "5.50"),  # 3 x 1.50 + 1.00
        line.format("Goods taken from stock,630", "-5.50"),
        line.format("Card fee,404", "0.20"),  # 1.75 percent of 11.20 = 0.196
        line.format("Card fee contra,616", "-0.20"),
        "",
    ]


def test_the_same_day_in_the_layout_of_quickbooks_has_debits_and_credits(thursday: Path):
    (found,) = exported(layout="quickbooks")
    lines = list(csv.DictReader(io.StringIO(found.journals[0].content)))
    assert list(lines[0].values())[:6] == ["T3-20261105", "05/11/2026", "Card clearing", "11.20", "", "Card sales"]
    debits, credits = (sum(round(100 * float(row[side] or 0)) for row in lines) for side in ("*Debits", "*Credits"))
    assert debits == credits == 3690
    assert lines[2]["*AccountName"] == "Sales"
    assert lines[2]["*Credits"] == "17.50"


def test_an_unchanged_day_gives_the_same_file_again(thursday: Path, tmp_path: Path):
    (first,) = exported(why="October is done")
    assert export.write(first.journals, tmp_path / "a") == {"journal_2026-11-05_xero.csv": True}
    (again,) = exported()
    assert (again.state, again.journals[0].actor, again.journals[0].why) == ("unchanged", "Ann", "October is done")
    assert export.write(again.journals, tmp_path / "a") == {"journal_2026-11-05_xero.csv": False}
    export.write(again.journals, tmp_path / "b")
    one, other = (tmp_path / name / "journal_2026-11-05_xero.csv" for name in "ab")
    assert one.read_bytes() == other.read_bytes() == first.journals[0].content.encode()
    assert rows("SELECT count(*) FROM ops.journal") == [(1,)]


def test_open_pages_share_a_reading_of_the_corrections_that_wait(thursday: Path, tmp_path, monkeypatch):
    read: list[int] = []
    found = corrections.waiting

    def counted(db: sa.Connection) -> list[corrections.Correction]:
        read.append(1)
        return found(db)

    monkeypatch.setattr(corrections, "waiting", counted)
    monkeypatch.setattr(journal_corrections, "_remembered", {})
    monkeypatch.setattr(shared_figures, "SHARED_SECONDS", 10**12)  # no new half-minute begins within the test

    def seen(another_page: bool = False) -> int:
        if another_page:
            journal_corrections._remembered.clear()
        with warehouse.connect() as db:
            return len(journal_corrections.waiting(db))

    assert (seen(), len(read)) == (0, 0)  # nothing was exported
    exported()
    assert (seen(), seen(), len(read)) == (0, 0, 1)
    put(thursday, FILE, *SALES[:-1])
    take_in()
    assert (seen(), seen(), len(read)) == (1, 1, 2)  # read again after a change only
    monkeypatch.setenv(shared_figures.FOLDER, str(tmp_path))
    assert (seen(True), seen(True), len(read)) == (1, 1, 3)  # once for both pages
    put(thursday, FILE, *SALES)
    take_in()
    assert (seen(), len(read)) == (1, 3)  # not twice in a half-minute
    monkeypatch.setattr(shared_figures, "SHARED_SECONDS", 10**12 - 10**9)
    monkeypatch.setattr(shared_figures, "SHARED_SECONDS", 10**9)  # the next one
    assert (seen(), len(read)) == (0, 4)


def test_a_change_of_a_locked_day_is_a_correction_of_the_difference(thursday: Path):
    exported()
    put(thursday, FILE, *SALES[:-1], at("12:25", "card", "7"))  # the last bread was a burrito paid by card
    take_in()
    (wait,) = waiting()
    assert (wait.business_date, wait.sales_pence, wait.posted_pence) == (THURSDAY, 400, 1162)
    (found,) = exported()
    assert (found.state, found.journals[1].number, found.journals[1].dated) == ("corrected", 1, date(2026, 11, 8))
    assert [row[1:] for row in rows(LINES) if row[0] == 1] == [
        ("payment card", "616", 700), ("payment cash", "615", -300),
        ("sales 20", "200", -583), ("sales 0", "202", 300), ("vat 20", "821", -117),
        ("goods", "310", 150), ("against goods", "630", -150),
        ("cost card_fee", "404", 12), ("against cost card_fee", "616", -12),
    ]  # fmt: skip
    lines = found.journals[1].content.split("\r\n")
    assert lines[1] == "T3 sales of 2026-11-05 correction 1,08/11/2026,Card sales,616,No VAT,7.00,,,,"
    assert found.journals[1].file == "journal_2026-11-05_xero_correction_1.csv"
    assert waiting() == []
    assert exported()[0].state == "unchanged"


def test_a_correction_may_be_dated_on_the_day_that_it_corrects(
    thursday: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "own.toml").write_text(settings().accounts.read_text().replace('= "export"', '= "day"', 1))
    monkeypatch.setenv("T3_ACCOUNTS", str(tmp_path / "own.toml"))
    settings.cache_clear()
    exported()
    put(thursday, FILE, *SALES, at("12:30", "cash", "7"))
    take_in()
    (found,) = exported()
    assert "correction 1,05/11/2026,Cash sales,615,No VAT,7.00" in found.journals[1].content
    assert found.journals[1].dated == THURSDAY


def test_a_menu_applied_to_a_locked_day_waits_as_a_correction_of_goods_alone(thursday: Path):
    exported()
    upload(thursday, MENU_CSV, f"{MENU[0].replace('1.50', '2.00')},2026-11-05", when="2026-11-07 08:00",
           header=f"{RATED},from")  # fmt: skip
    (wait,) = waiting()
    assert wait.parts == {"goods": 150, "against goods": -150}


def test_days_that_lack_something_are_refused_unless_asked_for(thursday: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(business_day, "today", lambda now=None: THURSDAY)
    (found, later) = exported(last=FRIDAY)
    assert (found.state, later.state) == ("refused", "refused")
    assert found.why.startswith("2026-11-05 is not complete: it still trades.")
    assert later.why == "2026-11-06 is still to come."
    (found,) = exported(partial=True)
    assert (found.state, found.journals[0].partial) == ("exported", "it still trades")


def test_a_day_without_a_rate_or_an_account_is_refused(thursday: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    text = settings().accounts.read_text()
    monkeypatch.setenv("T3_ACCOUNTS", str(tmp_path / "accounts.toml"))
    settings.cache_clear()
    (tmp_path / "accounts.toml").write_text("\n".join(line for line in text.splitlines() if not line.startswith("5 =")))
    assert exported()[0].why == "accounts.toml has no account for 'sales 5': add it."
    upload(thursday, COSTS_CSV, ",card_fee,1.75,percent,2026-11-01", when="2026-11-02 08:00", header=COSTS)
    with warehouse.connect() as db:
        db.execute(sa.text("DELETE FROM core.cost WHERE cost = 'vat'"))
    assert "The rate of VAT is not known" in exported()[0].why
    assert rows("SELECT count(*) FROM ops.journal") == [(0,)]


def test_a_changed_account_and_a_new_cost_count_for_days_exported_later(
    thursday: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    exported()
    text = settings().accounts.read_text().replace('code = "200"', 'code = "210"')
    wages = '\n[costs.wages]\naccount = { code = "477", name = "Wages" }\nagainst = { code = "814", name = "Due" }\n'
    (tmp_path / "own.toml").write_text(text.replace("\n[layouts.xero]\n", f"{wages}\n[layouts.xero]\n"))
    monkeypatch.setenv("T3_ACCOUNTS", str(tmp_path / "own.toml"))
    settings.cache_clear()
    assert waiting() == []
    put(thursday, FILE, *SALES, at("12:30", "cash", "7"))
    put(thursday, FILE.replace("/5/", "/6/"), at("12:00", "cash", "7", "2026-11-06"))
    take_in()
    exported(last=FRIDAY)
    posted = rows(
        "SELECT business_date, account, amount_pence FROM ops.journal JOIN ops.journal_line "
        "USING (journal_id) WHERE part = 'sales 20' OR part = 'cost wages' ORDER BY journal_id, line"
    )
    assert posted == [(THURSDAY, "200", -1750), (THURSDAY, "200", -583), (FRIDAY, "210", -583), (FRIDAY, "477", 8000)]


@pytest.mark.parametrize("lines", [[("payment cash", 100), ("sales 20", -99)], [("payment cash", 100)], []])
def test_the_database_refuses_a_journal_that_does_not_balance(db: sa.Connection, lines: list):
    journal = locked.Journal("xero", THURSDAY, 0, THURSDAY, "Ann", "", "", (), "a.csv", "content")
    locked.add(db, journal, [Line(part, "1", "", pence) for part, pence in lines or [("goods", 1)]])
    if not lines:
        db.execute(sa.text("DELETE FROM ops.journal_line"))
    with pytest.raises(sa.exc.IntegrityError, match="does not balance"):
        db.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_journals_of_a_range_fit_into_files_of_at_most_so_many_lines(thursday: Path):
    (found,) = exported()
    files = export.together(found.journals * 40, "xero")
    assert [len(list(csv.reader(io.StringIO(file)))) for file in files] == [
        298,
        144,
    ]  # 27 x 11 lines, 13 x 11, and heads
