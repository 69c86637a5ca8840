"""What some rules would change, as a notebook shows it: a sentence, rows and pounds by rule, truck and day, a chart."""

from typing import Any

import pandas as pd

from t3lib import metrics, warehouse
from t3lib.business_day import days_of
from t3lib.charts import Picture, changes
from t3lib.charts.changes import Shown
from t3lib.cleaning import Rulebook
from t3lib.ingest import preview
from t3lib.ingest.preview import Difference

AS_COMMITTED = "The rules are those of the last commit: there is nothing to compare."
EDITED, COMMITTED, LOADED = "the rules above", "the rules of the last commit", "what is loaded"


def of_days(days: str, rules: Rulebook, name: str, against: Rulebook | None = None, than: str = LOADED) -> Shown:
    """What rules would change of the loaded files of DATE or DATE..DATE."""
    return shown(preview.of_days(*days_of(days), rules=rules, against=against), name, than)


def of_edited(rules: Rulebook, files: list[int], days: str) -> Shown:
    """What edited rules would change compared with those last committed: of some loaded files, or of these days."""
    committed = Rulebook.of_commit()
    if rules == committed:
        return Shown((AS_COMMITTED,))
    if days:
        return of_days(days, rules, EDITED, committed, COMMITTED)
    return shown(preview.of_files(files, rules, committed), EDITED, COMMITTED)


def shown(found: Difference, name: str, than: str) -> Shown:
    """A difference for people; `name` and `than` say what is compared."""
    moves, trucks, days = found.by_move(), found.moved(0), found.moved(1)
    rows, pence = sum(move["rows"] for move in moves), sum(day["pence"] for day in days)
    said = (
        f"{_files(found)} cleaned under {name}, compared with {than}: {rows:,} "
        f"{'row comes' if rows == 1 else 'rows come'} out differently, sales change by {changes.signed(pence)}."
    )
    parts: list[str | pd.DataFrame | Picture] = [said]
    if moves:
        parts.append(_by_rule(moves))
    if days:
        with warehouse.connect() as db:
            names = metrics.trucks(db)
        parts += [changes.moved(trucks, "truck_id", names), changes.by_day_and_truck(found.by_day(), names)]
    if any(day["pence"] for day in days):
        parts.append(changes.chart_of_days(days, "Change of sales by day"))
    return Shown(tuple(parts))


def _files(found: Difference) -> str:
    count = found.files.total()
    return "1 loaded file" if count == 1 else f"{count:,} loaded files"


def _by_rule(moves: list[dict[str, Any]]) -> pd.DataFrame:
    lines = [
        (_words(move["before"]), _words(move["after"]), f"{move['rows']:,}", changes.signed(move["pence"]))
        for move in moves
    ]
    return pd.DataFrame(lines, columns=["rows that are", "would be", "rows", "pounds"])


def _words(outcome: str) -> str:
    return outcome if outcome in (preview.LOADED, preview.NOT_READ) else f"rejected: {outcome}"
