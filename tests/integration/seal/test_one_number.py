"""One number for one thing: what the month pack, its mail, its PDF's parts and the page say twice is the same."""

import csv
import io
import json
import re
from collections import defaultdict
from html import unescape

import nbformat

from t3lib import warehouse
from t3lib.dashboard import view
from t3lib.dashboard.html import tiles as page_tiles
from t3lib.dashboard.state import State
from t3lib.dashboard.tabs import TabContext, sheet
from t3lib.metrics import Scope
from t3lib.report.block import BLOCK
from t3lib.report.parts.closing import REPORT
from tests.integration.seal.sealing import OCTOBER
from tests.support.pages import table_rows

SCOPE = Scope(OCTOBER.first, OCTOBER.last)
Facts = dict[str, dict[str, set[int]]]


def number(text: str) -> int:
    """£1,234.50 as 123450, −12 as 12: a statement subtracts what others count."""
    return int(re.sub(r"[^0-9]", "", text.split("%")[0]))


def tables(facts: Facts, where: str, rows: dict[str, list[tuple[str, list[str]]]]) -> None:
    """What the tables of the pack say, by title and line."""
    for title, lines in rows.items():
        for line, cells in lines:
            for name, title_of, line_of, place in _CELLS:
                if title.startswith(title_of) and line.lower() == line_of.lower() and cells[place]:
                    facts[name][f"{where}, {title}"].add(number(cells[place]))


# name, title of the table, its line, the column after the name
_CELLS = (
    ("gross sales", "Contribution", "Sales", 0), ("gross sales", "Reconciliation", "Sales in the figures", 1),
    ("number of sales", "Reconciliation", "Sales in the figures", 0),
    ("rows read", "Reconciliation", "Rows read", 0), ("rows not loaded", "Reconciliation", "less rows not loaded", 0),
    ("rows read", "Clean data", "October 2026 from 14 Oct", 0), ("rows read", "Clean data", "October 2026", 0),
    ("rows not loaded", "Clean data", "October 2026", 1),
    ("rows read", "Share of clean data", "Oct 2026*", 0), ("rows not loaded", "Share of clean data", "Oct 2026*", 1),
    ("rows read", "Share of clean data", "Oct 2026", 0), ("rows not loaded", "Share of clean data", "Oct 2026", 1),
    ("rows read in twelve months", "Clean data", "Twelve months", 0),
    ("rows read in twelve months", "Page", "Rows read", 0),
)  # fmt: skip


def of_the_pack(executed, facts: Facts) -> None:
    """Tiles, tables, data note, CSV and headline of the executed report."""
    for cell in nbformat.read(executed, as_version=4).cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            of_a_block(data.get(BLOCK, {}), facts)
            if REPORT in data:
                headline = data[REPORT]["headline"]
                facts["gross sales"]["headline"].add(headline["gross_sales_pence"])
                facts["number of sales"]["headline"].add(headline["transactions"])
                [text] = data[REPORT]["csv"].values()
                total = next(row for row in csv.DictReader(io.StringIO(text)) if row["truck"] == "All trucks")
                facts["gross sales"]["CSV"].add(number(total["gross_sales_gbp"]))
                facts["number of sales"]["CSV"].add(int(total["transactions"]))


def of_a_block(block: dict, facts: Facts) -> None:
    for tile in block.get("tiles", []):
        name = {"Sales": "gross sales", "Number of sales": "number of sales"}.get(tile["label"])
        if name:
            facts[name]["tile"].add(number(tile["figure"]))
    if block.get("template") == "table":
        lines = [(row[0]["text"], [cell["text"] for cell in row[1:]]) for row in block["rows"]]
        tables(facts, "pack", {block["title"]: lines})
        if found := re.search(r"penny: ([\d,]+) files? loaded", block["note"]):
            facts["files"]["reconciliation"].add(number(found[1]))
        if block["title"].startswith("Twelve months"):
            each = [number(cells[0]) for _, cells in lines]
            facts["gross sales in twelve months"]["by truck"].add(sum(each))
    for line in block.get("lines", []) if block.get("template") == "data_note" else []:
        if found := re.match(r"From ([\d,]+) files?: ([\d,]+) rows read, ([\d,]+) loaded, ([\d,]+) not loaded", line):
            for name, said in zip(
                ("files", "rows read", "number of sales", "rows not loaded"), found.groups(), strict=True
            ):
                facts[name]["data note"].add(number(said))


def of_the_page(facts: Facts) -> None:
    """The tiles of the page for the same days, and its month pack."""
    state = State(tab="pack", preset="custom", first=OCTOBER.first, last=OCTOBER.last)
    with warehouse.connect() as db:
        seen = view.read(db, state)
        html = sheet(db, TabContext(state, SCOPE))
        texts = [unescape(re.sub(r"<[^>]+>", " ", tile)) for tile in page_tiles.tiles(seen)]
    for text in texts:
        flat = " ".join(text.split())
        if found := re.search(r"Gross sales.*?(£[\d,.]+)", flat):
            facts["gross sales"]["page, tile"].add(number(found[1]))
    for row in table_rows(html):
        tables(facts, "page", {"Share of clean data": [(row[0], row[1:])]} if row[0].startswith("Oct 2026") else {})
        if row[0] == "All trucks":
            facts["gross sales in twelve months"]["page"].add(number(row[1]))
        if row[0] == "Rows read" and row[1][:1].isdigit():
            facts["rows read in twelve months"]["page"].add(number(row[1]))


def collected(executed) -> Facts:
    facts: Facts = defaultdict(lambda: defaultdict(set))
    of_the_pack(executed, facts)
    of_the_page(facts)
    return facts


def differing(facts: Facts) -> dict[str, dict[str, set[int]]]:
    return {name: dict(places) for name, places in facts.items() if len(set().union(*places.values())) > 1}


def test_a_number_that_stands_twice_is_the_same(fleet):
    """The fleet has a row that is dated to 2100: once it was read for one statement and not for the other."""
    facts = collected(fleet.execute()[0])
    assert {name: len(places) for name, places in facts.items() if len(places) < 2} == {}
    assert set(facts) == {"gross sales", "number of sales", "rows read", "rows not loaded", "files",
                          "gross sales in twelve months", "rows read in twelve months"}  # fmt: skip
    assert differing(facts) == {}


def test_a_number_that_is_another_would_be_noticed(fleet):
    path, _ = fleet.execute()
    text = path.read_text()
    changed = json.loads(text)
    found = re.compile(r"(rows read, )(\d+)( loaded)")
    for cell in changed["cells"]:
        for output in cell["outputs"]:
            if block := output["data"].get(BLOCK):
                output["data"][BLOCK] = json.loads(found.sub(r"\g<1>9\g<2>\g<3>", json.dumps(block)))
    path.write_text(json.dumps(changed))
    assert set(differing(collected(path))) == {"number of sales"}
