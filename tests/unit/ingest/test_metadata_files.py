"""The hand-kept files: known spellings are read, anything else is refused by name."""

import io
import re

import openpyxl
import pytest

from t3lib import feed
from t3lib.feed import metadata
from t3lib.feed.cells import FEE_PER, PER
from t3lib.feed.metadata import read_metadata
from t3lib.settings import ROOT
from t3lib.settlements import accounts

HEADER = ["ID", "NAME", "DESCRIPTION", "HAS_CARD_READER", "FSA_RATING_22"]
TACO = [1, "Taco", "Hot", "NO", 5]
PLACES: list[list] = [["ID", "NAME"], [7, "Market"]]


def workbook(*sheets: tuple[str, list[list]], change=lambda book: None) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def details(trucks: list[list], places: list[list] = PLACES, change=lambda book: None) -> bytes:
    return workbook(("trucks", trucks), ("locations", places), change=change)


def trucks(data: bytes) -> list[dict]:
    return read_metadata("metadata/details.xlsx", data)["truck"]


def refused(name: str, data: bytes | str) -> str:
    with pytest.raises(feed.FeedError) as error:
        read_metadata(f"metadata/{name}", data.encode() if isinstance(data, str) else data)
    return str(error.value)


@pytest.mark.parametrize("name", ["HAS CARD READER", "has-card-reader", " Has_Card  Reader ", "has_card_reader"])
def test_known_spellings_of_a_column_are_read(name):
    assert trucks(details([["Id", "Name", "Description", name, "FSA Rating 22"], TACO])) == [
        {"truck_id": 1, "name": "Taco", "description": "Hot", "has_card_reader": False, "fsa_rating": 5}]  # fmt: skip


def test_known_spellings_of_a_sheet_are_read():
    data = workbook(("Trucks", [HEADER, TACO]), (" LOCATIONS ", PLACES), ("Sheet1", []))
    assert [truck["truck_id"] for truck in trucks(data)] == [1]


@pytest.mark.parametrize(
    ("trucks", "places", "words"),
    [([[*HEADER[:3], "CARD READER?", HEADER[4]], TACO], PLACES, "has a column CARD READER\\?; known are ID, NAME"),
     ([[*HEADER, "has card reader"], [*TACO, "YES"]], PLACES, "has the column HAS_CARD_READER twice"),
     ([HEADER, TACO, [1.0, "Soup", None, "YES", 5]], PLACES, "Sheet trucks has ID 1 twice"),
     ([HEADER, TACO], [*PLACES, [7, "Park"]], "Sheet locations has ID 7 twice"),
     ([HEADER, [*TACO, "sold"]], PLACES, "sheet trucks, row 2: 'sold' in column 6, which has no name"),
     ([HEADER, [1, "Taco", "Hot", "#REF!", 5]], PLACES, "shows #REF! in D2"),
     ([HEADER, [1, "Taco", "Hot", "=1=1", 5]], PLACES, "formula without a value in D2"),
     ([HEADER, [*TACO, *[None] * 50, 1]], PLACES, "has a value in BD2; at most 50 columns"),
     ([HEADER, TACO], [], "Sheet locations is empty"),
     ([HEADER, [1, "Taco", "x" * 1001, "NO", 5]], PLACES, "at most 1,000 characters")],
)  # fmt: skip
def test_details_that_may_mean_two_things_are_refused_by_name(trucks, places, words):
    assert words.replace("\\", "") in refused("details.xlsx", details(trucks, places))


@pytest.mark.parametrize(
    ("sheets", "words"),
    [((("trucks", [HEADER, TACO]), ("places", PLACES)), "has a sheet 'places'; known are trucks and locations"),
     ((("locations", PLACES),), "has no sheet named trucks"),
     ((("trucks", [HEADER, TACO]), ("trucks ", [HEADER]), ("locations", PLACES)), "two sheets named trucks")],
)  # fmt: skip
def test_a_sheet_that_is_lacking_unknown_or_double_is_refused_by_name(sheets, words):
    assert words in refused("details.xlsx", workbook(*sheets))


def test_merged_cells_are_refused_with_their_place():
    data = details([HEADER, TACO, [2, "Soup", None, None, 5]], change=lambda book: book["trucks"].merge_cells("D2:D3"))
    assert "Sheet trucks has merged cells D2:D3" in refused("details.xlsx", data)


def test_names_keep_nothing_that_cannot_be_seen():
    (truck,) = trucks(details([HEADER, [1, "Ta\u200bco \u202e Hot\u00a0", "a\u00adb", "NO", 5]]))
    assert (truck["name"], truck["description"]) == ("Taco Hot", "ab")
    menu = "truck_id,menu_item,menu_type,price\n1,Ta\x07co \x0bSupreme,H\x01ot,7\n"
    (item,) = read_metadata("metadata/menu.csv", menu.encode())["menu_item"]
    assert (item["menu_item"], item["menu_type"]) == ("Taco Supreme", "Hot")
    openpyxl.Workbook().active.append([item["menu_item"], truck["name"]])


MENU = "truck_id,menu_item,menu_type,price,unit_cost\n"
PITCHES = "truck_id,location_id,from,to\n"
COSTS = "truck_id,cost,amount,per,from\n"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [("menu.csv", MENU + "1,Taco,Hot,7,2\n1, TACO,Hot,8,2\n", "Truck 1 has TACO on its menu twice"),
     ("menu.csv", MENU + "1,Taco,Hot,7,2\n1,Ta  co,Hot,8,2\n1,ta co,Hot,8,2\n", "ta co on its menu twice"),
     ("menu.csv", MENU.replace("unit_cost", "Price") + "1,Taco,Hot,7,2\n", "has the column PRICE twice"),
     ("menu.csv", MENU.replace("unit_cost", "cost") + "1,Taco,Hot,7,2\n", "has a column cost; known are TRUCK_ID"),
     ("menu.csv", MENU.replace("unit_cost", "unit_c\u043est") + "1,Taco,Hot,7,2\n", "<U+043E CYRILLIC SMALL LETTER O>"),
     ("menu.csv", MENU + "1,Taco,Hot,0,2\n", "'0' in column price"),
     ("menu.csv", MENU + "1,Taco,Hot,7,-1\n", "'-1' in column unit_cost"),
     ("pitches.csv", PITCHES + "1,1,2026-11-05,2026-11-06\n" * 2, "two places"),
     ("pitches.csv", PITCHES + "1,1,0001-01-01,2026-11-06\n", "0001-01-01 is not a day that T3 knows"),
     ("pitches.csv", PITCHES.replace("to", "From") + "1,1,2026-11-05,2026-11-06\n", "no column TO"),
     ("costs.csv", COSTS + "1,wages,90,day,2026-01-01\n1,Wages,95,day,2026-01-01\n",
      "Truck 1 has Wages from 2026-01-01 twice"),
     ("costs.csv", COSTS + ",vat,20,percent,2026-01-01\n,vat,20,percent,2026-01-01\n", "The fleet has vat"),
     ("costs.csv", COSTS + "1,wages,-5,day,2026-01-01\n", "'-5' in column amount"),
     ("costs.csv", COSTS.strip() + ",amount\n1,wages,5,day,2026-01-01,6\n", "has the column AMOUNT twice")],
)  # fmt: skip
def test_lists_that_may_mean_two_things_are_refused_by_name(name, text, words):
    assert words in refused(name, text)


def test_a_cost_may_end_with_nothing():
    text = (
        COSTS
        + "1,rent,90,day,2026-01-01\n1,rent,0,Day,2026-02-01\n,vat,0,Percent,2026-01-01\n,tips,0.00,sale,2026-01-01\n"
    )
    costs = read_metadata("metadata/costs.csv", text.encode())["cost"]
    assert [(c["amount"], c["per"]) for c in costs] == [("9000", "day"), ("0", "day"), ("0", "percent"), ("0", "sale")]


def test_lists_are_read_with_known_spellings_and_semicolons():
    text = "Truck ID;Menu-Item;menu type;PRICE;Unit Cost\n1;Taco;Hot;7,50;0\n"
    assert read_metadata("metadata/menu.csv", text.encode())["menu_item"] == [
        {"truck_id": 1, "menu_item": "Taco", "menu_type": "Hot", "price_pence": 750, "unit_cost_pence": 0,
         "vat_pct": None, "from_at": None, "to_at": None}]  # fmt: skip


PAGE = (ROOT / "docs" / "metadata.md").read_text()


def test_the_page_of_metadata_names_every_column():
    lists = {"menu.csv": metadata.MENU, "pitches.csv": metadata.PITCHES, "costs.csv": metadata.COSTS}
    for name, columns in lists.items():
        line = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |"))
        named = set(re.findall(r"`([a-z_]+)`", line.split("|")[3]))
        assert {*columns.needed, *columns.optional} == named - {*PER, *FEE_PER}


def test_the_page_of_metadata_says_what_every_column_holds():
    said: dict[str, set[str]] = {}
    file = ""
    for line in PAGE.split("## Every column")[1].split("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[1].startswith("`"):
            file = cells[0].replace("`", "") or file
            said.setdefault(file, set()).update(re.findall(r"`(\w+)`", cells[1].lower()))
    files = {"details.xlsx, trucks": metadata.TRUCKS, "details.xlsx, locations": metadata.LOCATIONS,
             "menu.csv": metadata.MENU, "pitches.csv": metadata.PITCHES, "costs.csv": metadata.COSTS,
             "terminals.csv": accounts.TERMINALS, "banking.csv": accounts.BANKING}  # fmt: skip
    assert said == {name: {*columns.needed, *columns.optional} for name, columns in files.items()}


def test_the_example_of_the_page_is_read_with_its_days():
    example = re.search(r"```\n(truck_id.*?)```", PAGE, re.DOTALL)
    items = read_metadata("metadata/menu.csv", example[1].encode())["menu_item"]
    assert [(item["price_pence"], item["vat_pct"], item["from_at"], item["to_at"]) for item in items] == [
        (700, None, None, None), (750, None, "2026-12-01T04:00:00+00:00", None),
        (500, "20", "2026-10-01T03:00:00+00:00", "2026-12-01T04:00:00+00:00"), (300, "0", None, None)]  # fmt: skip


@pytest.mark.parametrize(("text", "rate"), [("20", "20"), ("20.0 %", "20"), ("12.5", "12.5"), ("0", "0"), ("", None)])
def test_a_rate_of_vat_is_a_percentage(text: str, rate: str | None):
    (item,) = read_metadata("metadata/menu.csv", f"{MENU.strip()},VAT\n1,Taco,Hot,7,2,{text}\n".encode())["menu_item"]
    assert item["vat_pct"] == rate


@pytest.mark.parametrize("text", ["-5", "120", "standard", "1.125"])
def test_what_is_no_rate_of_vat_is_refused(text: str):
    assert f"{text!r} in column vat" in refused("menu.csv", f"{MENU.strip()},vat\n1,Taco,Hot,7,2,{text}\n")


def test_the_examples_of_fees_and_costs_of_the_page_are_read():
    found = re.findall(r"```\n(truck_id,(?:location_id|cost),.*?)```", PAGE, re.DOTALL)
    pitches, costs = (example.encode() for example in found)
    terms = [(stay["event"], stay["fee_pence"], stay["fee_per"], stay["fee_percent"])
             for stay in read_metadata("metadata/pitches.csv", pitches)["pitch"]]  # fmt: skip
    assert terms == [(None, 4500, "stay", None), ("Christmas market", 6000, "day", "20"), (None, None, None, "25")]
    kinds = [(cost["truck_id"], cost["amount"], cost["per"])
             for cost in read_metadata("metadata/costs.csv", costs)["cost"]]  # fmt: skip
    assert kinds == [(None, "2442", "hour"), (None, "950", "shift"), (2, "18000", "day")]


@pytest.mark.parametrize(
    ("line", "said"),
    [("45,", "no fee_per (one of stay, day is needed)"), ("45,week", "'week' in column fee_per"),
     (",day", "'day' in column fee_per (a fee beside it is needed)"),
     ("-1,day", "'-1' in column fee (an amount like 7.50 is needed)")],
)  # fmt: skip
def test_a_fee_says_what_it_is_for(line: str, said: str):
    text = f"truck_id,location_id,from,to,fee,fee_per\n1,4,2026-11-05 10:00,2026-11-05 20:00,{line}\n"
    assert said in refused("pitches.csv", text)


@pytest.mark.parametrize(
    ("text", "said"),
    [("1,Taco,Hot,7,2,2026-11-05,2026-11-04\n", "Taco ends before it begins"),
     ("1,Taco,Hot,7,2,5 November,\n", "column from"),
     ("1,Taco,Hot,7,2,,\n1,taco,Hot,8,2,,\n", "taco on its menu twice"),
     ("1,Taco,Hot,7,2,2026-11-05,\n1,Taco,Hot,8,2,2026-11-05,\n", "Taco on its menu from 2026-11-05 04:00 twice")],
)  # fmt: skip
def test_days_that_cannot_be_are_refused(text: str, said: str):
    assert said in refused("menu.csv", MENU.strip() + ",from,to\n" + text)
