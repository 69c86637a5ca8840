"""Changes of a sealed pack, as somebody without its key could make them, each of a kind and by chance."""

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path

from t3lib.seal import chain, keys, tables
from t3lib.seal.contents import CONTENTS

SALES = "data/sales.csv"
_OTHERS = {"payment_type": {"card": "cash", "cash": "card"}}


def rows_of(folder: Path, path: str) -> list[list[str]]:
    """The rows of a table without their checks."""
    return tables.read(folder / path, CONTENTS[path].columns).rows


def rewrite(folder: Path, path: str, rows: list[list[str]]) -> None:
    """Write a table with checks that follow."""
    tables.write(folder / path, CONTENTS[path].columns, rows)


def sealed_again(folder: Path, *, signed_by=None) -> None:
    """A manifest that fits the parts as they are now, with the signature that was there, or one by another key."""
    manifest = json.loads((folder / chain.MANIFEST).read_bytes())
    manifest["parts"] = chain.parts(folder)
    manifest["chain"] = chain.chain(manifest["parts"])
    if signed_by is not None:
        manifest["public_key"] = keys.public(signed_by)
    content = chain.canonical(manifest)
    (folder / chain.MANIFEST).write_bytes(content)
    if signed_by is not None:
        (folder / chain.SIGNATURE).write_text(keys.sign(content, signed_by) + "\n")


def _cell(folder: Path, path: str, by: random.Random, *, checked: bool) -> str:
    """One cell of one row is another; with `checked` its own check, too."""
    lines = (folder / path).read_text(encoding="utf-8").splitlines()
    number = by.randrange(1, len(lines))
    [cells] = csv.reader([lines[number]])
    place = by.choice([n for n, cell in enumerate(cells[:-1]) if cell])
    cells[place] = _other(cells[place], by)
    if checked:
        [before] = csv.reader([lines[number - 1]])
        start = tables._first(CONTENTS[path].columns) if number == 1 else before[-1]
        cells[-1] = tables._next(start, cells[:-1])
    lines[number] = ",".join(f'"{cell}"' if "," in cell else cell for cell in cells)
    (folder / path).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _other(text: str, by: random.Random) -> str:
    """A text in which one letter or digit is another one."""
    place = by.choice([n for n, one in enumerate(text) if one.isalnum()] or [0])
    return text[:place] + by.choice([one for one in "0123456789abc" if one != text[place]]) + text[place + 1 :]


def a_sale(folder: Path, by: random.Random) -> str:
    return _cell(folder, SALES, by, checked=False)


def a_sale_and_its_check(folder: Path, by: random.Random) -> str:
    return _cell(folder, SALES, by, checked=True)


def a_sale_removed_and_all_checks_rewritten(folder: Path, by: random.Random) -> str:
    rows = rows_of(folder, SALES)
    rows.pop(by.randrange(len(rows)))
    rewrite(folder, SALES, rows)
    return SALES


def a_sale_added_and_all_checks_rewritten(folder: Path, by: random.Random) -> str:
    rows = rows_of(folder, SALES)
    rows.insert(by.randrange(len(rows)), by.choice(rows))
    rewrite(folder, SALES, rows)
    return SALES


def a_row_of_another_table(folder: Path, by: random.Random) -> str:
    filled = [path for path in CONTENTS if path != SALES and rows_of(folder, path)]
    return _cell(folder, by.choice(filled), by, checked=by.random() < 0.5)


def a_figure(folder: Path, by: random.Random) -> str:
    path = folder / "figures.json"
    found = json.loads(path.read_bytes())
    numbers = [(figure["values"], name) for figure in found["figures"] for name, one in figure["values"].items()
               if type(one) in (int, float)]  # fmt: skip
    values, name = by.choice(numbers)
    values[name] += by.choice([-1, 1, 100])
    path.write_bytes(chain.canonical(found))
    return "figures.json"


def the_manifest(folder: Path, by: random.Random) -> str:
    text = (folder / chain.MANIFEST).read_text(encoding="utf-8")
    place = by.choice([n for n, one in enumerate(text) if one.isdigit()])
    digit = str((int(text[place]) + by.randrange(1, 10)) % 10)
    (folder / chain.MANIFEST).write_text(text[:place] + digit + text[place + 1 :], encoding="utf-8")
    return chain.MANIFEST


def a_byte_of_a_document(folder: Path, by: random.Random) -> str:
    path = by.choice(sorted((folder / "documents").iterdir()))
    content = bytearray(path.read_bytes())
    content[by.randrange(len(content))] ^= 1 << by.randrange(8)
    path.write_bytes(content)
    return f"documents/{path.name}"


def a_file_added_or_removed(folder: Path, by: random.Random) -> str:
    if by.random() < 0.5:
        name = by.choice(["documents/note.txt", "data/more.csv", "z", ".hidden"])
        (folder / name).write_text("")
        return name
    path = by.choice(sorted(one for one in folder.rglob("*") if one.is_file() and one.name != chain.MANIFEST))
    path.unlink()
    return path.relative_to(folder).as_posix()


def everything_hashed_again_without_the_key(folder: Path, by: random.Random) -> str:
    rows = rows_of(folder, SALES)
    row = by.choice(rows)
    place = CONTENTS[SALES].columns.index("total_pence")
    row[place] = str(int(row[place]) + by.randrange(1, 1000))
    rewrite(folder, SALES, rows)
    sealed_again(folder)
    return chain.MANIFEST


KINDS: tuple[Callable[[Path, random.Random], str], ...] = (
    a_sale, a_sale_and_its_check, a_sale_removed_and_all_checks_rewritten, a_sale_added_and_all_checks_rewritten,
    a_row_of_another_table, a_figure, the_manifest, a_byte_of_a_document, a_file_added_or_removed,
    everything_hashed_again_without_the_key,
)  # fmt: skip
