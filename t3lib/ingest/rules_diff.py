"""What some rules would change, as a notebook shows it: a sentence, rows and pounds by rule, truck and day, a chart."""

from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from t3lib import metrics, warehouse
from t3lib.business_day import days_of
from t3lib.charts import Picture, changes
from t3lib.charts.changes import Shown
from t3lib.cleaning import Rulebook
from t3lib.cleaning.rules import RuleError
from t3lib.ingest import preview
from t3lib.ingest.flags_and_suggestions import SUGGESTION
from t3lib.ingest.preview import Difference

AS_COMMITTED = "These are the rules of the last commit. Once one is edited, a dry run shows here what that changes."
EDITED, COMMITTED, LOADED = "the rules above", "the rules of the last commit", "what is loaded"


@dataclass(frozen=True)
class RulesDiff:
    """A difference as JupyterLab shows it; `name` and `than` say what is compared. Its frames are for further work."""

    found: Difference
    name: str
    than: str
    names: dict[int, str] = field(default_factory=lambda: _names())

    @property
    def rows(self) -> int:
        """How many rows were cleaned."""
        return self.found.rows_read

    @cached_property
    def by_rule(self) -> pd.DataFrame:
        """What rows are and what they would be: how many, and by how much they change the sales."""
        lines = [
            (_words(m["before"]), preview.would_be(m, _words), m["rows"], m["pence"]) for m in self.found.by_move()
        ]
        return pd.DataFrame(lines, columns=["rows_that_are", "would_be", "rows", "change_pence"])

    @cached_property
    def by_truck(self) -> pd.DataFrame:
        """Sales and pence that each truck would gain or lose."""
        lines = [(changes.truck(of["truck_id"], self.names), of["rows"], of["pence"]) for of in self.found.moved(0)]
        return pd.DataFrame(lines, columns=["truck", "change_of_sales", "change_pence"])

    @cached_property
    def by_day(self) -> pd.DataFrame:
        """Sales and pence that each business day would gain or lose."""
        lines = [(pd.Timestamp(of["business_date"]), of["rows"], of["pence"]) for of in self.found.moved(1)]
        return pd.DataFrame(lines, columns=["business_date", "change_of_sales", "change_pence"])

    @cached_property
    def by_mark(self) -> pd.DataFrame:
        """Rows that get a flag or suggestion, lose it or get another, by code, truck and business day."""
        return self._marked("code", "what", "truck_id", "business_date")

    def _marked(self, *names: str) -> pd.DataFrame:
        """The same by some of code, what, truck_id and business_date."""
        lines = self.found.flags_and_suggestions(*names)
        found = pd.DataFrame(lines, columns=[*names, "gained", "lost", "changed", "pence"])
        found["pence"] = found["pence"].astype("Int64").where(found["what"].eq(SUGGESTION))
        if "business_date" in names:
            found["business_date"] = pd.to_datetime(found["business_date"])
        if "truck_id" in names:
            found["truck_id"] = [changes.truck(truck_id, self.names) for truck_id in found["truck_id"]]
        titles = {"truck_id": "truck", "gained": "rows_get_it", "lost": "rows_lose_it", "changed": "rows_get_another",
                  "pence": "change_of_suggestions_pence"}  # fmt: skip
        return found.rename(columns=titles)

    @property
    def sentence(self) -> str:
        """What is compared, and how much comes out differently."""
        count, rows = self.found.files.total(), int(self.by_rule["rows"].sum())
        files = "1 loaded file" if count == 1 else f"{count:,} loaded files"
        come = "1 row comes" if rows == 1 else f"{rows:,} rows come"
        return (
            f"{files} under {self.name}, compared with {self.than}: {come} out differently, sales change by "
            f"{changes.signed(int(self.by_day['change_pence'].sum()))}."
        )

    @property
    def shown(self) -> Shown:
        """Everything, one below the other; tables and chart only where something changes."""
        parts: list[str | pd.DataFrame | Picture] = [self.sentence, *self.found.remarks()]
        parts += [changes.in_words(table) for table in (self.by_rule, self.by_truck) if len(table)]
        if len(self.by_day):
            parts.append(changes.by_day_and_truck(self.found.by_day(), self.names))
        if self.by_day["change_pence"].any():
            parts.append(changes.chart_of_days(self.by_day))
        if len(self.by_mark):
            marked = [self._marked("code", "what", *by) for by in ((), ("truck_id",), ("business_date",))]
            parts += [changes.in_words(table) for table in marked]
            parts.append(changes.chart_of_marks(self.by_mark))
        return Shown(tuple(parts))

    def _repr_html_(self) -> str:
        return self.shown._repr_html_()

    def __repr__(self) -> str:
        return repr(self.shown)


def of_edited(rules: Rulebook, files: list[int], days: str) -> RulesDiff | Shown:
    """What edited rules would change compared with those last committed: of some loaded files, or of these days.

    Outside of a checkout they are compared with what is loaded."""
    try:
        committed, than = Rulebook.of_commit(), COMMITTED
    except RuleError:
        committed, than = None, LOADED
    if rules == committed:
        return Shown((AS_COMMITTED,))
    if days:
        return RulesDiff(preview.of_days(*days_of(days), rules=rules, against=committed), EDITED, than)
    return RulesDiff(preview.of_files(files, rules, committed), EDITED, than)


def _names() -> dict[int, str]:
    with warehouse.connect() as db:
        return metrics.trucks(db)


def _words(outcome: str) -> str:
    return outcome if outcome in (preview.LOADED, preview.NOT_READ) else f"rejected: {outcome}"
