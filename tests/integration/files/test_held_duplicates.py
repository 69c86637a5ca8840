"""Two files with the same sales: what is the same, what overlaps and what is chance."""

from pathlib import Path

import pytest

from t3lib import warehouse
from t3lib.warehouse.decisions import quarantine, rejects, repairs
from tests.integration.files.meals import HISTORY, LATER, MEALS, OTHER, csv, parquet, reason, written
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, sales, states, take_in
from tests.support.restating import reprocess

SPELLINGS = {
    "CRLF": csv(MEALS, "\r\n"),
    "a byte order mark": b"\xef\xbb\xbf" + csv(MEALS),
    "quotes": csv([line.replace("card", '"card"') for line in MEALS]),
    "another order": csv(MEALS[::-1]),
    "other digits": csv([line.replace("8.70", "8.7") for line in MEALS]),
    "UTF-16": csv(MEALS).decode().encode("utf-16"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_same_sales_in_other_bytes_are_held(bucket: Path, spelling: str):
    written(bucket, LUNCH, csv(MEALS))
    take_in()
    written(bucket, OTHER, SPELLINGS[spelling])
    take_in()
    assert states() == {LUNCH: "loaded", OTHER: "held_duplicate"}
    assert reason(OTHER) == f"The same 3 sales as {LUNCH}: held until a person releases it."
    assert sum(pence for _, _, pence in sales()) == 1968
    assert_reconciles()


def test_a_history_file_of_the_same_sales_is_held(bucket: Path):
    written(bucket, LUNCH, csv(MEALS))
    written(bucket, HISTORY, parquet(MEALS))
    take_in()
    assert sorted(states().values()) == ["held_duplicate", "loaded"]
    assert len(sales()) == 3
    assert_reconciles()


def test_the_same_rejects_in_other_bytes_are_held(bucket: Path):
    refused = [at("12:00", "card", "VOID"), at("12:01", "card", "ERR")]
    written(bucket, LUNCH, csv(refused))
    take_in()
    written(bucket, OTHER, csv(refused[::-1], "\r\n"))
    put(bucket, OTHER.replace("B2", "C3"), at("12:00", "card", "VOID"), at("12:01", "card", "blank"))
    take_in()
    assert states() == {LUNCH: "loaded", OTHER: "held_duplicate", OTHER.replace("B2", "C3"): "loaded"}
    assert reason(OTHER) == f"The same rows as {LUNCH}, none of them a sale: held until a person releases it."
    assert_reconciles()


def test_a_file_that_contains_a_loaded_one_is_held_and_says_how_many_sales_are_common(bucket: Path):
    put(bucket, LUNCH, *MEALS)
    take_in()
    put(bucket, OTHER, *MEALS, *LATER)
    take_in()
    assert states() == {LUNCH: "loaded", OTHER: "held_overlap"}
    assert reason(OTHER) == f"3 of its 6 sales are also among the 3 of {LUNCH}: held until a person releases it."
    assert len(sales()) == 3
    assert_reconciles()


def test_a_part_of_a_loaded_file_is_held(bucket: Path):
    put(bucket, LUNCH, *MEALS, *LATER)
    take_in()
    put(bucket, OTHER, *MEALS[:2])
    take_in()
    assert states()[OTHER] == "held_overlap"
    assert_reconciles()


def test_a_file_cut_at_other_hours_is_held_for_what_two_loaded_ones_hold(bucket: Path):
    put(bucket, LUNCH, *MEALS, *LATER)
    evening = [line.replace(" 12:", " 15:").replace(" 13:", " 16:").replace(" 14:", " 17:") for line in MEALS + LATER]
    put(bucket, LUNCH.replace("/15/", "/18/"), *evening)
    take_in()
    put(bucket, OTHER, *LATER, *evening[:3])
    take_in()
    assert states()[OTHER] == "held_overlap"
    assert "and 6 of them in 2 loaded files" in reason(OTHER)
    assert_reconciles()


def test_two_short_files_that_share_a_few_sales_by_chance_both_load(bucket: Path):
    put(bucket, LUNCH, *MEALS[:2], *LATER)
    put(bucket, OTHER, *MEALS[:2], at("12:31", "card", "3.50"), at("12:44", "cash", "3.50"), at("13:01", "card", "2"))
    take_in()
    assert set(states().values()) == {"loaded"}
    assert len(sales()) == 10
    assert_reconciles()


def test_one_sale_that_another_file_holds_too_is_chance(bucket: Path):
    put(bucket, LUNCH, *MEALS)
    put(bucket, OTHER, MEALS[0])
    take_in()
    assert set(states().values()) == {"loaded"}


def test_two_tills_in_a_rush_at_one_price_are_not_the_same(bucket: Path):
    """Nearly a sale a minute at each till, all alike: most have a twin at the other till, shifted or not."""
    put(bucket, LUNCH, *(at(f"12:{minute:02d}", "card", "5") for minute in range(60) if minute % 5))
    put(bucket, OTHER, *(at(f"12:{minute:02d}", "card", "5") for minute in range(60) if minute % 7))
    take_in()
    assert set(states().values()) == {"loaded"}


@pytest.mark.parametrize("history_first", [True, False])
def test_a_history_file_over_live_batches_is_recognised_in_either_order(bucket: Path, history_first: bool):
    evening = LUNCH.replace("/15/", "/18/")
    live = {LUNCH: csv(MEALS), evening: csv([line.replace(" 13:", " 15:").replace(" 14:", " 16:") for line in LATER])}
    week = parquet([*MEALS, *live[evening].decode().splitlines()[1:], at("12:00", "card", "4.99", "2026-11-03")])
    for files in ({HISTORY: week}, live) if history_first else (live, {HISTORY: week}):
        for key, content in files.items():
            written(bucket, key, content)
        take_in()
    held = {LUNCH, evening} if history_first else {HISTORY}
    assert {key for key, state in states().items() if state == "held_overlap"} == held
    assert len(sales()) == (7 if history_first else 6)
    if not history_first:
        assert "3 of its 7 sales are also among the 3 of trucks/2026-11/5/1" in reason(HISTORY)
    assert_reconciles()


def test_overlapping_files_of_one_batch_load_the_one_that_was_uploaded_first(bucket: Path):
    written(bucket, OTHER, csv([*MEALS, *LATER]), uploaded=2_000_000_000)
    written(bucket, LUNCH, csv(MEALS), uploaded=2_000_000_001)
    take_in()
    assert states() == {OTHER: "loaded", LUNCH: "held_overlap"}


def test_honest_repeats_inside_a_file_stay_sales(bucket: Path):
    put(bucket, LUNCH, *[MEALS[0]] * 3)
    take_in()
    put(bucket, OTHER, MEALS[0], *LATER)
    take_in()
    assert set(states().values()) == {"loaded"}
    assert len(sales()) == 7


def test_a_released_overlap_loads_and_both_are_in_the_figures(bucket: Path):
    put(bucket, LUNCH, *MEALS)
    put(bucket, OTHER, *MEALS, *LATER)
    take_in()
    (held,) = (key for key, state in states().items() if state == "held_overlap")
    quarantine.release(held, actor="Ann", why="Two tills, same sales.")
    take_in()
    assert set(states().values()) == {"loaded"}
    assert len(sales()) == 9
    assert_reconciles()


def test_a_correction_of_a_file_beside_a_released_one_loads(bucket: Path):
    put(bucket, LUNCH, *MEALS)
    take_in()
    put(bucket, OTHER, *MEALS, *LATER)
    take_in()
    quarantine.release(OTHER, actor="Ann", why="Two tills, same sales.")
    take_in()
    put(bucket, LUNCH, *MEALS, at("12:20", "card", "2.50"))
    take_in()
    assert states() == {LUNCH: "loaded", OTHER: "loaded"}
    assert len(sales()) == 10
    assert_reconciles()


def test_a_repaired_row_does_not_hide_the_copy_of_its_file(bucket: Path):
    put(bucket, LUNCH, *MEALS, at("12:20", "card", "VOID"))
    take_in()
    ((file_id, row_number),) = rows("SELECT file_id, row_number FROM ops.rejected_row")
    repairs.repair(file_id, row_number, pence=499, actor="Ann", why="From the paper roll")
    written(bucket, OTHER, csv([*MEALS, at("12:20", "card", "VOID")], "\r\n"))
    take_in()
    assert states()[OTHER] == "held_overlap"
    assert len(sales()) == 4
    reprocess()
    assert len(sales()) == 4
    with warehouse.connect() as db:
        assert rejects.show(db, file_id, row_number)["status"] == "repaired"
    assert_reconciles()
