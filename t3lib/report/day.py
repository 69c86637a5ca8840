"""One report: its period, its edition, and the figures that all of its sections share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import pandas as pd

from t3lib import business_day, metrics, period
from t3lib.editions import Edition, edition, placed
from t3lib.metrics.sales import breakdown, comparison
from t3lib.period import Period
from t3lib.report import sent_figures
from t3lib.report.block import table_block
from t3lib.report.sent_figures import Sent
from t3lib.report.snapshot import Figures, Snapshot
from t3lib.warehouse.files import rulesets

# Files that a section may need, and what must be in them.
_FILES = {
    "menu": "menu.csv: truck_id, menu_item, menu_type, price",
    "pitches": "pitches.csv: truck_id, location_id, from, to",
    "costs": "costs.csv: cost, amount, per, from (truck_id for the costs of one truck)",
}


class Part(Protocol):
    """What a report can show: a block or a picture, also as plain text."""

    @property
    def text(self) -> str:
        """What readers of the plain part see."""
        ...


@dataclass(frozen=True)
class Day:
    """One business day, week or month for one edition's readers.

    `before` is the day a week before, or the week or month before. `usual` is the mean of four weeks; of a month it is
    the same month a year before, or, where the data do not reach back that far, the month before (`usual_of` says).
    Both are None without data to compare with."""

    period: Period
    edition: Edition
    sales: metrics.Totals
    before: metrics.Totals | None
    usual: metrics.Typical | None
    usual_of: Period | None
    quality: metrics.DataQuality
    reasons: dict[str, str]
    freshness: metrics.Freshness
    restated: pd.DataFrame
    inputs: dict[str, bool]
    sent: Sent | None
    figures: Figures
    shown: list[Part] = field(default_factory=list)

    @property
    def business_date(self) -> date:
        """The day, or the last one of the week or month."""
        return self.period.last

    @property
    def contribution_shown(self) -> int | None:
        """The contribution in pence; None without costs, and in an edition that does not show it."""
        made = self.figure(metrics.contribution) if self.includes("contribution") and self.inputs["costs"] else None
        return made.contribution_pence if made else None

    @property
    def measure(self) -> str:
        """What the edition leads with: gross_sales_pence or transactions."""
        return self.edition.measure

    @property
    def measured(self) -> str:
        """The same as a heading: Sales, or Number of sales."""
        return "Sales" if self.measure.endswith("_pence") else "Number of sales"

    def includes(self, section: str, *editions: str) -> bool:
        """Whether the edition has this section: whether editions.toml names it under `sections`.

        editions: who gets a section that editions.toml does not name at all, such as "cfo"."""
        of = [edition(name).name for name in editions]
        return section in self.edition.sections or (self.edition.name in of and section not in placed())

    def has_file(self, file: str, title: str) -> bool:
        """Whether menu, pitches or costs are loaded; otherwise the report says under this title what it needs."""
        if not self.inputs[file]:
            self.show(table_block(title, [], [], f"Needs metadata/{_FILES[file]}."))
        return self.inputs[file]

    def show(self, part: Part | None) -> None:
        """Put a part into the report, below what it shows already; None shows nothing."""
        if part is not None:
            self.shown.append(part)
            _display(part)

    def compared(self, figure: Callable[..., pd.DataFrame]) -> pd.DataFrame:
        """A breakdown of `t3lib.metrics` (by_truck, by_hour, ...) for this period: its columns, and transactions and
        gross_sales_pence `_before` and `_usual`, both missing where there is nothing to compare with."""
        return self.figures.compared(figure)

    def figure(self, figure: Callable[..., Any], *about: Any, months: int = 0, weeks: int = 0) -> Any:
        """Any figure of `t3lib.metrics` for this period; with `months` or `weeks` for so many calendar months or weeks
        up to its last day. `about` are further arguments of the figure."""
        return self.figures.figure(figure, *about, months=months, weeks=weeks)

    def against_year_before(self, figure: Callable[..., Any], *, months: int = 0) -> Any:
        """A figure that compares two scopes, against the same dates a year before; None where the data begin later."""
        return self.figures.against_year_before(figure, months=months)


def read(business_date: str = "", edition_name: str = "cfo", url: str | None = None) -> Day:
    """The report of the day, week or month that a business day lies in (ISO date; empty for the latest that is over).

    Raises ValueError for any other text."""
    one = edition(edition_name)
    if business_date:
        days = period.of(one.period, business_day.day_of(business_date))
    else:
        days = one.latest(business_day.today())
    return _read(Snapshot.of(days, url), one)


def _read(snapshot: Snapshot, one: Edition) -> Day:
    db, days, scope, before = snapshot.db, snapshot.period, snapshot.scope, snapshot.before
    return Day(
        period=days,
        edition=one,
        sales=metrics.totals(db, scope),
        before=metrics.totals(db, before[0]) if before else None,
        usual=comparison.mean(db, snapshot.usual),
        usual_of=snapshot.usual_of,
        quality=metrics.data_quality(db, scope),
        reasons=rulesets.sentences(db, days.first, days.last),
        freshness=metrics.freshness(db),
        restated=metrics.restated_days(db, *_restatement_span(snapshot, one), before=days.first),
        inputs=breakdown.inputs(db),
        sent=sent_figures.latest(db, one, days.last),
        figures=snapshot,
    )


def _restatement_span(snapshot: Snapshot, one: Edition) -> tuple[datetime, datetime]:
    """Between which moments restatements are listed: from the previous report (else the start of this period) until the
    end of the day after the period."""
    days = snapshot.period
    made = sent_figures.made_at(snapshot.db, one, before=days.last)
    until = business_day.bounds(days.last + timedelta(days=1))[1]
    return made or business_day.bounds(days.first)[0], until


def _display(part: Part) -> None:
    from IPython import get_ipython  # a library's test has no notebook

    if get_ipython() is not None:
        from IPython.display import display

        display(part)
