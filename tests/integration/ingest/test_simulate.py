"""The made-up feed as files, counted independently of the simulator."""

import csv
import hashlib
import io
import itertools
import json
import os
import re
import subprocess
import sys
import tracemalloc
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow.parquet as pq
import pytest

from t3lib.simulate import live_upload, live_uploads, simulate

pytestmark = pytest.mark.slow  # it makes fleets in processes of their own

LONDON = ZoneInfo("Europe/London")
END = date(2026, 11, 8)
SEED = 3  # a month in which everything happens
NOW = datetime(2026, 11, 9, 12, tzinfo=UTC)  # the clocks changed on 25 October
KNOWN = {"card", "cash"}
MISSING = {"", "blank", "null", "nan", "none", "n/a"}


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    """(folder, truth, summary) of four weeks of the usual fleet."""
    folder = tmp_path_factory.mktemp("feed")
    summary = simulate(folder / "bucket", days=28, seed=SEED, end=END, now=NOW, truth=folder / "truth.json")
    return folder / "bucket", json.loads((folder / "truth.json").read_text()), summary


def test_truth_equals_an_independent_count_of_the_files(bucket):
    folder, truth, _ = bucket
    by_day, reasons, flags = recount(folder)
    assert [
        {"truck_id": truck_id, "business_date": day, "rows": rows, "pence": pence}
        for (truck_id, day), (rows, pence) in sorted(by_day.items())
    ] == truth["by_truck_and_date"]
    assert reasons == truth["rejected"]
    assert flags == truth["flags"]


def test_totals_add_up(bucket):
    folder, truth, summary = bucket
    days = truth["by_truck_and_date"]
    assert truth["rows_read"] == truth["rows_loaded"] + truth["rows_rejected"] == summary.rows
    assert truth["rows_loaded"] == sum(day["rows"] for day in days) == summary.accepted_rows
    assert truth["pence_loaded"] == sum(day["pence"] for day in days) == summary.accepted_pence
    assert truth["rows_rejected"] == sum(truth["rejected"].values())
    assert sum(truth["files"].values()) == len(files(folder)) == summary.files - truth["replaced_versions"]


def test_dirt_and_repeats_have_the_shares_of_the_real_feed(bucket):
    folder, truth, _ = bucket
    rows = [(path, row) for path in live_files(folder) for row in map(tuple, read_rows(path))]
    assert truth["rows_rejected"] / truth["rows_read"] == pytest.approx(0.076, abs=0.01)
    assert 1 - len(set(rows)) / len(rows) == pytest.approx(0.074, abs=0.012)


def test_feed_has_everything_that_goes_wrong(bucket):
    folder, truth, _ = bucket
    assert truth["files"]["held_duplicate"] > 0
    assert truth["replaced_versions"] > 0
    assert truth["header_only_files"] == sum(not read_rows(path) for path in live_files(folder)) > 0
    assert truth["flags"]["card_without_reader"] > 0
    assert truth["flags"]["outside_batch_window"] > 0
    assert (folder / "readme.txt").exists()


def test_most_days_are_not_padded(bucket):
    folders = Counter(path.parts[-3] for path in live_files(bucket[0]) if len(path.parts[-3].lstrip("0")) == 1)
    padded = sum(count for name, count in folders.items() if name.startswith("0"))
    assert 0 < padded < folders.total() / 10


def test_workbook_has_float_ids_and_blank_rows_that_end_in_spaces(bucket):
    book = openpyxl.load_workbook(bucket[0] / "metadata" / "details.xlsx")
    trucks, places = ([*book[name].iter_rows(values_only=True)] for name in ("trucks", "locations"))
    assert trucks[0] == ("ID", "NAME", "DESCRIPTION", "HAS_CARD_READER", "FSA_RATING_22")
    assert [(row[0], row[3]) for row in trucks[1:]] == [(n, "NO" if n == 6 else "YES") for n in range(1, 7)]
    blank = [row for row in places if not str(row[1] or "").strip()]
    assert (len(places), len(blank), str(blank[-1][1]).isspace()) == (23, 18, True)


def test_pitches_follow_one_another_without_gap(bucket):
    stays = [*csv.DictReader((bucket[0] / "metadata" / "pitches.csv").open())]
    for before, after in itertools.pairwise(stays):
        if before["truck_id"] == after["truck_id"]:
            assert before["to"] == after["from"]
            assert (before["location_id"], before["event"]) != (after["location_id"], after["event"])
    assert datetime.fromisoformat(stays[0]["from"]) == datetime(2026, 10, 12, 3, tzinfo=UTC)


def test_every_cost_says_what_it_is_per(bucket):
    costs = [*csv.DictReader((bucket[0] / "metadata" / "costs.csv").open())]
    assert {cost["per"] for cost in costs} == {"day", "month", "sale", "percent", "hour"}
    assert sum(cost["cost"] == "wages" for cost in costs) == 12


def test_output_is_the_same_bytes_in_another_process_with_another_hash_seed(tmp_path):
    code = (
        "import sys; from datetime import date, datetime, UTC; from t3lib.simulate import simulate; "
        "simulate(sys.argv[1], days=3, end=date(2026, 11, 1), now=datetime(2026, 11, 2, tzinfo=UTC))"
    )
    for number in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": number}
        subprocess.run([sys.executable, "-c", code, str(tmp_path / number)], check=True, env=environment)
    assert digests(tmp_path / "1") == digests(tmp_path / "2")


def test_truck_is_the_same_in_a_larger_fleet(tmp_path):
    for trucks in (2, 9):
        simulate(tmp_path / str(trucks), trucks=trucks, days=4, end=END, now=NOW)
    small, large = digests(tmp_path / "2"), digests(tmp_path / "9")
    assert {key: large[key] for key in small if "metadata/" not in key} == {
        key: digest for key, digest in small.items() if "metadata/" not in key
    }


def test_late_part_adds_versions_and_copies_and_the_truth_follows(tmp_path):
    whole = simulate(tmp_path / "whole", days=10, end=END, now=NOW, truth=tmp_path / "whole.json")
    first = simulate(tmp_path / "parts", days=10, end=END, now=NOW, truth=tmp_path / "1.json", parts=("first",))
    assert recount(tmp_path / "parts")[1] == first.rejected
    before = digests(tmp_path / "parts")
    late = simulate(tmp_path / "parts", days=10, end=END, now=NOW, truth=tmp_path / "2.json", parts=("late",))
    after = digests(tmp_path / "parts")
    assert first.accepted_rows < late.accepted_rows == whole.accepted_rows
    assert after == digests(tmp_path / "whole")
    assert any(after[key] != before[key] for key in before)
    assert json.loads((tmp_path / "2.json").read_text()) == json.loads((tmp_path / "whole.json").read_text())


def test_today_has_only_batches_that_have_closed(tmp_path):
    now = datetime(2026, 11, 6, 16, 30, tzinfo=UTC)
    summary = simulate(tmp_path, days=2, end=now.date(), now=now, truth=tmp_path / "truth.json")
    assert {path.parent.name for path in live_files(tmp_path) if "/6/" in path.as_posix()} == {"12", "15"}
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert datetime.fromisoformat(truth["last_sale_at"]) < now
    assert summary.accepted_rows > 0


def test_plain_feed_has_no_mishaps(tmp_path):
    simulate(tmp_path / "out", days=1, end=date(2026, 11, 4), now=NOW + timedelta(days=3), mishaps=False,
             dirt=0, truth=tmp_path / "truth.json")  # fmt: skip
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert truth["rejected"] == {}
    assert set(truth["files"]) == {"loaded", "metadata"}


def test_memory_does_not_grow_with_the_fleet(tmp_path):
    def peak(trucks: int) -> int:
        tracemalloc.reset_peak()
        simulate(tmp_path / str(trucks), trucks=trucks, days=2, end=END, now=NOW, sales_per_day=300)
        return tracemalloc.get_traced_memory()[1]

    simulate(tmp_path / "warm", trucks=12, days=2, end=END, now=NOW)
    tracemalloc.start()
    try:
        assert peak(120) < 3 * peak(12)
    finally:
        tracemalloc.stop()


def test_files_are_written_while_the_fleet_is_simulated(tmp_path):
    seen = []
    simulate(tmp_path, trucks=60, days=2, end=END, now=NOW,
             progress=lambda done, total: seen.append((done, total, len(live_files(tmp_path)))))  # fmt: skip
    assert seen[-1][:2] == (120, 120)
    assert 0 < seen[len(seen) * 3 // 4][2] < seen[-1][2]


@pytest.mark.parametrize("clock", ["03:00", "07:15", "11:30", "14:00", "20:59", "21:00", "23:59"])
def test_live_upload_moves_the_business_day_at_any_hour(tmp_path, clock):
    now = datetime.fromisoformat(f"2026-11-05T{clock}:20+00:00")
    uploads = [live_upload(tmp_path, step, now=now) for step in range(8)]
    assert all(upload.new_rows > 0 for upload in uploads)
    for upload in uploads:
        stamps = [stamp_of(row[0]) for row in read_rows(tmp_path / upload.key)]
        good = [stamp for stamp in stamps if stamp and stamp.year == 2026]
        assert max(good) <= now
        assert {business_date(stamp) for stamp in good} == {business_date(now)}


def test_live_file_grows_under_its_key_and_goes_on_after_a_restart(tmp_path):
    now = datetime(2026, 11, 5, 22, 30, tzinfo=UTC)  # only the kebab van trades
    first = live_upload(tmp_path, 0, now=now)
    before = read_rows(tmp_path / first.key)
    second = next(live_uploads(tmp_path, clock=lambda: now + timedelta(minutes=1)))
    assert second.key == first.key == "trucks/2026-11/5/21/T3_T2_V0.csv"
    assert read_rows(tmp_path / first.key)[: len(before)] == before
    assert second.rows == first.rows + second.new_rows


def test_first_live_file_brings_what_was_sold_since_the_batch_began(tmp_path):
    now = datetime(2026, 11, 5, 14, 45, tzinfo=UTC)
    upload = live_upload(tmp_path, 0, dirt=0, now=now)
    stamps = [stamp_of(row[0]) for row in read_rows(tmp_path / upload.key)]
    assert stamps == sorted(stamps)
    assert min(stamps) < datetime(2026, 11, 5, 12, 30, tzinfo=UTC) < max(stamps) == now


def test_full_live_file_is_followed_by_the_next(tmp_path):
    now = datetime(2026, 11, 5, 22, 30, tzinfo=UTC)
    full = tmp_path / live_upload(tmp_path, 0, now=now).key
    full.write_text(full.read_text() + "2026-11-05 22:00:00+00:00,card,7\n" * 500)
    assert live_upload(tmp_path, 1, now=now).key == "trucks/2026-11/5/21/T3_T2_V1.csv"


@pytest.mark.parametrize("clock", ["2026-10-25T00:30+00:00", "2026-10-25T01:30+00:00", "2026-10-25T03:59+00:00"])
def test_live_night_of_the_clock_change_belongs_to_saturday(tmp_path, clock):
    upload = live_upload(tmp_path, 0, dirt=0, now=datetime.fromisoformat(clock))
    assert upload.key == "trucks/2026-10/24/21/T3_T2_V0.csv"
    assert stamp_of(read_rows(tmp_path / upload.key)[0][0]) == datetime.fromisoformat(clock)


def recount(folder: Path) -> tuple[dict[tuple[int, str], list[int]], dict[str, int], dict[str, int]]:
    """([rows, pence] per truck and business date, rows per reason, rows per flag), with csv and Decimal.

    A file with the content of another one of its truck counts once."""
    prices: dict[int, set[Decimal]] = {}
    for row in csv.DictReader((folder / "metadata" / "menu.csv").open()):
        prices.setdefault(int(row["truck_id"]), set()).add(Decimal(row["price"]))
    by_day: dict[tuple[int, str], list[int]] = {}
    reasons, flags = Counter[str](), Counter[str]()
    seen: set[tuple[int, bytes]] = set()
    for path in [*live_files(folder), *sorted(folder.glob("historical/*.parquet"))]:
        truck_id = int(re.match(r"(?:T3_T|TRUCK_DATA_HIST_)(\d+)", path.name)[1])
        content = (truck_id, path.read_bytes())
        if content in seen:
            continue
        seen.add(content)
        for stamp, payment, total in read_rows(path):
            reason = reject_reason(stamp, payment, total, prices[truck_id])
            if reason:
                reasons[reason] += 1
            else:
                found = by_day.setdefault((truck_id, business_date(stamp_of(stamp)).isoformat()), [0, 0])
                found[0] += 1
                found[1] += int(Decimal(total.strip()) * 100)
                flags["card_without_reader"] += truck_id == 6 and payment.strip().lower() == "card"
                flags["outside_batch_window"] += path.suffix == ".csv" and not in_window(path, stamp_of(stamp))
    return by_day, dict(reasons), dict(flags)


def reject_reason(stamp: str, payment: str, total: str, prices: set[Decimal]) -> str | None:
    """The reason why a row is not a sale: the total's first, then the stamp's, then the payment's."""
    word = total.strip()
    if word.lower() in MISSING:
        return "missing_total"
    if word.upper() in ("VOID", "ERR", "ERROR"):
        return "void" if word.upper() == "VOID" else "error_marker"
    try:
        pounds = Decimal(word)
    except InvalidOperation:
        return "not_a_number"
    if pounds <= 0:
        return "zero" if pounds == 0 else "negative"
    if pounds not in prices:
        return "decimal_shift" if pounds / 100 in prices else "above_limit"
    moment = stamp_of(stamp)
    if moment is None:
        return "bad_timestamp"
    if not 2015 <= moment.year < 2030:
        return "future" if moment.year >= 2030 else "too_old"
    return None if payment.strip().lower() in KNOWN else "unknown_payment_type"


def in_window(path: Path, moment: datetime) -> bool:
    month, day, hour = path.parts[-4:-1]
    year, number = month.split("-")
    last = datetime(int(year), int(number), int(day), int(hour), tzinfo=LONDON)
    return last - timedelta(hours=3) <= moment.astimezone(LONDON) < last


def stamp_of(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def business_date(moment: datetime) -> date:
    local = moment.astimezone(LONDON)
    return local.date() - timedelta(days=local.hour < 4)


def read_rows(path: Path) -> list[list[str]]:
    """Rows of a file as text."""
    if path.suffix == ".csv":
        header, *rows = csv.reader(io.StringIO(path.read_text()))
        assert header == ["timestamp", "type", "total"]
        return rows
    table = pq.read_table(path)
    assert table.column_names == ["timestamp", "type", "total"]
    assert table.schema.field("timestamp").type.tz is None
    columns = (["" if cell is None else str(cell) for cell in column.to_pylist()] for column in table.columns)
    return [list(row) for row in zip(*columns, strict=True)]


def live_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("trucks/*/*/*/*.csv"))


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def digests(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files(folder)}
