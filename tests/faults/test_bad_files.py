"""Unforeseen files: each ends with an outcome and a reason, and accepted ones are read exactly."""

import os
from collections import defaultdict
from datetime import UTC, datetime

import pytest

from t3lib import feed
from t3lib.cleaning import Rulebook, TruckFacts
from t3lib.ingest.extraction import UNFORESEEN, extract
from t3lib.landing import Landing
from t3lib.warehouse.files.ledger import File
from t3lib.warehouse.files.rulesets import FLAGS
from tests.faults.injection.spoiling import made
from tests.support import feeding, oracle

PORTION = 50
PORTIONS = max(6, int(os.environ.get("T3_FAULT_RUNS", "0")))
UPLOADED = datetime(2026, 11, 6, tzinfo=UTC)
TOTAL_REASONS = ("missing_total", "void", "error_marker", "not_a_number", "zero", "negative")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("portion", range(PORTIONS))
def test_any_file_ends_with_an_outcome_and_a_reason(tmp_path, portion):
    contents = dict(made(number) for number in range(portion * PORTION, (portion + 1) * PORTION))
    files = stored(tmp_path, contents)
    found = extract(files, Landing(tmp_path.as_uri()))
    outcomes = {row["key"]: row for row in found.files.to_pylist()}
    raw = defaultdict(list)
    for row in found.raw.to_pylist():
        raw[row["file_id"]].append((row["timestamp"], row["type"], row["total"], row["line"]))
    assert outcomes.keys() == contents.keys()
    for file in files:
        outcome = outcomes[file.key]
        assert outcome["state"] in ("loaded", "unreadable", "bad_header"), outcome
        if outcome["state"] != "loaded":
            assert outcome["reason"].endswith("."), outcome
            assert "\0" not in outcome["reason"]
            assert not outcome["reason"].startswith(UNFORESEEN), outcome
            if file.kind != "metadata" and outcome["reason"].startswith("Line "):
                assert oracle.table(contents[file.key]) is None, outcome
        elif file.kind != "metadata":
            assert len(raw[file.file_id]) == outcome["rows_read"]
            if file.key.endswith(".csv"):
                rows = oracle.table(contents[file.key])
                assert rows is not None, f"{file.key} can be read in two ways"
                expected = [shown(row) for row in rows]
                assert [one_newline(row) for row in raw[file.file_id]] == expected, file
    assert_cleaned_as_the_oracle_says(found)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("portion", range(max(1, PORTIONS // 10)))
def test_any_file_reaches_the_ledger_and_everything_reconciles(bucket, portion):
    contents = dict(made(10**6 + number) for number in range(portion * PORTION, (portion + 1) * PORTION))
    for key, data in contents.items():
        path = bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    feeding.take_in()
    feeding.assert_reconciles()
    reasons = dict(feeding.rows("SELECT key, coalesce(reason, '') FROM ops.source_file"))
    states = feeding.states()
    assert states.keys() == contents.keys()
    assert set(states.values()) <= {"loaded", "unreadable", "bad_header", "held_duplicate"}
    assert [key for key, state in states.items() if state != "loaded" and not reasons[key]] == []


def assert_cleaned_as_the_oracle_says(found) -> None:
    """Every sale has the pence, moment and payment that its text says, every refused total the oracle's reason."""
    raw = {(row["file_id"], row["row_number"]): row for row in found.raw.to_pylist()}
    cleaned = Rulebook.of_folder().clean(found.raw, found.files, TruckFacts(), FLAGS)
    for sale in cleaned.sales.to_pylist():
        row = raw.pop((sale["file_id"], sale["row_number"]))
        assert row["line"] is None
        assert (sale["total_pence"], None) == oracle.pence(row["total"])
        assert sale["sold_at"] == oracle.moment(row["timestamp"])
        assert sale["payment_type"] == row["type"].strip().lower()
    rejects = cleaned.rejects.to_pylist()
    assert sorted(raw) == sorted((reject["file_id"], reject["row_number"]) for reject in rejects)
    for reject in rejects:
        line = raw[reject["file_id"], reject["row_number"]]["line"]
        assert (reject["reason"] == "wrong_cells") == (line is not None)
        assert reject["raw_line"] == line
        if line is not None:
            continue
        said = oracle.pence(reject["raw_total"])[1]
        assert (reject["reason"] if reject["reason"] in TOTAL_REASONS else None) == said, reject


def shown(row: tuple) -> tuple:
    """A row as T3 keeps it: the end of a very long cell or line is cut off, and a mark says so."""
    *cells, line = row
    marked = [_cut(cell, oracle.LONGEST, "cell") for cell in cells]
    return one_newline((*marked, _cut(line, 10_000, "row")))


def _cut(text: str | None, most: int, what: str) -> str | None:
    is_long = text is not None and len(text) > most
    return f"{text[:most]} … cut here: a {what} may have {most:,} characters" if is_long else text


def one_newline(row: tuple) -> tuple:
    """A row whose cells end their lines in one way (a quoted cell may span some)."""
    return tuple(cell and cell.replace("\r\n", "\n").replace("\r", "\n") for cell in row)


def stored(folder, contents: dict[str, bytes]) -> list[File]:
    """The files in a folder, as a batch has them."""
    for key, data in contents.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    listed = {found.key: found.etag for found in Landing(folder.as_uri()).objects()}
    keys = {key: feed.parse(key) for key in contents}
    return [
        File(number, key, listed[key], keys[key].kind, keys[key].truck_id, None, None, UPLOADED, "claimed")
        for number, key in enumerate(contents, 1)
    ]
