"""Rules of cleaning compared with each other, or with what is loaded."""

from t3lib.charts.changes import Shown
from t3lib.cleaning import Rulebook
from t3lib.ingest import rules_diff

FOLDER = "the rules of this folder"


def diff(days: str, commit: str = "", against: str = "") -> Shown:
    """What rules would change of the loaded files of DATE or DATE..DATE: by rule, truck and day, and a chart.

    commit: the rules of a commit instead of the folder's `2_clean`. against: compared with those of another commit
    instead of what is loaded. Nothing is changed; `t3 diff` shows the same in a terminal."""
    rules = Rulebook.of_commit(commit) if commit else Rulebook.of_folder()
    named = f"the rules of {commit}" if commit else FOLDER
    if not against:
        return rules_diff.of_days(days, rules, named)
    return rules_diff.of_days(days, rules, named, Rulebook.of_commit(against), f"the rules of {against}")
