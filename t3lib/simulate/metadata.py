"""The hand-kept files of the made-up fleet: details.xlsx, menu.csv, pitches.csv, costs.csv."""

import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from t3lib.simulate.files import LONDON, csv_file
from t3lib.simulate.fleet import LOCATIONS, Truck, is_festival, location, truck

BLANK_ROWS = 18
PITCHES_AHEAD = timedelta(days=14)
DAY_START = time(4)
_ZIP_DATE = (2026, 1, 1, 0, 0, 0)
_SAVED = datetime(2026, 1, 1)

# (cost, amount, per) of the fleet as a whole, then of each truck.
FLEET_COSTS = (
    ("vat", "20", "percent"), ("card_fee", "1.75", "percent"), ("office", "1450.00", "month"),
    ("packaging", "0.11", "sale"),
)  # fmt: skip
TRUCK_COSTS = (("wages", "hour"), ("fuel", "day"), ("insurance", "month"))
# Pounds in the order of TRUCK_COSTS, per kind of truck.
TRUCK_AMOUNTS = (
    ("21.80", "14.50", "118.00"), ("31.70", "17.00", "132.00"), ("13.10", "8.00", "96.00"),
    ("12.21", "9.50", "96.00"), ("12.60", "11.00", "96.00"), ("12.21", "7.50", "88.00"),
)  # fmt: skip
# (fee, fee_per, fee_percent) of each place; at a festival it is for the whole stay.
PITCH_FEES = {1: ("35.00", "day", ""), 2: ("", "", "12.5"), 3: ("15.00", "day", "5"), 4: ("28.00", "day", "")}
PITCHES = ("truck_id", "location_id", "from", "to", "event", "fee", "fee_per", "fee_percent")
FESTIVAL, FESTIVAL_FEE = "Festival", ("60.00", "stay", "10")


def metadata_files(trucks: int, first: date, end: date, seed: int) -> dict[str, bytes]:
    """The four files by key. Pitches reach two weeks beyond the last date, as they are booked ahead."""
    fleet = [truck(number, seed) for number in range(1, trucks + 1)]
    return {
        "metadata/details.xlsx": _details(fleet),
        "metadata/menu.csv": csv_file(("truck_id", "menu_item", "menu_type", "price", "unit_cost"), _menu(fleet)),
        "metadata/pitches.csv": csv_file(PITCHES, _pitches(trucks, first, end + PITCHES_AHEAD)),
        "metadata/costs.csv": csv_file(("truck_id", "cost", "amount", "per", "from"), _costs(fleet, first, end)),
    }  # fmt: skip


def _details(fleet: list[Truck]) -> bytes:
    """The workbook as the office keeps it: ids as floats, a tail of blank rows that ends in spaces."""
    import openpyxl

    book = openpyxl.Workbook()
    book.properties.created = _SAVED
    sheet = book.worksheets[0]
    sheet.title = "trucks"
    sheet.append(("ID", "NAME", "DESCRIPTION", "HAS_CARD_READER", "FSA_RATING_22"))
    for t in fleet:
        reader = "YES" if t.has_card_reader else "NO"
        sheet.append((float(t.truck_id), t.name, t.description, reader, float(t.fsa_rating)))
    places = book.create_sheet("locations")
    places.append(("ID", "NAME"))
    for number, name in LOCATIONS.items():
        places.append((float(number), name))
    places.cell(row=1 + len(LOCATIONS) + BLANK_ROWS, column=2, value=" " * 48)
    sink = io.BytesIO()
    book.save(sink)
    return _without_clock(sink.getvalue())


def _without_clock(workbook: bytes) -> bytes:
    """The same workbook with fixed dates and no compression, so that equal content is equal bytes."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as made, zipfile.ZipFile(sink, "w") as fixed:
        for name in made.namelist():
            data = made.read(name)
            if name == "docProps/core.xml":
                start, end = data.index(b"<dcterms:modified"), data.index(b"</dcterms:modified>")
                stamp = data.index(b">", start) + 1
                data = data[:stamp] + f"{_SAVED:%Y-%m-%dT%H:%M:%SZ}".encode() + data[end:]
            fixed.writestr(zipfile.ZipInfo(name, _ZIP_DATE), data)
    return sink.getvalue()


def _menu(fleet: list[Truck]) -> Iterator[tuple[object, ...]]:
    for t in fleet:
        for item in t.menu:
            yield t.truck_id, item.name, t.menu_type, _pounds(item.price_pence), _pounds(item.unit_cost_pence)


def _pitches(trucks: int, first: date, last: date) -> Iterator[tuple[object, ...]]:
    """One row per truck and stay at a place, from business day to business day."""
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    for truck_id in range(1, trucks + 1):
        places = [(location(truck_id, day), is_festival(day)) for day in days]
        starts = [i for i in range(len(days)) if i == 0 or places[i] != places[i - 1]]
        for start, stop in zip(starts, [*starts[1:], len(days)], strict=True):
            place, festival = places[start]
            terms = (FESTIVAL, *FESTIVAL_FEE) if festival else ("", *PITCH_FEES[place])
            yield truck_id, place, _day_start(days[start]), _day_start(first + timedelta(days=stop)), *terms


def _costs(fleet: list[Truck], first: date, end: date) -> Iterator[tuple[object, ...]]:
    """The costs from the first day on, and wages 4 % higher from half-way on."""
    begin, half = first.isoformat(), (first + (end - first) / 2).isoformat()
    for cost, amount, per in FLEET_COSTS:
        yield "", cost, amount, per, begin
    for t in fleet:
        for (cost, per), amount in zip(TRUCK_COSTS, TRUCK_AMOUNTS[(t.truck_id - 1) % 6], strict=True):
            yield t.truck_id, cost, amount, per, begin
            if cost == "wages":
                yield t.truck_id, cost, _pounds(int(amount.replace(".", "")) * 104 // 100), per, half


def _day_start(day: date) -> str:
    return datetime.combine(day, DAY_START, LONDON).isoformat()


def _pounds(pence: int) -> str:
    return f"{pence // 100}.{pence % 100:02d}"
