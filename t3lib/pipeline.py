"""The three stages of an ingest, as the notebooks call them. Each can be repeated: it reads what is staged before."""

from dataclasses import dataclass

import pyarrow as pa

from t3lib import cleaning, warehouse
from t3lib.cleaning.rules import read_rules
from t3lib.extraction import extract
from t3lib.landing import Landing
from t3lib.staging import Staging
from t3lib.warehouse import again, dimensions, ledger, loading, recleaning, rules
from t3lib.warehouse.change import RulesChangedError, dimensions_stamp


@dataclass(frozen=True)
class Batch:
    """A batch by its id; the empty id is a rehearsal over the latest loaded files, which changes no figure."""

    batch_id: str
    files: list[ledger.File]
    staging: Staging
    is_again: bool = False

    @property
    def is_metadata(self) -> bool:
        """Whether it holds trucks, menus, pitches and costs instead of sales."""
        return any(file.kind == "metadata" for file in self.files)


def open_batch(batch_id: str) -> Batch:
    """The claimed files of a batch and its folder of staged files."""
    with warehouse.connect() as db:
        is_again = again.is_again(db, batch_id)
        return Batch(batch_id, ledger.files(db, batch_id), Staging.of(batch_id), is_again)


def extract_batch(batch: Batch) -> tuple[pa.Table, pa.Table]:
    """Read the files into raw.parquet (one row per row read) and files.parquet (one row per file)."""
    found = extract(batch.files, Landing())
    batch.staging.write("raw", found.raw)
    batch.staging.write_json("dimensions", found.dimensions)
    batch.staging.write("files", found.files)
    return found.raw, found.files


def clean_batch(batch: Batch) -> cleaning.Cleaned:
    """Judge the staged raw rows into sales.parquet and rejects.parquet, under the dimensions as they are now."""
    with warehouse.connect() as db:
        stamp = dimensions_stamp(db)
        known = read_rules(db, without=[file.file_id for file in batch.files if file.state == "loaded"])
    cleaned = cleaning.clean(batch.staging.read("raw"), batch.staging.read("files"), known)
    batch.staging.write_json("cleaned_under", stamp)
    batch.staging.write("rejects", cleaned.rejects)
    batch.staging.write("sales", cleaned.sales)
    return cleaned


def load_batch(batch: Batch) -> loading.Loaded:
    """Commit the staged rows; files that are loaded already are left alone. A rehearsal has none but those.

    Rows that were cleaned before trucks, menus or pitches changed are cleaned once more first."""
    files = batch.staging.read("files")
    if batch.batch_id == ledger.REHEARSAL:
        return loading.Loaded({"loaded already": files.num_rows}, 0, 0, 0, 0)
    with warehouse.connect() as db:
        rules.hold(db)
    if batch.is_metadata:
        return dimensions.load(files, batch.staging.read_json("dimensions"))
    try:
        return _load_cleaned(batch, files)
    except RulesChangedError:
        clean_batch(batch)
        return _load_cleaned(batch, files)


def _load_cleaned(batch: Batch, files: pa.Table) -> loading.Loaded:
    sales, rejects = batch.staging.read("sales"), batch.staging.read("rejects")
    stamp = batch.staging.read_json("cleaned_under")
    if batch.is_again:
        return recleaning.load(batch.batch_id, files, sales, rejects, cleaned_under=stamp)
    return loading.load(files, sales, rejects, cleaned_under=stamp)
