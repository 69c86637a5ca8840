"""Which rules decided rows: the sentence and the text of each, as they were when the rows were cleaned."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from t3lib.warehouse.files.rulesets import BEFORE

Record = dict[str, Any]

_RULESETS = sa.text("SELECT hash, cells, stated FROM mart.ruleset WHERE hash = ANY(:hashes) ORDER BY first_used_at")


def deciding(db: sa.Connection, files: list[Record], sales: list[Record], rejects: list[Record]) -> list[Record]:
    """One row per rule that rejected, flagged or read some of these rows, the most frequent first.

    ruleset: the hash of its rules. cell: its number among them, and text, both null where it is not known. decision:
    in words. sentence: null for what reads a text; that needs the raw text of sales (`raw`)."""
    known = {row.hash: row for row in db.execute(_RULESETS, {"hashes": _hashes(files, rejects)})}
    under = {file["file_id"]: known.get(file["ruleset"] or BEFORE) for file in files}
    counts: Counter[tuple[str, str, str | None, int | None]] = Counter()
    for row in rejects:
        if (rules := known.get(row["ruleset"] or BEFORE)) is not None:
            counts[rules.hash, f"rejected: {row['reason']}", row["sentence"], _cell(rules, row["reason"])] += 1
    for sale in sales:
        if (rules := under.get(sale["file_id"])) is not None:
            counts.update(_of_sale(rules, sale))
    return [
        {"ruleset": of, "cell": cell, "decision": decision, "rows": rows, "sentence": sentence,
         "text": known[of].cells[cell - 1] if cell else None}
        for (of, decision, sentence, cell), rows in counts.most_common()
    ]  # fmt: skip


def texts(db: sa.Connection, files: list[Record], rejects: list[Record]) -> dict[str, list[str]]:
    """The cells of all rules under which these files and rows were cleaned, by their hash, the oldest first."""
    return {row.hash: row.cells for row in db.execute(_RULESETS, {"hashes": _hashes(files, rejects)}) if row.cells}


def _hashes(files: list[Record], rejects: list[Record]) -> list[str]:
    return sorted({row["ruleset"] or BEFORE for row in (*files, *rejects)})


def _cell(rules: sa.Row[Any], code: str) -> int | None:
    cell: int | None = rules.stated["rules"].get(code, {}).get("cell")
    return cell


def _of_sale(rules: sa.Row[Any], sale: Record) -> Iterator[tuple[str, str, str | None, int | None]]:
    for flag in sale["flags"]:
        if stated := rules.stated["rules"].get(flag):
            yield rules.hash, f"flagged: {flag}", stated["sentence"], stated.get("cell")
    if not sale["decision"]:  # what a person or a replay decided was read by other rules
        last = {reading["column"] == "total": reading for reading in rules.stated["readings"] if _reads(reading, sale)}
        for reading in last.values():
            column = "payment" if reading["column"] == "type" else reading["column"]
            yield rules.hash, f"{column} read as {reading['as']}", None, reading["cell"]


def _reads(reading: Record, sale: Record) -> bool:
    written = sale.get("raw", {}).get(reading["column"])
    return written is not None and written.strip().lower() in reading["texts"]
