"""Files of every kind that the bucket may hold, good ones made by chance and then spoilt by chance."""

import gzip
import io
import random
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

TOTALS = ("7", "9.6", "8.70", "12.99", "0.99", "£5", "1,234.50", "7,50", "VOID", "ERR", "", "0", "-3", "499", "x")
FIRST = datetime(2026, 11, 5, 9)


def made(number: int) -> tuple[str, bytes]:
    """The key and the bytes of one file; the same number gives the same file."""
    chance = random.Random(number)
    key, data = chance.choice(KINDS)(chance, number)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        data = chance.choice(FAULTS)(chance, data)
    return key, data


def sales(chance: random.Random, number: int) -> tuple[str, bytes]:
    """A live file in some dialect."""
    mark, end, quote = chance.choice(",,,;\t"), chance.choice(("\n", "\n", "\r\n", "\r")), chance.choice(("", "", '"'))
    cells = [["timestamp", "type", "total"], *_rows(chance)]
    if chance.random() < 0.2:
        cells = [[*row, "more"] for row in cells]
    if chance.random() < 0.2:
        cells = [row[::-1] for row in cells]
    text = end.join(mark.join(quote + cell + quote for cell in row) for row in cells) + chance.choice((end, ""))
    return _live_key(number), text.encode(chance.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1")))


def history(chance: random.Random, number: int) -> tuple[str, bytes]:
    """A history file with some types for its columns, and codecs."""
    rows = _rows(chance)
    columns = {"timestamp": [r[0] for r in rows], "type": [r[1] for r in rows], "total": chance.choice(COLUMNS)(rows)}
    out = io.BytesIO()
    version = chance.choice(("1.0", "2.0"))
    codec = chance.choice(("snappy", "gzip", "zstd", "none"))
    pq.write_table(pa.table(columns), out, compression=codec, data_page_version=version, row_group_size=7)
    return f"historical/TRUCK_DATA_HIST_{number + 1}.parquet", out.getvalue()


def details(chance: random.Random, number: int) -> tuple[str, bytes]:
    """The workbook of trucks and locations."""
    book = openpyxl.Workbook()
    book.active.title = "trucks"
    book.active.append(["ID", "NAME", "DESCRIPTION", "HAS_CARD_READER", "FSA_RATING_22"])
    for truck in range(1, 4):
        book.active.append([float(truck), f"Truck {truck}", "x", chance.choice(("YES", "NO", "maybe", None)),
                            chance.choice((0.0, 5.0, 99999.0, None))])  # fmt: skip
    book.create_sheet("locations").append(["ID", "NAME"])
    out = io.BytesIO()
    book.save(out)
    return "metadata/details.xlsx", out.getvalue()


def lists(chance: random.Random, number: int) -> tuple[str, bytes]:
    """One of the hand-kept CSV files, with values at the edges."""
    price = chance.choice(("7.50", "99999999999", "1e9", "-1", "0", "free"))
    item = chance.choice(("Taco", "T" * 5000, "", "a\0b"))
    day = chance.choice(("2026-11-05", "0001-01-01", "9999-12-31", "2026-02-30"))
    later = chance.choice(("2026-11-06", "0001-01-02", "2026-11-05"))
    amount = chance.choice(("20", "NaN", "-5", "101", "1e30"))
    return chance.choice((
        ("metadata/menu.csv", f"truck_id,menu_item,menu_type,price\n1,{item},Hot,{price}\n1,Taco,Hot,2\n".encode()),
        ("metadata/pitches.csv", f"truck_id,location_id,from,to\n1,1,{day},{later}\n".encode()),
        ("metadata/costs.csv", f"truck_id,cost,amount,per,from\n,vat,{amount},percent,{day}\n".encode()),
    ))  # fmt: skip


def foreign(chance: random.Random, number: int) -> tuple[str, bytes]:
    """Something else under the name of a live file."""
    _, good = chance.choice((sales, history, details))(chance, number)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("T3_T1_A1.csv", good)
    wrapped = (packed.getvalue(), gzip.compress(good), good, chance.randbytes(300), b"PAR1" + good + b"PARE")
    key = chance.choice((_live_key(number), f"historical/TRUCK_DATA_HIST_{number + 1}.parquet"))
    return key, chance.choice(wrapped)


def truncate(chance: random.Random, data: bytes) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def flip(chance: random.Random, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 3, 20)) if data else 0):
        out[chance.randrange(len(out))] = chance.randrange(256)
    return bytes(out)


def insert(chance: random.Random, data: bytes) -> bytes:
    place = chance.randrange(len(data) + 1)
    strange = (b"\0", b"\0\0", b'"', b"\r", b"\n\n", b",,,,", b"\xff\xfe", b"\xed\xa0", "\u2028\x85".encode(),
               b"\x1a", b"\xef\xbb\xbf", "🌮".encode(), b"\\N", b"'; DROP TABLE core.sale; --", b"\x0b")  # fmt: skip
    return data[:place] + chance.choice(strange) + data[place:]


def misquote(chance: random.Random, data: bytes) -> bytes:
    """One or two quotes that open or close a cell, and leave the rest as it is."""
    for _ in range(chance.choice((1, 2, 2))):
        borders = [place for place, sign in enumerate(data) if sign in b",;\t\n"]
        place = chance.choice(borders) + chance.choice((0, 1)) if borders else 0
        data = data[:place] + b'"' + data[place:]
    return data


def swell(chance: random.Random, data: bytes) -> bytes:
    """A huge cell, or a row of very many cells, before the last line."""
    place = data.rfind(b"\n", 0, -1) + 1
    return data[:place] + chance.choice((b"9" * 200_000, b"," * 1_000_000, b'"' + b"a\n" * 50_000)) + data[place:]


def repeat(chance: random.Random, data: bytes) -> bytes:
    first, last = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
    return data[:last] + data[first:last] + data[last:]


def recode(chance: random.Random, data: bytes) -> bytes:
    return data.decode("latin-1").encode(chance.choice(("utf-16-le", "utf-16", "utf-32", "utf-7", "utf-8")))


def _rows(chance: random.Random) -> list[list[str]]:
    def row() -> list[str]:
        at = FIRST + timedelta(minutes=chance.randrange(180))
        stamp = at.strftime(
            chance.choice(("%Y-%m-%d %H:%M:%S+00:00", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%MZ", "%d/%m/%Y"))
        )
        return [stamp, chance.choice(("card", "cash", " Card ", "?")), chance.choice(TOTALS)]

    return [row() for _ in range(chance.choice((0, 1, 5, 40)))]


def _live_key(number: int) -> str:
    return f"trucks/2026-11/5/12/T3_T{number + 1}_A1.csv"


_WORDS = [lambda rows: [row[2] for row in rows], lambda rows: pa.array([row[2] for row in rows]).dictionary_encode()]
COLUMNS: list[Callable] = [
    *_WORDS,
    *_WORDS,
    lambda rows: [8.7 for _ in rows],
    lambda rows: pa.array([8.7 for _ in rows], pa.float32()),
    lambda rows: pa.array([Decimal("8.70") for _ in rows], pa.decimal128(9, 2)),
    lambda rows: pa.array([["8.70"] for _ in rows], pa.list_(pa.string())),
    lambda rows: pa.array([{"pounds": 8} for _ in rows], pa.struct([("pounds", pa.int8())])),
    lambda rows: pa.array([row[2] for row in rows], pa.large_string()),
    lambda rows: pa.array([row[2] for row in rows], pa.string_view()),
    lambda rows: pa.array([b"8.7\0\xff" for _ in rows], pa.binary()),
    lambda rows: pa.array([7 for _ in rows], pa.int8()),
    lambda rows: pa.array([None for _ in rows], pa.null()),
    lambda rows: pa.array([2**62 for _ in rows], pa.timestamp("us", "UTC")),
    lambda rows: pa.array([7 for _ in rows], pa.duration("s")),
]
KINDS = (sales, sales, sales, history, history, details, lists, foreign)
FAULTS = (truncate, flip, flip, insert, insert, misquote, misquote, swell, repeat, recode)
