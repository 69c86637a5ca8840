"""The three stages of an ingest, as the notebooks call them. Each can be repeated: it reads the staged files."""

from dataclasses import dataclass

import pyarrow as pa
import sqlalchemy as sa

from t3lib import cleaning, warehouse
from t3lib.business_day import day_of
from t3lib.cleaning.truck_facts import read_truck_facts
from t3lib.ingest.extraction import extract
from t3lib.ingest.preview import Difference, of_staged
from t3lib.ingest.staging import Staging
from t3lib.landing import Landing
from t3lib.warehouse.checks import pinned_settings
from t3lib.warehouse.files import batches, ledger, reprocessing
from t3lib.warehouse.load import dimensions, loading, reloading
from t3lib.warehouse.sales.change import DimensionsChangedError, dimensions_stamp


@dataclass(frozen=True)
class Batch:
    """A batch by its id; the empty id is a dry run over loaded files, which changes no figure."""

    batch_id: str
    files: list[ledger.File]
    staging: Staging
    is_reprocessing: bool = False

    @property
    def is_dry_run(self) -> bool:
        """Whether it only shows what loading would change."""
        return self.batch_id == ledger.DRY_RUN

    @property
    def is_metadata(self) -> bool:
        """Whether it holds trucks, menus, pitches and costs instead of sales."""
        return any(file.kind == "metadata" for file in self.files)


def open_batch(batch_id: str, business_date: str = "") -> Batch:
    """The claimed files of a batch and its folder of staged files.

    Without a batch id a dry run: the loaded files with rows of that business day, or else the latest ones."""
    with warehouse.connect() as db:
        if batch_id == ledger.DRY_RUN:
            return _open_dry_run(db, business_date)
        is_reprocessing = batches.is_reprocessing(db, batch_id)
        return Batch(batch_id, ledger.files(db, batch_id), Staging.of(batch_id), is_reprocessing)


def extract_batch(batch: Batch) -> tuple[pa.Table, pa.Table]:
    """Read the files into raw.parquet (one row per row read) and files.parquet (one row per file)."""
    found = extract(batch.files, Landing())
    batch.staging.write("raw", found.raw)
    batch.staging.write_json("dimensions", found.dimensions)
    batch.staging.write("files", found.files)
    return found.raw, found.files


def clean_batch(batch: Batch) -> cleaning.Cleaned:
    """Validate the staged raw rows into sales.parquet and rejects.parquet, under the dimensions as they are now."""
    if batch.is_dry_run and not _is_staged(batch):
        extract_batch(batch)
    with warehouse.connect() as db:
        stamp = dimensions_stamp(db)
        facts = read_truck_facts(db, without=[file.file_id for file in batch.files if file.state == "loaded"])
    cleaned = cleaning.clean(batch.staging.read("raw"), batch.staging.read("files"), facts)
    batch.staging.write_json("cleaned_under", stamp)
    batch.staging.write("rejects", cleaned.rejects)
    batch.staging.write("sales", cleaned.sales)
    return cleaned


def load_batch(batch: Batch) -> loading.Loaded:
    """Commit the staged rows; files that are loaded already are left alone. A dry run shows what would change.

    Rows that were cleaned before trucks, menus or pitches changed are cleaned again first."""
    if batch.is_dry_run:
        return _run_dry(batch)
    files = batch.staging.read("files")
    with warehouse.connect() as db:
        pinned_settings.pin(db)
    if batch.is_metadata:
        return dimensions.load(files, batch.staging.read_json("dimensions"))
    try:
        return _load_cleaned(batch, files)
    except DimensionsChangedError:
        clean_batch(batch)
        return _load_cleaned(batch, files)


def preview(batch: Batch) -> Difference:
    """What loading the files of a dry run, cleaned under the present rules, would change of the loaded rows."""
    clean_batch(batch)
    return of_staged(*(batch.staging.read(name) for name in ("files", "sales", "rejects")))


def _open_dry_run(db: sa.Connection, business_date: str) -> Batch:
    if not business_date:
        return Batch(ledger.DRY_RUN, ledger.files(db), Staging.of("dry_run"))
    day = day_of(business_date)
    return Batch(ledger.DRY_RUN, ledger.by_id(db, reprocessing.of_days(db, day, day)), Staging.of(f"dry_run-{day}"))


def _is_staged(batch: Batch) -> bool:
    """Whether the raw rows of these files are staged, and no other's."""
    if not (batch.staging.has("raw") and batch.staging.has("files")):
        return False
    return batch.staging.read("files")["file_id"].to_pylist() == [file.file_id for file in batch.files]


def _run_dry(batch: Batch) -> loading.Loaded:
    found = preview(batch)
    rejected = found.rows_read - found.rows_loaded
    return loading.Loaded(dict(sorted(found.files.items())), found.rows_read, found.rows_loaded, rejected,
                          found.pence_loaded)  # fmt: skip


def _load_cleaned(batch: Batch, files: pa.Table) -> loading.Loaded:
    sales, rejects = batch.staging.read("sales"), batch.staging.read("rejects")
    stamp = batch.staging.read_json("cleaned_under")
    if batch.is_reprocessing:
        return reloading.load(batch.batch_id, files, sales, rejects, cleaned_under=stamp)
    return loading.load(files, sales, rejects, cleaned_under=stamp)
