"""`t3 diff`: what an edited cleaning rule would change, shown before it is committed."""

from typing import TYPE_CHECKING, Annotated

import typer

from scheduler.cli.dates import days_of
from scheduler.cli.options import Json
from scheduler.cli.output import out, print_json, progress, table
from t3lib.money import pounds
from t3lib.settings import settings

if TYPE_CHECKING:
    from t3lib.ingest.preview import Difference

_MOVES = {"before": "rows that are", "after": "would be", "rows": "rows", "pence": "change of sales"}
_OF_TRUCK = {"truck_id": "truck", "rows": "sales", "pence": "change of sales"}
_OF_DAY = {"business_date": "day", "rows": "sales", "pence": "change of sales"}
_DAYS = {name: name for name in ("truck", "day", "before", "after", "sales")}


def diff(
    days: Annotated[str, typer.Argument(help="Business day or days, DATE or DATE..DATE.")],
    commit: Annotated[str, typer.Option(help="The rules of this commit instead of those of the folder.")] = "",
    against: Annotated[str, typer.Option(help="Compare with the rules of this commit, not with what is loaded.")] = "",
    json: Json = False,
) -> None:
    """Show what edited cleaning rules would change for loaded days.

    The rules are those of `2_clean` in this folder, edits included, or of a commit. Rows that would move between loaded
    and rejected, by reason, and sales per truck and day, compared with what is loaded or with the rules of a commit.
    Nothing is changed; `t3 ingest --reprocess` applies the rules.

    Example: t3 diff 2026-11-01..2026-11-07

    Example: t3 diff 2026-11-01..2026-11-07 --against HEAD

    Example: t3 diff 2026-11-05 --commit HEAD --against HEAD~1"""
    from scheduler.cli.session import session
    from t3lib.cleaning import Rulebook
    from t3lib.ingest import preview

    first, last = days_of(days, "DATE")
    rules = Rulebook.of_commit(commit) if commit else Rulebook.of_folder()
    other = Rulebook.of_commit(against) if against else None
    with session("database", "landing"):
        own = settings().database_url_analyst
        with progress("Cleaning for comparison") as advance:
            found = preview.of_days(first, last, own.get_secret_value() if own else None, advance, rules, other)
    if json:
        print_json({"files": found.files, "moves": found.by_move(), "trucks": found.moved(0), "dates": found.moved(1),
                    "days": found.by_day(), "readable": found.readable})  # fmt: skip
        return
    _show(found, commit or "this folder", against)
    if not against and (found.files["restated"] or found.readable):
        out().print(f"\nNothing is changed. To apply the rules: t3 ingest --reprocess {days}")


def _show(found: "Difference", place: str, against: str) -> None:
    changed, files = found.files["restated"], found.files.total()
    if not files:
        out().print("No file is loaded for these days: there is nothing to compare.")
        return
    named = "1 loaded file" if files == 1 else f"{files:,} loaded files"
    than = f" than under those of {against}" if against else ""
    out().print(f"{named} cleaned under the rules of {place}: {changed:,} would come out differently{than}.")
    for outcome in ("gone", "refused"):
        if count := found.files[outcome]:
            out().print(f"{count:,} can no longer be read ({outcome}): their rows would stay as they are.")
    for key, rows in found.readable.items():
        out().print(f"{key} could not be read before and can be now: {rows:,} rows.", soft_wrap=True)
    days_moved = [_line(day) for day in found.by_day()]
    moved = [[_sums(line) for line in found.moved(place)] for place in (0, 1)]
    for lines, titles in (([_sums(move) for move in found.by_move()], _MOVES), (moved[0], _OF_TRUCK),
                          (moved[1], _OF_DAY), (days_moved, _DAYS)):  # fmt: skip
        if lines:
            out().print()
            table(lines, titles, "")


def _sums(line: dict) -> dict:
    return line | {"pence": _signed(line["pence"])}


def _line(day: dict) -> dict:
    return {
        "truck": day["truck_id"],
        "day": day["business_date"],
        "before": pounds(day["pence_before"]),
        "after": pounds(day["pence_after"]),
        "sales": f"{day['rows_after'] - day['rows_before']:+,}",
    }


def _signed(pence: int) -> str:
    return f"+{pounds(pence)}" if pence > 0 else pounds(pence)
