"""Loading files: what replaces what, what is held, what never changes, and what the database refuses."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from t3lib import warehouse
from t3lib.cleaning import Rulebook, RuleError
from t3lib.ingest import pipeline
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, run, sales, states, take_in
from tests.support.restating import DAY
from tests.support.rulebooks import ONE_MORE, with_rule

OTHER = LUNCH.replace("A1", "B2")


def test_a_file_is_loaded_and_its_rejects_are_kept(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "cash", "VOID"))
    (loaded,) = take_in()
    assert (loaded.rows_read, loaded.rows_loaded, loaded.rows_rejected, loaded.pence_loaded) == (2, 1, 1, 499)
    assert sales() == [(3, 1, 499)]
    assert rows("SELECT row_number, reason, raw_total, status FROM ops.rejected_row") == [(2, "void", "VOID", "open")]
    assert rows("SELECT business_date::text, local_hour, transactions, total_pence FROM mart.sales_hourly") == [
        ("2026-11-05", 12, 1, 499)
    ]
    assert_reconciles()


def test_identical_rows_are_two_sales(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:00", "card", "4.99"))
    take_in()
    assert sales() == [(3, 1, 499), (3, 2, 499)]


def test_taking_in_twice_changes_nothing(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    before = rows("SELECT version FROM mart.watermark")
    assert take_in() == []
    assert rows("SELECT version FROM mart.watermark") == before
    assert sales() == [(3, 1, 499)]


def test_a_load_repeated_after_its_commit_changes_nothing(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    (batch_id,) = rows("SELECT batch_id FROM ops.batch")[0]
    assert run(batch_id).rows_loaded == 0
    assert sales() == [(3, 1, 499)]
    assert_reconciles()


def test_a_reuploaded_file_replaces_its_rows(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "VOID"))
    take_in()
    put(bucket, LUNCH, at("12:00", "cash", "5.99"))
    take_in()
    assert sales() == [(3, 1, 599)]
    assert rows("SELECT state, superseded_by FROM ops.source_file ORDER BY file_id") == [
        ("superseded", 2),
        ("loaded", None),
    ]
    assert rows("SELECT status FROM ops.rejected_row") == [("superseded",)]
    assert rows("SELECT payment_type, total_pence FROM mart.sales_hourly") == [("cash", 599)]
    assert rows("SELECT price_pence, transactions FROM mart.price_daily") == [(599, 1)]
    assert_reconciles()


def test_a_file_restored_with_an_older_time_replaces_the_later_one(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "5.99"))
    take_in()
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    restored = datetime(2026, 11, 5, 15, 5, tzinfo=UTC).timestamp()
    os.utime(bucket / LUNCH, (restored, restored))
    take_in()
    assert sales() == [(3, 1, 499)]
    assert rows("SELECT state FROM ops.source_file ORDER BY file_id") == [("superseded",), ("loaded",)]
    assert_reconciles()


def test_the_same_content_under_another_key_is_held(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    put(bucket, OTHER, at("12:00", "card", "4.99"))
    take_in()
    assert states() == {LUNCH: "loaded", OTHER: "held_duplicate"}
    assert sales() == [(3, 1, 499)]
    assert_reconciles()


def test_two_with_the_same_content_in_one_batch_load_one(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    put(bucket, OTHER, at("12:00", "card", "4.99"))
    take_in()
    assert sorted(states().values()) == ["held_duplicate", "loaded"]
    assert sales() == [(3, 1, 499)]


def test_files_that_cannot_be_read_leave_a_row_and_the_rest_loads(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    put(bucket, LUNCH.replace("T3_T3", "T3_T4"), at("12:00", "card", "1.00"), header="when,how,much")
    (bucket / "trucks/2026-11/5/15/T3_T5_A1.csv").write_bytes(b"")
    (bucket / "historical").mkdir()
    (bucket / "historical/TRUCK_DATA_HIST_6.parquet").write_bytes(b"PAR1 cut off")
    put(bucket, "notes/readme.csv", "nothing of ours")
    take_in()
    assert states() == {
        LUNCH: "loaded",
        LUNCH.replace("T3_T3", "T3_T4"): "bad_header",
        "trucks/2026-11/5/15/T3_T5_A1.csv": "unreadable",
        "historical/TRUCK_DATA_HIST_6.parquet": "unreadable",
        "notes/readme.csv": "ignored",
    }
    assert rows("SELECT count(*) FROM ops.source_file WHERE state <> 'loaded' AND reason IS NULL") == [(0,)]
    assert sales() == [(3, 1, 499)]
    assert_reconciles()


def test_a_truck_nobody_knows_is_loaded_and_marked(bucket: Path):
    put(bucket, LUNCH.replace("T3_T3", "T3_T999"), at("12:00", "card", "4.99"))
    take_in()
    assert rows("SELECT truck_id, total_pence, flags & 4 FROM core.sale") == [(999, 499, 4)]
    assert rows("SELECT warnings FROM ops.source_file") == [(["unknown_truck"],)]


def test_a_header_alone_is_a_loaded_file_without_sales(bucket: Path):
    put(bucket, LUNCH)
    take_in()
    assert rows("SELECT state, rows_read, reason FROM ops.source_file") == [("loaded", 0, "A header and no sales.")]
    assert sales() == []
    assert_reconciles()


def test_headers_alone_are_no_duplicates(bucket: Path):
    put(bucket, LUNCH)
    put(bucket, OTHER)
    take_in()
    assert set(states().values()) == {"loaded"}


def test_a_failed_load_leaves_nothing_and_can_be_repeated(bucket: Path, monkeypatch: pytest.MonkeyPatch):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    with monkeypatch.context() as broken:
        broken.setattr("t3lib.warehouse.sales.rollups.raise_watermark", lambda cursor: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            take_in()
    assert sales() == []
    assert states() == {LUNCH: "claimed"}
    take_in()
    assert sales() == [(3, 1, 499)]
    assert_reconciles()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ops.source_file SET rows_loaded = 2, rows_read = 2",
        "UPDATE ops.source_file SET pence_loaded = 500",
        "UPDATE ops.source_file SET rows_read = 2, rows_rejected = 1",
        "UPDATE ops.source_file SET rows_read = 5",
        "UPDATE ops.source_file SET state = 'superseded'",
        "DELETE FROM core.sale; UPDATE ops.source_file SET reason = 'x'",
    ],
)
def test_the_database_refuses_a_ledger_that_does_not_reconcile(bucket: Path, statement: str):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    with pytest.raises(sa.exc.IntegrityError, match=r"reconcile|but has 1 sales"), warehouse.connect() as db:
        db.execute(sa.text(statement))


def test_a_dry_run_changes_no_figure(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    run("")
    assert sales() == [(3, 1, 499)]
    assert pipeline.open_batch("").files[0].key == LUNCH
    assert_reconciles()


def extracted() -> pipeline.Batch:
    """The one batch of what lies in the bucket, its files read."""
    discover(Landing(), sweep=True)
    ((waiting,),) = rows("SELECT batch_id FROM ops.batch")
    batch = pipeline.open_batch(waiting)
    pipeline.extract_batch(batch)
    return batch


def test_rows_cleaned_before_a_menu_came_are_cleaned_once_more(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "99"))
    batch = extracted()
    assert pipeline.clean_batch(batch).sales.num_rows == 1
    put(bucket, "metadata/menu.csv", "3,Corn,Mexican,0.99", header="truck_id,menu_item,menu_type,price")
    discover(Landing(), sweep=True)
    ((metadata,),) = rows("SELECT batch_id FROM ops.batch WHERE batch_id LIKE 'meta%'")
    run(metadata)
    assert pipeline.load_batch(batch).rows_rejected == 1
    assert rows("SELECT reason, suggested_pence FROM ops.rejected_row") == [("decimal_shift", 99)]
    assert_reconciles()


def test_a_batch_of_the_schedule_is_cleaned_only_by_the_rules_in_force(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    batch = extracted()
    own = with_rule('rules.flag("round", "A round sum (loaded).", when=rows.pence.mod(100).eq(0))')
    count = len(own.cells)
    told = rf'{count} cells .* not the {count - 1} .*differ at cell In \[{ONE_MORE}\] \(rules.flag\("round"'
    with pytest.raises(RuleError, match=told):
        pipeline.clean_batch(batch, own.state(pipeline.rules(batch)))
    pipeline.clean_batch(batch, Rulebook.of_folder().state(pipeline.rules(batch)))
    assert pipeline.load_batch(batch).rows_loaded == 1
    edited = own.state(pipeline.rules(pipeline.open_batch("")))
    assert pipeline.clean_batch(pipeline.open_batch(""), edited).sales.num_rows == 1


def test_two_loads_at_once_of_one_batch_load_it_once(bucket: Path):
    put(bucket, LUNCH, *[at("12:00", "card", "4.99")] * 50)
    batch = extracted()
    pipeline.clean_batch(batch)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(pipeline.load_batch, [batch] * 4))
    assert sorted(loaded.rows_loaded for loaded in done) == [0, 0, 0, 50]
    assert len(sales()) == 50
    assert_reconciles()


def test_a_load_says_what_it_changes_by_day_and_truck(bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "7"))
    (first,) = take_in()
    put(bucket, LUNCH, at("12:00", "card", "5.99"))
    put(bucket, LUNCH.replace("_T3_A", "_T5_A"), at("12:00", "cash", "3"))
    (second,) = take_in()
    assert [tuple(vars(change).values()) for change in first.changes] == [(3, DAY, 0, 2, 0, 1199)]
    assert [tuple(vars(change).values()) for change in second.changes] == [
        (3, DAY, 2, 1, 1199, 599),
        (5, DAY, 0, 1, 0, 300),
    ]
    shown = pipeline.changes(second)._repr_html_()
    for text in ("Thu 5 Nov 2026", "Truck 3", "£11.99", "£5.99", "-£6.00", "together", "£8.99"):
        assert text in shown
