"""The three stages of an ingest, as the notebooks call them. Each can be repeated: it reads the staged files."""

from dataclasses import dataclass

import pyarrow as pa
import sqlalchemy as sa

from t3lib import cleaning, metrics, warehouse
from t3lib.business_day import day_of
from t3lib.charts.changes import Shown, by_day_and_truck
from t3lib.cleaning import Frames, Rulebook, Rules, rulebook
from t3lib.cleaning.outcome import outcome
from t3lib.cleaning.truck_facts import read_truck_facts
from t3lib.ingest import rules_diff
from t3lib.ingest.extraction import extract
from t3lib.ingest.preview import Difference, of_staged
from t3lib.ingest.rules_diff import RulesDiff
from t3lib.ingest.staging import Staging
from t3lib.landing import Landing
from t3lib.metrics.money.margins import contributions
from t3lib.money import pounds
from t3lib.warehouse.checks import pinned_settings
from t3lib.warehouse.files import batches, ledger, reprocessing, rulesets
from t3lib.warehouse.load import dimensions, loading, reloading
from t3lib.warehouse.sales.change import DimensionsChangedError, dimensions_stamp
from t3lib.warehouse.settlements import loading as statements
from t3lib.warehouse.settlements import proof


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

    @property
    def rules(self) -> str | None:
        """The hash of the rules under which it was cleaned, which stands with the run; None where it was not."""
        return _staged_rules(self).hash if self.staging.has("rules", "json") else None

    @property
    def is_of_banks(self) -> bool:
        """Whether it holds files of card providers and banks instead of sales."""
        return any(file.kind == "settlement" for file in self.files)


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
    batch.staging.write_json("statements", found.statements)
    batch.staging.write("files", found.files)
    return found.raw, found.files


def rules(batch: Batch) -> Rules:
    """The rules of a batch, to be stated: `rows` and `moments` are its distinct values, under today's dimensions."""
    return _frames(batch).rules()


def clean_batch(batch: Batch, stated: Rules | None = None) -> cleaning.Cleaned:
    """Put the staged raw rows into sales.parquet and rejects.parquet by the rules that a notebook stated.

    Without them by those of the folder's `2_clean`. Raises RuleError where a rule catches other rows in another order
    of the batch, or leaves a row that is no sale, and where a batch of the schedule has other rules than are in
    force."""
    if stated is None:
        stated = Rulebook.of_folder().state(rules(batch))
    elif not batch.is_dry_run:
        rulebook.must_be_in_force(stated)
    return _clean(batch, stated)


def _frames(batch: Batch) -> Frames:
    if batch.is_dry_run and not _is_staged(batch):
        extract_batch(batch)
    with warehouse.connect() as db:
        stamp = dimensions_stamp(db)
        known = read_truck_facts(db, without=[file.file_id for file in batch.files if file.state == "loaded"])
    batch.staging.write_json("cleaned_under", stamp)
    return Frames(batch.staging.read("raw"), batch.staging.read("files"), known)


def _clean(batch: Batch, stated: Rules) -> cleaning.Cleaned:
    book = rulebook.verify(stated)
    with warehouse.connect() as db:
        bits = rulesets.bits(db, book) if batch.is_dry_run else rulesets.register(db, book)
    cleaned = outcome(stated, bits)
    batch.staging.write_json("rules", book.cells)
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
        return _load_dimensions(batch, files)
    if batch.is_of_banks:
        return statements.load(files, batch.staging.read_json("statements"))
    try:
        return _load_cleaned(batch, files)
    except DimensionsChangedError:
        _clean(batch, _staged_rules(batch).state(rules(batch)))
        return _load_cleaned(batch, files)


def diff(batch: Batch, stated: Rules, days: str = "") -> RulesDiff | Shown:
    """What the rules that a notebook stated would change compared with those last committed: rows and pounds by rule,
    truck and day.

    It cleans the loaded files of the dry run, or those of `days` (DATE or DATE..DATE), under both, and changes nothing.
    A batch of the schedule has nothing to compare: it runs under the committed rules."""
    if not batch.is_dry_run:
        return Shown((rules_diff.AS_COMMITTED,))
    return rules_diff.of_edited(Rulebook.of_stated(stated), [file.file_id for file in batch.files], days)


def changes(loaded: loading.Loaded) -> Shown:
    """What a load changed, or in a dry run would change: sales and pounds by day and truck, before and after."""
    files = ", ".join(f"{count:,} {state.replace('_', ' ')}" for state, count in loaded.files.items()) or "none"
    said = (
        f"Files: {files}. Rows: {loaded.rows_read:,} read, {loaded.rows_rejected:,} rejected, {loaded.rows_loaded:,} "
        f"{loaded.what} of {pounds(loaded.pence_loaded)} together."
    )
    if not loaded.changes:
        return Shown((said, "No day's figures change."))
    with warehouse.connect() as db:
        names = metrics.trucks(db)
    return Shown(
        (
            said,
            by_day_and_truck([vars(change) for change in loaded.changes], names),
        )
    )


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
                          found.pence_loaded, found.changes())  # fmt: skip


def _load_cleaned(batch: Batch, files: pa.Table) -> loading.Loaded:
    sales, rejects = batch.staging.read("sales"), batch.staging.read("rejects")
    stamp = batch.staging.read_json("cleaned_under")
    if batch.is_reprocessing:
        return reloading.load(batch.batch_id, files, sales, rejects, cleaned_under=stamp, rules=_staged_rules(batch))
    return loading.load(files, sales, rejects, cleaned_under=stamp, rules=_staged_rules(batch))


def _load_dimensions(batch: Batch, files: pa.Table) -> loading.Loaded:
    loaded = dimensions.load(files, batch.staging.read_json("dimensions"), contributions)
    with warehouse.connect() as db:
        if proof.is_stale(db):
            proof.refresh(db)
    return loaded


def _staged_rules(batch: Batch) -> Rulebook:
    """The rules under which the batch was cleaned."""
    return Rulebook(tuple(batch.staging.read_json("rules")))
