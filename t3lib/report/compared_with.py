"""The names of a period's comparisons: a usual Friday, the week before, October."""

from dataclasses import dataclass

from t3lib.report import words
from t3lib.report.day import Day


@dataclass(frozen=True)
class Against:
    """`when` ends a sentence ('on Friday'); `usual` stands after 'above'; `usual_short` and `before_short` after 'vs'.

    `only_before`: the usual is nothing but the period before, so that once is enough."""

    when: str
    usual: str
    usual_short: str
    before_when: str
    before_short: str
    nothing: str
    only_before: bool

    def before_amount(self, amount: str) -> str:
        """last Friday's £1,000.00; the £1,000.00 of the week before."""
        if self.before_when == "last week":
            return f"the {amount} of the week before"
        return f"{self.before_when.removeprefix('in ')}'s {amount}"


def against(day: Day) -> Against:
    """The words for a day's, week's or month's comparisons."""
    return {"day": _day, "week": _week, "month": _month}[day.period.kind](day)


def _day(day: Day) -> Against:
    weekday, only = f"{day.period.last:%A}", bool(day.usual and day.usual.weeks == 1)
    return Against(
        f"on {weekday}",
        f"last {weekday}" if only else f"a usual {weekday}",
        "usual",
        f"last {weekday}",
        f"last {words.weekday(day.period.last)}",
        f"There is no earlier {weekday} to compare with yet.",
        only,
    )


def _week(day: Day) -> Against:
    only = bool(day.usual and day.usual.weeks == 1)
    return Against(
        f"in the week {day.period.dates}",
        "the week before" if only else "a usual week",
        "usual",
        "last week",
        _week_dates(day),
        "There is no earlier week to compare with yet.",
        only,
    )


def _week_dates(day: Day) -> str:
    """9–15 Nov: which week is meant by a reader's Monday."""
    first, last = day.period.before.first, day.period.before.last
    return f"{first.day}–{last.day} {last:%b}" if first.month == last.month else f"week to {last.day} {last:%b}"


def _month(day: Day) -> Against:
    before = day.period.before
    usual = day.usual_of or before
    return Against(
        f"in {day.period.dates}",
        f"{usual.last:%B %Y}" if usual.last.year != day.period.last.year else f"{usual.last:%B}",
        f"{usual.last:%b %Y}" if usual.last.year != day.period.last.year else f"{usual.last:%b}",
        f"in {before.last:%B}",
        f"{before.last:%b}",
        "There is no earlier month to compare with yet.",
        usual == before,
    )
