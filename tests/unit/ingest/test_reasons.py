"""docs/reasons.md says what the code does."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from t3lib import feed
from t3lib.cleaning import REASONS, TruckFacts, clean
from t3lib.cleaning.reasons import FLAG_SENTENCES, FLAGS
from t3lib.money import parse_pence
from t3lib.settings import ROOT
from t3lib.warehouse.checks.codes import EXAMPLES, FILE_SPELLINGS, TOTAL_SPELLINGS, markdown
from t3lib.warehouse.decisions.rejects import STATUSES
from t3lib.warehouse.files.file_outcomes import FILES_SCHEMA, OUTCOMES
from t3lib.warehouse.files.reprocessing import REPROCESSED
from t3lib.warehouse.sales.restatements import CAUSES

FACTS = TruckFacts(prices={3: {499}}, known=frozenset({3}))
NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
UPLOADED = datetime(2026, 11, 5, 15, tzinfo=UTC)


def test_the_page_is_made_from_the_code():
    page = ROOT / "docs" / "reasons.md"
    assert page.read_text() == markdown(), "run: python -m t3lib.warehouse.checks.codes > docs/reasons.md"


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_has_an_example_that_is_rejected_for_it(reason: str):
    time, payment, total = EXAMPLES[reason]
    row = {"file_id": 1, "row_number": 1, "timestamp": time, "type": payment, "total": total}
    if reason == "wrong_cells":
        row |= {"timestamp": None, "type": None, "total": None, "line": ",".join(EXAMPLES[reason])}
    file = {"file_id": 1, "truck_id": 3, "uploaded_at": UPLOADED}
    raw = pa.Table.from_pylist([row], schema=feed.RAW_SCHEMA)
    found = clean(raw, pa.Table.from_pylist([file], schema=FILES_SCHEMA), FACTS)
    assert found.rejects["reason"].to_pylist() == [reason]


@pytest.mark.parametrize("spelling", FILE_SPELLINGS)
def test_each_spelling_of_a_file_gives_the_same_sale(spelling: str):
    rows = feed.read("x.csv", FILE_SPELLINGS[spelling])
    raw = pa.table([pa.array([1], pa.int64()), pa.array([1], pa.int32()), *rows.columns], schema=feed.RAW_SCHEMA)
    file = {"file_id": 1, "truck_id": 3, "uploaded_at": UPLOADED}
    (sale,) = clean(raw, pa.Table.from_pylist([file], schema=FILES_SCHEMA), FACTS).sales.to_pylist()
    assert (sale["sold_at"], sale["payment_type"], sale["total_pence"]) == (NOON, "card", 499)


def test_each_spelling_of_a_total_is_read_to_the_penny():
    assert {total: parse_pence(total)[0] for total in TOTAL_SPELLINGS} == TOTAL_SPELLINGS


def test_every_code_has_a_sentence():
    assert set(FLAGS) == set(FLAG_SENTENCES)
    for sentences in (REASONS, FLAG_SENTENCES, OUTCOMES, REPROCESSED, STATUSES, CAUSES):
        assert all(sentence.endswith(".") for sentence in sentences.values())
