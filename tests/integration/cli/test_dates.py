"""Days and moments that people type: what names none, or two, is refused in a plain line before anything is done."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from t3lib import metrics
from t3lib.business_day import day_of, moment_of
from t3lib.explore import influences
from t3lib.ingest import pipeline
from t3lib.metrics import Scope
from t3lib.operator_requests import fields
from t3lib.problems import RefusedError
from t3lib.simulate import simulate
from t3lib.simulate.demand import rains
from tests.support.feeding import LUNCH, at, put, rows, states, take_in
from tests.support.restating import MENU_CSV, THURSDAY, sell, upload

TWICE, NEVER = "2026-10-25T01:30", "2026-03-29T01:30"
PITCHES = "metadata/pitches.csv"


@pytest.mark.parametrize(
    "command",
    [
        ["report", "--date", "0001-01-01"],
        ["trace", "--truck", "3", "--date", "0001-01-01"],
        ["diff", "0001-01-01"],
        ["ingest", "--reprocess", "9999-12-31", "--why", "A trial"],
        ["backfill", "--from", "0001-01-01", "--to", "9999-12-31"],
        ["rejects", "list", "--date", "0001-01-01"],
        ["simulate", "--out", "nowhere", "--end", "9999-12-31"],
        ["run", "first_look", "-p", "business_date", "0001-01-01"],
        ["run", "history_with_dask", "-p", "first_month", "0001-01"],
        ["archive", "verify", "--month", "0001-01"],
        ["run", "1_extract", "-p", "batch_id", "three"],
    ],
    ids=" ".join,
)
def test_a_day_that_no_fleet_traded_on_is_refused_in_a_plain_line(t3, command):
    code, _, said = t3(*command)
    assert code == 2, said
    assert "Traceback" not in said
    wanted = ("not a day that T3 knows", "from 2000 to 2199", "a month such as", "is not a month", "the id of a batch")
    assert any(words in said.replace("\n", " ") for words in wanted), said


def test_a_batch_that_never_was_is_refused(database):
    with pytest.raises(RefusedError, match="There is no batch batch-9-0123456789ab"):
        pipeline.open_batch("batch-9-0123456789ab")


def test_a_local_time_that_exists_twice_or_never_asks_for_its_offset():
    for text, said in ((TWICE, "exists twice in Europe/London"), (NEVER, "never existed in Europe/London")):
        with pytest.raises(ValueError, match=f"{said}.*write it with its offset"):
            moment_of(text)
    assert moment_of(f"{TWICE}+01:00") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert moment_of(f"{TWICE}+00:00") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert moment_of("2026-07-01 12:30") == datetime(2026, 7, 1, 11, 30, tzinfo=UTC)


def test_such_a_time_of_a_repair_is_refused_as_a_request_and_in_the_command(t3):
    code, _, said = t3("rejects", "repair", "1", "1", "--at", TWICE, "--why", "The till")
    assert code == 2
    assert "exists twice" in said
    assert "--at" in said
    with pytest.raises(RefusedError, match=r"Time: .*never existed"):
        fields.moment("Time", NEVER)
    with pytest.raises(RefusedError, match="Day: 0001-01-01 is not a day that T3 knows"):
        fields.day("Day", "0001-01-01")


def test_such_a_time_of_a_pitch_refuses_the_file_and_the_version_before_stays(bucket: Path):
    header = "truck_id,location_id,from,to"
    put(bucket, PITCHES, "3,1,2026-10-24 10:00,2026-10-25 01:30+01:00", header=header)
    take_in()
    put(bucket, PITCHES, f"3,2,2026-10-24 10:00,{TWICE}", header=header)
    take_in()
    assert states()[PITCHES] == "unreadable"
    ((reason,),) = rows("SELECT reason FROM ops.source_file WHERE state = 'unreadable'")
    assert "line 2" in reason
    assert "exists twice in Europe/London" in reason
    assert rows("SELECT location_id FROM core.pitch") == [(1,)]


def test_a_number_of_days_that_no_calendar_holds_is_refused():
    for days in (0, -1, 10**9):
        with pytest.raises(ValueError, match="days is a number from 1 to 36,525"):
            metrics.recent(days, "2026-11-05")
    with pytest.raises(ValueError, match="is not a date"):
        day_of("yesterday")


WEEK = Scope(date(2026, 11, 9), date(2026, 11, 15))


def test_the_made_up_weather_goes_with_the_made_up_fleet_of_its_seed(bucket: Path):
    simulate(bucket, trucks=2, days=7, end=date(2026, 11, 15), seed=6)
    take_in()
    assert influences.made_up_seed(WEEK) == 6
    assert influences.weather(WEEK) == {date(2026, 11, day): rains(date(2026, 11, day), 6) for day in range(9, 16)}


def test_real_sales_get_no_weather_also_among_those_of_a_made_up_fleet(bucket: Path):
    simulate(bucket, trucks=2, days=7, end=date(2026, 11, 15), seed=1)
    put(bucket, LUNCH.replace("11/5", "11/12").replace("T3_T3", "T3_T1"),
        *[at(f"13:{minute:02d}", "card", "7.35", "2026-11-12") for minute in range(20)])  # fmt: skip
    take_in()
    assert influences.weather(WEEK) == {}
    assert influences.weather(Scope(WEEK.first, date(2026, 11, 11))) != {}


def test_a_fleet_with_the_same_names_and_menu_is_not_taken_for_the_made_up_one(bucket: Path):
    simulate(bucket, trucks=1, days=7, end=date(2026, 11, 15), seed=1)
    for path in [*(bucket / "trucks").rglob("*.csv"), *(bucket / "historical").iterdir()]:
        path.unlink()
    sold = [at(f"{hour}:{minute:02d}", "card", "7.00", "2026-11-12") for hour in (12, 13) for minute in range(0, 60, 2)]
    put(bucket, LUNCH.replace("11/5", "11/12").replace("T3_T3", "T3_T1"), *sold)
    take_in()
    assert influences.made_up_seed(WEEK) is None
    assert influences.weather(WEEK) == {}


def test_a_menu_is_listed_with_its_days_and_applied_to_the_past(bucket, t3):
    upload(bucket, MENU_CSV, "3,Burrito,Mexican,4.99,1", when="2026-11-01 08:00")
    sell(bucket, THURSDAY, "4.99", truck=3)
    upload(bucket, MENU_CSV, "3,Burrito,Mexican,4.99,2", when="2026-11-06 08:00")
    code, out, _ = t3("menu", "--json")
    assert [(row["unit_cost_pence"], row["first_day"], row["last_day"]) for row in json.loads(out)] == [
        (100, None, "2026-11-05"), (200, "2026-11-06", None)]  # fmt: skip
    code, _, err = t3("menu", "apply", "--from", "2026-11-05", "--why", "The board said so already.")
    assert (code, err) == (0, "Applied: 1 truck day was restated.\n")
    code, _, err = t3("menu", "apply", "--from", "5 November", "--why", "No date.")
    assert (code, "is not a date" in err) == (2, True)
