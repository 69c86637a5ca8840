"""Files whose sales another loaded file of the truck holds already: they are held for a person."""

from collections import defaultdict
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from t3lib.warehouse.db.cursor import Cursor
from t3lib.warehouse.files import identity
from t3lib.warehouse.files.common_sales import Common, compare
from t3lib.warehouse.sales.change import SALE_SCHEMA, sales_of

Row = dict[str, Any]
Hold = tuple[str, str] | None
_RELEASE = "held until a person releases it."


class DuplicateSearch:
    """Finds the loaded files that hold the same sales as files of a batch."""

    def __init__(self, cursor: Cursor, own: list[Row], under_way: list[Row], sales: pa.Table):
        self._cursor = cursor
        self._loaded: dict[int, Row] = {}
        self._replaced: set[int] = set()
        self._pairs: dict[int, list[Row]] = defaultdict(list)
        mine = {row["file_id"] for row in own}
        within = [pair for pair in under_way if pair["other_id"] in mine]
        for pair in (*within, *identity.loaded_pairs(cursor, own)):
            self._pairs[pair["file_id"]].append(pair)
        involved = pa.array([pair["file_id"] for pair in within] + list(self._pairs), pa.int64())
        self._sales = sales.filter(pc.is_in(sales["file_id"], value_set=involved)).select(SALE_SCHEMA.names)

    def add(self, row: Row) -> None:
        """Count a file of the batch as loaded, instead of the version it replaces, for the files decided after it."""
        self._loaded[row["file_id"]] = row
        self._replaced.add(row["replaces"])

    def remove(self, row: Row) -> None:
        """Count a file of the batch as loaded no longer: a newer version in the batch replaces it."""
        self._loaded.pop(row["file_id"])

    def hold(self, row: Row, replaced: int | None) -> Hold:
        """(state, reason) of a file that must be held because of other loaded files; None when it may load."""
        others = self._others(row)
        for other in others:
            if other["by"] == "content" or other.get("content_sha256") == row["content_sha256"]:
                return "held_duplicate", f"The same content as {other['key']}: {_RELEASE}"
            if other["by"] == "rejects":
                return "held_duplicate", f"The same rows as {other['key']}, none of them a sale: {_RELEASE}"
        if not others:
            return None
        own = self._sales.filter(pc.equal(self._sales["file_id"], row["file_id"]))
        return self._overlap(own, {other["other_id"]: other for other in others}, replaced)

    def _others(self, row: Row) -> list[Row]:
        """Loaded files that may hold the same rows, without files that this batch replaces and versions of its keys."""
        found = []
        for pair in self._pairs.get(row["file_id"], ()):
            other = pair if "key" in pair else pair | self._loaded.get(pair["other_id"], {})
            is_loaded = "key" in other and other["other_id"] not in self._replaced
            if is_loaded and (other.get("is_twin") or other["logical_key"] != row["logical_key"]):
                found.append(other)
        return found

    def _overlap(self, own: pa.Table, others: dict[int, Row], replaced: int | None) -> Hold:
        """Whether a file's sales hold it; files that shared most sales with the version it replaces are left out."""
        sold = self._sold(list(others))
        common = {other: found for other, rows in sold.items() if (found := compare(own, rows))}
        if replaced and any(found.most for found in common.values()):
            before = self._sold([replaced])[replaced]
            common = {other: found for other, found in common.items() if not _most(before, sold[other])}
        if not common:
            return None
        nearest = max(common, key=lambda other: (common[other].same, common[other].most, common[other].rows))
        key, found = others[nearest]["key"], common[nearest]
        if found.same:
            return "held_duplicate", f"The same {_sales(found.own)} as {key}: {_RELEASE}"
        together = compare(own, pa.concat_tables([sold[other] for other in common]))
        if together is None or not (found.most or together.are_most_of(together.own)):
            return None
        return "held_overlap", _reason(key, found, together, len(common))

    def _sold(self, files: list[int]) -> dict[int, pa.Table]:
        """The sales of files, of this batch or loaded, by file."""
        existing = sales_of(self._cursor, [file for file in files if file not in self._loaded])
        both = pa.concat_tables([existing, self._sales.cast(SALE_SCHEMA)])
        return {file: both.filter(pc.equal(both["file_id"], file)) for file in files}


def _most(own: pa.Table, other: pa.Table) -> bool:
    found = compare(own, other)
    return found is not None and found.most


def _reason(key: str, found: Common, together: Common, files: int) -> str:
    """How many sales are shared, and with which file most of them."""
    part = f"{found.rows:,} of its {_sales(found.own)} are also among the {found.other:,} of {key}"
    if files > 1 and together.rows > found.rows:
        part += f", and {together.rows:,} of them in {files:,} loaded files"
    return f"{part}: {_RELEASE}"


def _sales(count: int) -> str:
    return "sale" if count == 1 else f"{count:,} sales"
