"""Keys and rows of the feed."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from t3lib import feed
from t3lib.feed import bounds, csv_records
from t3lib.feed.keys import batch_window, recent_prefixes
from t3lib.feed.metadata import read_metadata
from t3lib.settings import ROOT

HEADER = "timestamp,type,total\n"
ROW = {"timestamp": "2026-11-05 10:00:00+00:00", "type": "card", "total": "8.70"}
LINE = "2026-11-05 10:00:00+00:00,card,8.70\n"


def read(text: str | bytes, key: str = "x.csv") -> list[dict]:
    """The rows that have the header's number of cells."""
    found = feed.read(key, text.encode() if isinstance(text, str) else text).to_pylist()
    return [row for row in found if row.pop("line") is None]


@pytest.mark.parametrize("folder", ["2026-3/5/12", "2026-03/05/12"])
def test_a_sales_key_is_read_padded_or_not(folder):
    key = feed.parse(f"trucks/{folder}/T3_T6_A1.csv")
    assert (key.kind, key.truck_id, key.suffix, key.batch_date, key.batch_hour) == (
        "sales", 6, "A1", date(2026, 3, 5), 12,
    )  # fmt: skip


def test_history_and_metadata_have_their_keys():
    assert feed.parse("historical/TRUCK_DATA_HIST_3.parquet").truck_id == 3
    assert feed.parse("metadata/menu.csv").kind == "metadata"


@pytest.mark.parametrize(
    "key",
    ["readme.txt", "trucks/2026-13/5/12/T3_T1_A1.csv", "trucks/2026-3/5/12/T3_T1_A1.csv.tmp", "metadata/notes.csv",
     "trucks/2026-3/5/25/T3_T1_A1.csv"],
)  # fmt: skip
def test_anything_else_is_not_ours_and_says_why(key):
    assert (feed.parse(key).kind, bool(feed.parse(key).reason)) == ("other", True)


def test_a_batch_covers_three_local_hours():
    assert batch_window(date(2026, 7, 5), 12)[0] == datetime(2026, 7, 5, 8, tzinfo=UTC)
    assert batch_window(date(2026, 11, 5), 12)[1] == datetime(2026, 11, 5, 12, tzinfo=UTC)


def test_recent_days_are_listed_in_both_spellings():
    assert recent_prefixes(date(2026, 3, 5), 1) == ["metadata", "settlements", "trucks/2026-03/05", "trucks/2026-03/5",
                                                    "trucks/2026-3/05", "trucks/2026-3/5"]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [HEADER + LINE, (HEADER + LINE).replace("\n", "\r\n"), "\ufeff" + HEADER + LINE, (HEADER + LINE).replace(",", ";"),
     HEADER + LINE.rstrip("\n"), HEADER.upper() + LINE, HEADER + "\n" + LINE + "\n",
     'timestamp,type,total\n"2026-11-05 10:00:00+00:00","card","8.70"\n',
     "total,type,timestamp\n8.70,card,2026-11-05 10:00:00+00:00\n"],
)  # fmt: skip
def test_the_same_row_is_read_from_every_spelling(text):
    assert read(text) == [ROW]


def test_utf_16_is_read_by_its_mark_and_latin_1_as_the_fallback():
    assert read((HEADER + LINE).encode("utf-16")) == [ROW]
    assert read((HEADER + LINE.replace("8.70", "£8.70")).encode("latin-1"))[0]["total"] == "£8.70"


def test_identical_rows_are_all_kept():
    assert len(read(HEADER + LINE + LINE)) == 2


@pytest.mark.parametrize("header", ["\ttimestamp\ttype\ttotal", '"a\tb"\ttimestamp\ttype\ttotal'])
def test_columns_are_found_where_the_header_has_them(header):
    assert read(f"{header}\nx\t2026-11-05 10:00:00+00:00\tcard\t8.70\n") == [ROW]


def test_a_very_long_cell_is_cut_and_says_so():
    total = read(HEADER + "a,card," + "9" * 10**6 + "\n")[0]["total"]
    assert total.startswith("9" * 1000 + " … cut here")
    assert len(total) < 1100


def test_a_million_columns_are_refused_by_the_header_and_kept_as_a_row_that_is_cut():
    with pytest.raises(feed.FeedError, match="first line has"):
        read("timestamp,type,total" + ",x" * 10**6 + "\n1,2,3\n")
    (row,) = feed.read("x.csv", (HEADER + "a,card,1" + ",x" * 10**6 + "\n").encode()).to_pylist()
    assert row["line"].startswith("a,card,1,x,x")
    assert row["line"].endswith("… cut here: a row may have 10,000 characters")
    assert row["total"] is None


def test_the_bounds_are_those_of_the_documentation():
    text = (ROOT / "docs" / "operating.md").read_text()
    sizes = (bounds.MOST_BYTES // 2**20, bounds.MOST_UNPACKED // 2**20)
    assert [f"{size} MB" in text for size in sizes] == [True, True]
    counts = (bounds.MOST_ROWS, bounds.MOST_CHARACTERS, bounds.MOST_IN_ROW, csv_records.MAX_HEADER)
    assert [f"{count:,}" in text for count in counts] == [True] * 4


def test_a_nul_byte_becomes_a_visible_sign():
    assert read(HEADER + "a\0b,card,1\n")[0]["timestamp"] == "a␀b"


def test_a_header_without_rows_is_no_error():
    assert read(HEADER) == read(HEADER.strip()) == []


@pytest.mark.parametrize(("data", "state"), [(b"", "unreadable"), (b"time,kind,sum\n1,2,3\n", "bad_header"),
                                             (b"\xff\xfex", "unreadable"), (b"x" * 10**6, "bad_header"),
                                             (("a," * 10**6).encode(), "bad_header")])  # fmt: skip
def test_a_file_that_cannot_be_read_says_so(data, state):
    with pytest.raises(feed.FeedError) as error:
        read(data)
    assert error.value.state == state
    assert str(error.value).endswith(".")


def parquet(**columns) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def test_a_history_file_is_read_as_text_whatever_its_types():
    stamp = datetime(2026, 11, 5, 10)
    data = parquet(timestamp=[stamp, stamp], type=["card", "cash"], total=["8.7", "VOID"])
    assert read(data, "h.parquet")[0] == {"timestamp": "2026-11-05 10:00:00", "type": "card", "total": "8.7"}
    assert read(parquet(timestamp=["x"], type=["card"], total=[8.7]), "h.parquet")[0]["total"] == "8.7"


@pytest.mark.parametrize(
    ("total", "text"),
    [(["8.7\0"], "8.7␀"), (pa.array([b"\xa38.7"]), "£8.7"), (pa.array(["8.70"]).dictionary_encode(), "8.70"),
     (pa.array(["8.70"], pa.large_string()), "8.70"), (pa.array(["8.70"], pa.string_view()), "8.70"),
     (pa.array([Decimal("8.70")], pa.decimal128(9, 2)), "8.70"), (pa.array([8.7], pa.float32()), "8.7"),
     (pa.array([None], pa.null()), None), (["9" * 2000], "9" * 1000 + " … cut here: a cell may have 1,000 characters")],
)  # fmt: skip
def test_a_history_cell_is_the_text_that_a_person_would_have_written(total, text):
    assert read(parquet(timestamp=["x"], type=["card"], total=total), "h.parquet")[0]["total"] == text


@pytest.mark.parametrize("total", [[["8.7"]], [{"pounds": 8}], pa.array([7], pa.duration("s"))])
def test_a_history_column_that_is_no_text_or_number_is_refused(total):
    with pytest.raises(feed.FeedError, match="not text or numbers"):
        read(parquet(timestamp=["x"], type=["card"], total=total), "h.parquet")


def test_a_truncated_history_file_is_unreadable():
    data = parquet(timestamp=["x"], type=["card"], total=["1"])
    with pytest.raises(feed.FeedError, match="Not a complete Parquet file"):
        read(data[:-20], "h.parquet")


MENU = b"truck_id,menu_item,menu_type,price,unit_cost\n1,Taco,Mexican,7.50,2.10\n"


def test_a_menu_is_read_in_pence():
    assert read_metadata("metadata/menu.csv", MENU) == {
        "menu_item": [{"truck_id": 1, "menu_item": "Taco", "menu_type": "Mexican", "price_pence": 750,
                       "unit_cost_pence": 210, "vat_pct": None, "from_at": None, "to_at": None}]}  # fmt: skip


def test_a_faulty_menu_is_refused_whole_and_names_the_place():
    with pytest.raises(feed.FeedError, match="line 3: 'free' in column price"):
        read_metadata("metadata/menu.csv", MENU + b"1,Soup,Mexican,free,\n")


@pytest.mark.parametrize(
    ("name", "rows", "words"),
    [("menu.csv", "truck_id,menu_item,menu_type,price\n1,Taco,Hot,7\n1,Taco,Hot,8\n", "Taco on its menu twice"),
     ("menu.csv", "truck_id,menu_item,menu_type,price\n1,Taco,Hot,99999999999\n", "an amount like"),
     ("menu.csv", f"truck_id,menu_item,menu_type,price\n1,{'x' * 201},Hot,7\n", "at most 200 characters"),
     ("menu.csv", "truck_id,menu_item,menu_type,price" + ",x" * 60, "columns; at most 50"),
     ("pitches.csv", "truck_id,location_id,from,to\n1,1,2026-11-05,2026-11-05\n", "before it arrives")],
)  # fmt: skip
def test_what_the_tables_cannot_hold_is_refused_in_words(name, rows, words):
    with pytest.raises(feed.FeedError, match=words):
        read_metadata(f"metadata/{name}", rows.encode())


def test_two_places_at_once_are_refused():
    rows = "truck_id,location_id,from,to\n1,1,2026-11-05,2026-11-06\n1,2,2026-11-05T12:00,2026-11-06\n"
    with pytest.raises(feed.FeedError, match="two places"):
        read_metadata("metadata/pitches.csv", rows.encode())


def test_a_cost_is_pence_or_a_percentage():
    rows = "truck_id,cost,amount,per,from\n,vat,20,percent,2026-01-01\n1,wages,95.50,day,2026-01-01\n"
    costs = read_metadata("metadata/costs.csv", rows.encode())["cost"]
    assert [(c["truck_id"], c["amount"], c["per"]) for c in costs] == [(None, "20", "percent"), (1, "9550", "day")]


def workbook(trucks: list[list], locations: list[list]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "trucks"
    for row in trucks:
        book.active.append(row)
    sheet = book.create_sheet("locations")
    for row in locations:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_details_have_whole_ids_and_no_blank_rows():
    head = ["ID", "NAME", "DESCRIPTION", "HAS_CARD_READER", "FSA_RATING_22"]
    data = workbook(
        [head, [6.0, "Smoothie", "x", "NO", 3.0]], [["ID", "NAME"], [1.0, "Market"], [None, None], [None, "   "]]
    )
    found = read_metadata("metadata/details.xlsx", data)
    assert found["truck"][0] == {"truck_id": 6, "name": "Smoothie", "description": "x", "has_card_reader": False,
                                 "fsa_rating": 3}  # fmt: skip
    assert found["location"] == [{"location_id": 1, "name": "Market"}]


def test_details_without_an_id_column_are_refused():
    with pytest.raises(feed.FeedError, match="no column ID"):
        read_metadata("metadata/details.xlsx", workbook([["NAME"], ["x"]], []))


@pytest.mark.parametrize(("rating", "stored"), [(0.0, 0), (5, 5), (None, None)])
def test_a_hygiene_rating_is_zero_to_five(rating, stored):
    header = ["ID", "NAME", "HAS_CARD_READER", "FSA_RATING_22"]
    data = workbook([header, [1, "Taco", "YES", rating]], [["ID", "NAME"]])
    assert read_metadata("metadata/details.xlsx", data)["truck"][0]["fsa_rating"] == stored
    with pytest.raises(feed.FeedError, match="from 0 to 5"):
        read_metadata("metadata/details.xlsx", workbook([header, [1, "Taco", "YES", 99999]], []))


@pytest.mark.slow  # it writes a sheet of 30,000 rows
def test_a_value_far_below_the_sheet_is_refused():
    trucks: list[list] = [["ID", "NAME"], *[[None]] * 30_000, [1, "Taco"]]
    with pytest.raises(feed.FeedError, match="below row"):
        read_metadata("metadata/details.xlsx", workbook(trucks, []))


@pytest.mark.parametrize(
    ("name", "words"),
    [("T3_T3_A1.csv.gz", "unpack it and upload it as"), ("T3_T3_A1.csv.ZIP", "unpack it and upload it as"),
     ("T3_T3_A1.CSV", "rename it to"), ("T3_T3_A1 (1).csv", "rename it to"), ("T3_T3_A1(1).csv", "rename it to"),
     ("T3_T3_A1.csv (2)", "rename it to"), ("T3_T3_A1 - Copy.csv", "rename it to"), ("t3_t3_a1.csv", "rename it to"),
     ("T3_T3_A1 (1).csv.gz", "unpack it and upload it as"), ("T3_T3_A1.csv.gz (1)", "unpack it and upload it as")],
)  # fmt: skip
def test_a_key_that_is_nearly_right_says_what_to_do(name, words):
    found = feed.parse(f"trucks/2026-3/5/12/{name}")
    assert (found.kind, words in found.reason) == ("other", True)
    assert found.reason.endswith(" trucks/2026-3/5/12/T3_T3_A1.csv.")


@pytest.mark.parametrize(
    ("key", "meant"),
    [("metadata/Menu.csv", "metadata/menu.csv"), ("metadata/details (1).xlsx", "metadata/details.xlsx"),
     ("historical/truck_data_hist_3.PARQUET", "historical/TRUCK_DATA_HIST_3.parquet")],
)  # fmt: skip
def test_other_files_of_the_feed_get_a_suggested_name_too(key, meant):
    assert feed.parse(key).reason.endswith(f"rename it to {meant}.")


@pytest.mark.parametrize(
    ("header", "shown"),
    [("timestamp,type,to\u200btal", "to<U+200B ZERO WIDTH SPACE>tal"),
     ("timestamp,type,t\u043etal", "t<U+043E CYRILLIC SMALL LETTER O>tal"),
     ("time\u00a0stamp,type,total", "time<U+00A0 NO-BREAK SPACE>stamp"),
     ("\u202etimestamp,type,total", "<U+202E RIGHT-TO-LEFT OVERRIDE>timestamp"), ("a\x07,b,c", "<U+0007 control>")],
)  # fmt: skip
def test_a_header_that_only_looks_right_shows_what_is_wrong(header, shown):
    with pytest.raises(feed.FeedError) as error:
        read(header + "\n1,2,3\n")
    assert error.value.state == "bad_header"
    assert shown in str(error.value)
