"""Rules of cleaning compared with those of a commit, or with what is loaded."""

from t3lib.business_day import days_of
from t3lib.cleaning import Rulebook
from t3lib.explore import nothing, span
from t3lib.ingest import preview, rules_diff
from t3lib.ingest.rules_diff import RulesDiff
from t3lib.metrics.scope import Scope

FOLDER = "the rules of this folder"


def diff(days: str | Scope, commit: str = "", against: str = "") -> RulesDiff:
    """What rules would change of the loaded files of some days (DATE, DATE..DATE or a scope): by rule, truck and day,
    with a chart.

    commit: the rules of a commit instead of the folder's `2_clean`. against: compared with those of another commit
    instead of what is loaded. Nothing is changed; `t3 diff` shows the same in a terminal."""
    first, last = days_of(days) if isinstance(days, str) else (days.first, days.last)
    rules = Rulebook.of_commit(commit) if commit else Rulebook.of_folder()
    other = Rulebook.of_commit(against) if against else None
    found = preview.of_days(first, last, rules=rules, against=other)
    named, than = (f"the rules of {commit}" if commit else FOLDER), f"the rules of {against}" if against else ""
    return RulesDiff(found, named, than or rules_diff.LOADED)


def finding(found: RulesDiff, scope: Scope) -> str:
    """The difference in a sentence."""
    return f"In {span(scope)}: {found.sentence}" if found.rows else nothing(scope)
