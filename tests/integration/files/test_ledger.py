"""The ledger: which files are seen, claimed, batched, retried; and that its codes are the database's."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from t3lib import warehouse
from t3lib.landing import Object
from t3lib.warehouse.decisions.rejects import STATUSES
from t3lib.warehouse.files import batches, ledger
from t3lib.warehouse.files.file_outcomes import OUTCOMES
from t3lib.warehouse.files.reprocessing import REPROCESSED
from t3lib.warehouse.sales.restatements import CAUSES

NOW = datetime(2026, 11, 5, 15, 5, tzinfo=UTC)
LUNCH = "trucks/2026-11/5/15/T3_T3_A1.csv"
MENU = "metadata/menu.csv"


def seen(key: str, etag: str = "e1", size: int = 10) -> Object:
    return Object(key, etag, size, NOW)


def keys_of(db: sa.Connection, batch_id: str) -> list[str]:
    return [file.key for file in ledger.files(db, batch_id)]


def test_a_key_is_recorded_once_per_version(db: sa.Connection):
    assert ledger.record(db, [seen(LUNCH)]) == 1
    assert ledger.record(db, [seen(LUNCH)]) == 0
    assert ledger.record(db, [seen(LUNCH, "e2")]) == 1


def test_what_is_not_ours_is_counted_and_ignored(db: sa.Connection):
    ledger.record(db, [seen("backup/old.zip")])
    assert db.execute(sa.text("SELECT state, reason FROM ops.source_file")).one() == (
        "ignored",
        "Not a file of the feed: its key follows none of the known layouts.",
    )
    assert batches.claim(db, 100) == []


def test_batches_are_bounded_in_bytes_and_files(db: sa.Connection):
    ledger.record(db, [seen(LUNCH.replace("A1", f"A{n}"), size=40) for n in range(1, 6)])
    made = batches.claim(db, batch_bytes=100, batch_files=2)
    assert [len(keys_of(db, batch)) for batch in made] == [2, 2, 1]


def test_a_file_larger_than_a_batch_gets_one_of_its_own(db: sa.Connection):
    ledger.record(db, [seen(LUNCH, size=500), seen(LUNCH.replace("A1", "B2"), size=1)])
    assert [len(keys_of(db, batch)) for batch in batches.claim(db, 100)] == [1, 1]


def test_metadata_goes_first_and_the_sales_wait_for_it(db: sa.Connection):
    ledger.record(db, [seen(LUNCH), seen(MENU)])
    (metadata,) = batches.claim(db, 100)
    assert keys_of(db, metadata) == [MENU]
    assert batches.claim(db, 100) == []
    batches.finish(db, metadata)
    (sales,) = batches.claim(db, 100)
    assert keys_of(db, sales) == [LUNCH]


def test_the_newest_batches_of_the_day_come_before_older_ones(db: sa.Connection):
    older = "trucks/2026-11/4/21/T3_T3_A1.csv"
    ledger.record(db, [seen(older), seen(LUNCH), seen("historical/TRUCK_DATA_HIST_3.parquet")])
    made = batches.claim(db, batch_bytes=100, batch_files=1)
    assert [keys_of(db, batch)[0].split("/")[0:3] for batch in made] == [
        ["historical", "TRUCK_DATA_HIST_3.parquet"],
        ["trucks", "2026-11", "5"],
        ["trucks", "2026-11", "4"],
    ]


def test_a_failed_batch_is_retried_as_another_attempt(db: sa.Connection):
    ledger.record(db, [seen(LUNCH)])
    (batch,) = batches.claim(db, 100)
    assert batches.open_batches(db) == [(batch, 1, "older")]
    batches.finish(db, batch, "the network was away")
    assert batches.open_batches(db) == []
    assert batches.reopen(db) == {batch: 2}
    assert batches.open_batches(db) == [(batch, 2, "older")]


def test_only_a_failed_batch_is_reopened(db: sa.Connection):
    ledger.record(db, [seen(LUNCH), seen(LUNCH.replace("T3_T", "T3_T1"))])
    failed, done = batches.claim(db, 100, batch_files=1)
    batches.finish(db, failed, "the network was away")
    batches.finish(db, done)
    assert batches.reopen(db, [done]) == {}
    assert batches.reopen(db, []) == {}
    assert batches.reopen(db, [failed, done]) == {failed: 2}
    assert db.scalar(sa.text("SELECT finished_at FROM ops.batch WHERE state = 'open'")) is None


def test_a_file_that_is_claimed_is_not_claimed_twice(database: str):
    with warehouse.connect() as db:
        ledger.record(db, [seen(LUNCH)])
    with warehouse.connect() as first, warehouse.connect() as second:
        assert len(batches.claim(first, 100)) == 1
        assert batches.claim(second, 100) == []


def test_deleted_and_restored(db: sa.Connection):
    ledger.record(db, [seen(MENU), seen("metadata/costs.csv")])
    db.execute(sa.text("UPDATE ops.source_file SET state = 'loaded', discovered_at = :at"), {"at": NOW})
    later = NOW + timedelta(minutes=1)
    assert ledger.mark_deleted(db, {MENU}, later) == (1, 0)
    assert ledger.mark_deleted(db, {MENU}, later) == (0, 0)
    assert ledger.mark_deleted(db, {MENU, "metadata/costs.csv"}, later) == (0, 1)


@pytest.mark.parametrize(
    ("table", "column", "codes"),
    [
        ("ops.source_file", "state", OUTCOMES),
        ("ops.rejected_row", "status", STATUSES),
        ("ops.again_file", "outcome", REPROCESSED),
        ("ops.restatement", "cause", CAUSES),
    ],
)
def test_the_database_knows_the_codes_that_have_a_sentence(db: sa.Connection, table: str, column: str, codes: dict):
    query = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = CAST(:table AS regclass)"
    found = [text for text in db.scalars(sa.text(query), {"table": table}) if f"({column} = ANY" in text]
    assert set(re.findall(r"'(\w+)'", found[0])) == set(codes)


def test_batches_share_the_bytes_evenly():
    files: list[Any] = [SimpleNamespace(size=30) for _ in range(7)]
    assert [len(batch) for batch in batches.bounded(files, most_bytes=100, most_files=9)] == [2, 3, 2]
