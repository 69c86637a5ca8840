"""The names of a period's comparisons: a usual Friday, the week before, October."""

from dataclasses import dataclass

from t3lib.report import words
from t3lib.report.day import Day


@dataclass(frozen=True)
class ComparisonNames:
    """`when` ends a sentence ('on Friday'); `usual` follows 'above'; `usual_short` and `before_short` follow 'vs'.

    `no_earlier` is the sentence for no comparison. `only_before`: the usual is the period before itself, so that one
    comparison is enough."""

    when: str
    usual: str
    usual_short: str
    before_when: str
    before_short: str
    no_earlier: str
    only_before: bool

    def before_amount(self, amount: str) -> str:
        """last Friday's £1,000.00; the £1,000.00 of the week before."""
        if self.before_when == "last week":
            return f"the {amount} of the week before"
        return f"{self.before_when.removeprefix('in ')}'s {amount}"


def comparison_names(day: Day) -> ComparisonNames:
    """What the comparisons of a day, week or month are called."""
    return {"day": _day, "week": _week, "month": _month}[day.period.kind](day)


def _day(day: Day) -> ComparisonNames:
    weekday, only = f"{day.period.last:%A}", bool(day.usual and day.usual.weeks == 1)
    return ComparisonNames(
        f"on {weekday}",
        f"last {weekday}" if only else f"a usual {weekday}",
        "usual",
        f"last {weekday}",
        f"last {words.weekday(day.period.last)}",
        f"There is no earlier {weekday} to compare with yet.",
        only,
    )


def _week(day: Day) -> ComparisonNames:
    only = bool(day.usual and day.usual.weeks == 1)
    return ComparisonNames(
        f"in the week {day.period.dates}",
        "the week before" if only else "a usual week",
        "usual",
        "last week",
        _week_dates(day),
        "There is no earlier week to compare with yet.",
        only,
    )


def _week_dates(day: Day) -> str:
    """9–15 Nov: on a Monday "last week" could be either of two weeks."""
    first, last = day.period.before.first, day.period.before.last
    return f"{first.day}–{last.day} {last:%b}" if first.month == last.month else f"week to {last.day} {last:%b}"


def _month(day: Day) -> ComparisonNames:
    before = day.period.before
    usual = day.usual_of or before
    return ComparisonNames(
        f"in {day.period.dates}",
        f"{usual.last:%B %Y}" if usual.last.year != day.period.last.year else f"{usual.last:%B}",
        f"{usual.last:%b %Y}" if usual.last.year != day.period.last.year else f"{usual.last:%b}",
        f"in {before.last:%B}",
        f"{before.last:%b}",
        "There is no earlier month to compare with yet.",
        usual == before,
    )
