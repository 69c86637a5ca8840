"""What an analyst finds with Tab and Shift-Tab in a kernel `t3`: every public name of metrics and rules, in words."""

import re

import pytest

from t3lib import metrics
from t3lib.cleaning import Rules
from tests.support.kernel import Kernel

pytestmark = pytest.mark.slow  # it starts kernels

RULES = """
from t3lib import metrics
from t3lib.cleaning import Frames, TruckFacts
from t3lib.feed import RAW_SCHEMA
from t3lib.ingest.extraction import FILES_SCHEMA
rules = Frames(RAW_SCHEMA.empty_table(), FILES_SCHEMA.empty_table(), TruckFacts()).rules()
"""
WRITTEN_WITH = {"read", "reject", "flag", "suggest", "examples", "dearest_price", "rows", "moments", "limit_pence",
                "most_pence"}  # fmt: skip
# What says the shape or the unit of a result: what a row is, or pence, counts, days, hours and the like.
SHAPE_OR_UNIT = re.compile(
    r"\b(rows?|pence|pounds|percent|share|number|count|days?|date|weeks?|months?|hours?|names?|types|scope|table|queries|"
    r"grain|index|stamps|files|sales|batches|items|columns?|UTC)\b",
    re.IGNORECASE,
)


@pytest.fixture
def prepared(kernel: Kernel) -> Kernel:
    assert kernel.run(RULES) == ""
    return kernel


def completed(kernel: Kernel, code: str) -> set[str]:
    found = kernel.client.complete(code, len(code), reply=True, timeout=30)["content"]
    assert found["status"] == "ok"
    return {match.rpartition(".")[2] for match in found["matches"]}


def inspected(kernel: Kernel, name: str) -> str:
    shown = kernel.client.inspect(name, len(name), reply=True, timeout=30)["content"]
    assert shown["found"], name
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown["data"]["text/plain"])
    return text.partition("Docstring:")[2].split("File:")[0].split("Init docstring:")[0].strip()


def test_tab_lists_every_public_name_and_shift_tab_says_what_it_gives(prepared):
    assert set(metrics.__all__) <= completed(prepared, "metrics.")
    assert completed(prepared, "rules.") == WRITTEN_WITH
    assert {name for name in vars(Rules) if name in WRITTEN_WITH} == WRITTEN_WITH
    for name in [*(f"metrics.{name}" for name in metrics.__all__), *(f"rules.{name}" for name in WRITTEN_WITH)]:
        text = inspected(prepared, name)
        assert len(text) > 40, f"{name}: {text!r}"
        assert SHAPE_OR_UNIT.search(text), f"{name} says neither shape nor unit: {text}"
        assert not text.startswith(f"{name.rpartition('.')[2]}("), f"{name} has no docstring of its own"


def test_columns_that_rows_have_are_named_by_their_docstring(prepared):
    for frame in ("rows", "moments"):
        text, columns = inspected(prepared, f"rules.{frame}"), prepared.run(f"print(*rules.{frame}.columns)").split()
        assert [column for column in columns if not re.search(rf"\b{column}\b", text)] == []
