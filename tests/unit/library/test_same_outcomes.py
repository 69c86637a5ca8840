"""The notebook's rules decide each row of made-up fleets as the NumPy code did that they replaced.

The digests were made once, by this module's `fleet` and `digest`, with `t3lib.cleaning.clean` of commit 823d51c in a
worktree of its own: the last commit before the rules were cells. A rule that is changed on purpose changes them; then
`t3 diff` says which rows, and the new digests are the ones that the failing test shows."""

import csv
import hashlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from t3lib import feed
from t3lib.cleaning import Rulebook, TruckFacts
from t3lib.ingest.extraction import extract
from t3lib.landing import Landing
from t3lib.simulate import simulate
from t3lib.warehouse.files.ledger import File
from t3lib.warehouse.files.rulesets import FLAGS
from tests.faults.injection.spoiling import made

SUNDAY = date(2026, 11, 15)
DIGESTS = {
    1: (721, "757b8e343773e1c5"),
    2: (902, "2636e671489b8bf5"),
    3: (920, "43ff159e6673547b"),
    4: (612, "6a05c61e92528f33"),
    5: (895, "293c200e2ada3343"),
}
SPOILT = (213, "147eaed45a9f4ae6")


@pytest.mark.parametrize("seed", DIGESTS)
def test_each_row_of_a_made_up_fleet_has_the_outcome_of_the_code_before(tmp_path, seed):
    assert outcomes(*fleet(tmp_path, seed)) == DIGESTS[seed]


def test_each_row_of_spoilt_files_has_the_outcome_of_the_code_before(tmp_path):
    contents = dict(made(number) for number in range(300))
    for key, data in contents.items():
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert outcomes(*extracted(tmp_path), TruckFacts()) == SPOILT


def outcomes(raw: pa.Table, files: pa.Table, facts: TruckFacts) -> tuple[int, str]:
    """What the rules of the folder make of a batch: see `digest`."""
    cleaned = Rulebook.of_folder().clean(raw, files, facts, FLAGS)
    return digest(cleaned.sales, cleaned.rejects)


def fleet(folder: Path, seed: int) -> tuple[pa.Table, pa.Table, TruckFacts]:
    """A week of three trucks: raw rows, files and what is known of the trucks. Seeds from 4 on have no menu."""
    simulate(folder, trucks=3, days=4, end=SUNDAY, seed=seed, now=datetime(2026, 11, 16, 6, tzinfo=UTC),
             sales_per_day=120, dirt=0.2)  # fmt: skip
    prices: dict[int, set[int]] = {}
    if seed < 4:
        for row in csv.DictReader((folder / "metadata" / "menu.csv").open(encoding="utf-8")):
            prices.setdefault(int(row["truck_id"]), set()).add(round(float(row["price"]) * 100))
    facts = TruckFacts(prices=prices, without_reader=frozenset({2}), known=frozenset({1, 2}))
    return *extracted(folder), facts


def extracted(folder: Path) -> tuple[pa.Table, pa.Table]:
    """The raw rows and the readable sales files of a folder, each uploaded a quarter of an hour after its batch."""
    found = sorted(Landing(folder.as_uri()).objects(), key=lambda one: one.key)
    files = []
    for number, one in enumerate(found, 1):
        key = feed.parse(one.key)
        if key.kind in ("live", "history"):
            day, hour = key.batch_date or SUNDAY, key.batch_hour or 23
            at = datetime(day.year, day.month, day.day, hour, 15, tzinfo=UTC)
            files.append(File(number, one.key, one.etag, key.kind, key.truck_id, key.batch_date, key.batch_hour,
                              at + timedelta(days=key.kind == "history"), "claimed"))  # fmt: skip
    read = extract(files, Landing(folder.as_uri()))
    return read.raw, read.files


def digest(sales: pa.Table, rejects: pa.Table) -> tuple[int, str]:
    """How many rows there are, and one digest of all of them with all of their columns."""
    rows = sorted(repr(sorted(row.items())) for table in (sales, rejects) for row in table.to_pylist())
    return len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]
