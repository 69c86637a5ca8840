"""docs/reasons.md says what the code does."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from t3lib import feed
from t3lib.cleaning import Rulebook, TruckFacts
from t3lib.money import parse_pence
from t3lib.settings import ROOT
from t3lib.warehouse.checks.codes import FILE_SPELLINGS, TOTAL_SPELLINGS, markdown
from t3lib.warehouse.decisions.rejects import STATUSES
from t3lib.warehouse.files import rulesets
from t3lib.warehouse.files.file_outcomes import FILES_SCHEMA, OUTCOMES
from t3lib.warehouse.files.reprocessing import REPROCESSED
from t3lib.warehouse.sales.restatements import CAUSES
from tests.support.rulebooks import names_a_truck

FACTS = TruckFacts(prices={3: {499}}, known=frozenset({3}))
NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
UPLOADED = datetime(2026, 11, 5, 15, tzinfo=UTC)


def test_the_page_is_made_from_the_code():
    page = ROOT / "docs" / "reasons.md"
    assert page.read_text() == markdown(), "run: python -m t3lib.warehouse.checks.codes > docs/reasons.md"


def test_each_rule_has_an_example():
    page = markdown()
    without = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `") and line.endswith("| – |")}
    of_trucks = {code for code, rule in Rulebook.of_folder().stated().items() if names_a_truck(rule.cell)}
    assert without - of_trucks == {"unknown_truck"}  # examples are of truck 1, which is known


@pytest.mark.parametrize("spelling", FILE_SPELLINGS)
def test_each_spelling_of_a_file_gives_the_same_sale(spelling: str):
    rows = feed.read("x.csv", FILE_SPELLINGS[spelling])
    raw = pa.table([pa.array([1], pa.int64()), pa.array([1], pa.int32()), *rows.columns], schema=feed.RAW_SCHEMA)
    file = {"file_id": 1, "truck_id": 3, "uploaded_at": UPLOADED}
    files = pa.Table.from_pylist([file], schema=FILES_SCHEMA)
    (sale,) = Rulebook.of_folder().clean(raw, files, FACTS, rulesets.FLAGS).sales.to_pylist()
    assert (sale["sold_at"], sale["payment_type"], sale["total_pence"]) == (NOON, "card", 499)


def test_each_spelling_of_a_total_is_read_to_the_penny():
    assert {total: parse_pence(total)[0] for total in TOTAL_SPELLINGS} == TOTAL_SPELLINGS


def test_every_code_has_a_sentence():
    for sentences in (OUTCOMES, REPROCESSED, STATUSES, CAUSES):
        assert all(sentence.endswith(".") for sentence in sentences.values())
