"""What is due when, around midnight and the clock changes."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduler import schedule
from scheduler.schedule import Due

LONDON = ZoneInfo("Europe/London")
PLAN = schedule.Schedule(3, time(2, 30), 5, 5, {"cfo": Due(time(6, 30))})


def due(year: int, month: int, day: int, hour: int, minute: int) -> list[date]:
    now = datetime(year, month, day, hour, minute, tzinfo=UTC)
    return [reported for reported, _ in PLAN.due_reports(now, LONDON)]


def test_the_report_of_yesterday_is_due_from_its_time_to_midnight():
    assert due(2026, 11, 6, 6, 29) == []
    assert due(2026, 11, 6, 6, 30) == due(2026, 11, 6, 23, 59) == [date(2026, 11, 5)]


def test_nothing_is_due_in_the_night_that_belongs_to_the_day_before():
    assert due(2026, 11, 7, 0, 30) == due(2026, 11, 7, 3, 59) == []


def test_local_time_decides_through_both_clock_changes():
    assert due(2026, 3, 29, 5, 29) == []
    assert due(2026, 3, 29, 5, 30) == [date(2026, 3, 28)]
    assert due(2026, 10, 25, 6, 29) == []
    assert due(2026, 10, 25, 6, 30) == [date(2026, 10, 24)]


def test_a_week_is_due_on_monday_and_is_caught_up_until_wednesday():
    plan = schedule.Schedule(3, time(2, 30), 5, 5, {"cfo_week": Due(time(6, 45), "week")})
    days = [plan.due_reports(datetime(2026, 11, day, 7, tzinfo=UTC), LONDON) for day in range(15, 20)]
    sunday = [(date(2026, 11, 15), "cfo_week")]
    assert days == [[], sunday, sunday, sunday, []]
    assert plan.due_reports(datetime(2026, 11, 16, 6, 44, tzinfo=UTC), LONDON) == []


def test_a_month_is_due_on_the_first_and_is_caught_up_for_a_week():
    plan = schedule.Schedule(3, time(2, 30), 5, 5, {"cfo_month": Due(time(7), "month")})
    due_on = [day for day in range(1, 29) if plan.due_reports(datetime(2026, 3, day, 8, tzinfo=UTC), LONDON)]
    assert due_on == [1, 2, 3, 4, 5, 6, 7]
    assert plan.due_reports(datetime(2026, 3, 1, 8, tzinfo=UTC), LONDON) == [(date(2026, 2, 28), "cfo_month")]


def test_a_sweep_that_was_missed_is_due_once():
    missed = PLAN.last_sweep_due(datetime(2026, 11, 6, 1, 0, tzinfo=UTC), LONDON)
    assert missed == datetime(2026, 11, 5, 2, 30, tzinfo=LONDON)


@pytest.mark.parametrize("change", [date(2026, 3, 29), date(2026, 10, 25)])
@pytest.mark.parametrize("at", [time(1, 30), time(2, 30)])
def test_minute_by_minute_through_a_clock_change_everything_is_done_once_a_day(change, at):
    plan = schedule.Schedule(3, at, 5, 5, {"cfo": Due(at if at.hour > 4 else time(6, 30))}, maintenance_at=at)
    now = datetime.combine(change - timedelta(days=2), time(12), UTC)
    reports: list[tuple[date, str]] = []
    sweeps: list[datetime] = []
    swept = now
    while now < datetime.combine(change + timedelta(days=2), time(12), UTC):
        reports += [report for report in plan.due_reports(now, LONDON) if report not in reports[-1:]]
        if swept < plan.last_sweep_due(now, LONDON):
            sweeps.append(now.astimezone(LONDON))
            swept = now
        now += timedelta(minutes=1)
    assert [day for day, _ in reports] == [change + timedelta(days=n) for n in range(-3, 2)]
    assert [moment.date() for moment in sweeps] == [change + timedelta(days=n) for n in range(-1, 3)]
    assert {moment.strftime("%H:%M") for moment in sweeps} <= {f"{at:%H:%M}", "02:30"}


def test_a_report_may_wait_until_the_cut_off_in_local_time():
    plan = schedule.Schedule(3, time(2, 30), 5, 5, {}, cut_off=time(9, 30))
    assert plan.may_wait(datetime(2026, 7, 1, 8, 29, tzinfo=UTC), LONDON)
    assert not plan.may_wait(datetime(2026, 7, 1, 8, 30, tzinfo=UTC), LONDON)


def test_the_schedule_file_is_read():
    plan = schedule.load()
    assert plan.daily == ("cfo", "culinary")
    assert plan.reports["cfo_week"] == Due(time(6, 45), "week")
    assert plan.discover_seconds > 0
    assert plan.limits.output_bytes == 16 * 2**20
    assert plan.cut_off == time(9, 30)
