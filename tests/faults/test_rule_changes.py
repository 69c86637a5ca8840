"""A worker dies while it loads a batch, and the rules change before the next one goes on: each row is judged once,
under rules that are named beside it."""

import os
import signal
import subprocess
import sys

import pytest

from t3lib import warehouse
from t3lib.ingest import pipeline
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing
from t3lib.settings import ROOT
from t3lib.warehouse.checks import other_rules
from t3lib.warehouse.files import batches
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, sales
from tests.support.restating import RECORDED, again
from tests.support.rulebooks import limit

pytestmark = pytest.mark.slow  # each starts a process

BEFORE, AFTER = 50_00, 200_00  # the limit, as the dead worker knew it and as the next one does
KNOWN_BEFORE, KNOWN_AFTER = [(3, 2, 499)], [(3, 1, 9900), (3, 2, 499), (3, 3, 10100)]
# Where the worker dies, and which of the stages the queue repeats: a step that was finished is not.
MOMENTS = {
    "cleaning": ("t3lib.ingest.staging.Staging.write", "sales", ("clean_batch", "load_batch")),
    "staged": ("t3lib.ingest.pipeline.load_batch", "", ("load_batch",)),
    "loading": ("t3lib.warehouse.sales.rollups.update", "", ("load_batch",)),
    "loaded": ("t3lib.warehouse.files.batches.finish", "", ("load_batch",)),
}
_WORKER = """
import os, pkgutil, signal, sys
import pytest
from tests.support import feeding, rulebooks

batch_id, pence, place, name = sys.argv[1:]
patch = pytest.MonkeyPatch()
rulebooks.limit(patch, int(pence))
original = pkgutil.resolve_name(place)

def die(*given, **more):
    if not name or name in given:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*given, **more)

patch.setattr(place, die)
feeding.run(batch_id)
"""


@pytest.fixture(params=MOMENTS)
def moment(request: pytest.FixtureRequest, bucket, monkeypatch: pytest.MonkeyPatch) -> str:
    """A batch of £99.00, £4.99 and £101.00 whose worker died at a moment; then the rules changed and it was resumed."""
    place, name, left = MOMENTS[request.param]
    put(bucket, LUNCH, at("12:00", "card", "99"), at("12:01", "card", "4.99"), at("12:02", "card", "101"))
    (batch_id,) = discover(Landing(), sweep=True)
    worker = [sys.executable, "-c", _WORKER, batch_id, str(BEFORE), place, name]
    ended = subprocess.run(worker, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    limit(monkeypatch, AFTER)
    monkeypatch.setattr(other_rules, "_SECONDS", 1e-9)
    for stage in left:
        getattr(pipeline, stage)(pipeline.open_batch(batch_id))
    with warehouse.connect() as db:
        batches.finish(db, batch_id)
    return request.param


def under_other_rules() -> int:
    with warehouse.connect() as db:
        return other_rules.find(db).files


def test_a_batch_is_loaded_under_one_set_of_rules_and_says_which(moment):
    is_cleaned_anew = moment == "cleaning"
    assert sales() == (KNOWN_AFTER if is_cleaned_anew else KNOWN_BEFORE)
    assert under_other_rules() == (0 if is_cleaned_anew else 1)
    assert rows(RECORDED) == []
    assert_reconciles()
    again()
    assert sales() == KNOWN_AFTER
    assert under_other_rules() == 0
    assert rows(RECORDED) == ([] if is_cleaned_anew else [("again", 3, "2026-11-05", 1, 3, 499, 20499)])
    assert_reconciles()
