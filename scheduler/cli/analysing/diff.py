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
_GAINED = {"gained": "rows get it", "lost": "rows lose it", "changed": "rows get another",
           "pence": "change of suggested totals"}  # fmt: skip
_OF_CODE = {"code": "code", "what": "what"} | _GAINED
_OF_CODE_AND_TRUCK = {"code": "code", "truck_id": "truck"} | _GAINED
_OF_CODE_AND_DAY = {"code": "code", "business_date": "day"} | _GAINED
_MARKED_BY = ("code", "what", "truck_id", "business_date")
_DAYS = {name: name for name in ("truck", "day", "before", "after", "sales")}


def diff(
    days: Annotated[str, typer.Argument(help="Business day or days, DATE or DATE..DATE.")],
    commit: Annotated[str, typer.Option(help="The rules of this commit instead of those of the folder.")] = "",
    against: Annotated[str, typer.Option(help="Compare with the rules of this commit, not with what is loaded.")] = "",
    json: Json = False,
) -> None:
    """Show what edited cleaning rules would change for loaded days.

    The rules are those of `2_clean` in this folder, edits included, or of a commit. Rows that would move between loaded
    and rejected, by reason; sales per truck and day; and rows that get or lose a flag or a suggestion, by code, truck
    and day; compared with what is loaded or with the rules of a commit. Files that cannot be compared are named.
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
                    "days": found.by_day(), "readable": found.readable, "not_compared": found.not_compared,
                    "waiting": [batch._asdict() for batch in found.waiting],
                    "flags_and_suggestions": found.flags_and_suggestions(*_MARKED_BY)})  # fmt: skip
        return
    _show(found, commit or "this folder", against)
    if not against and (found.files["restated"] or found.readable):
        out().print(f"\nNothing is changed. To apply the rules: t3 ingest --reprocess {days}")


def _show(found: "Difference", place: str, against: str) -> None:
    from t3lib.ingest.preview import would_be

    changed, files = found.files["restated"], found.files.total()
    if not files:
        out().print("No file is loaded for these days: there is nothing to compare.")
    else:
        named = "1 loaded file" if files == 1 else f"{files:,} loaded files"
        than = f" than under the rules of {against}" if against else ""
        out().print(f"{named} cleaned under the rules of {place}: {changed:,} would come out differently{than}.")
    for remark in found.remarks():
        out().print(remark, soft_wrap=True, markup=False)
    moves = [_sums(move | {"after": would_be(move)}) for move in found.by_move()]
    trucks, days = ([_sums(line) for line in found.moved(place)] for place in (0, 1))
    shown = [(moves, _MOVES), (trucks, _OF_TRUCK), (days, _OF_DAY), ([_line(day) for day in found.by_day()], _DAYS)]
    for by, titles in ((("code", "what"), _OF_CODE), (("code", "what", "truck_id"), _OF_CODE_AND_TRUCK),
                       (("code", "what", "business_date"), _OF_CODE_AND_DAY)):  # fmt: skip
        shown.append(([_mark(line) for line in found.flags_and_suggestions(*by)], titles))
    for lines, titles in shown:
        if lines:
            out().print()
            table(lines, titles, "")


def _mark(line: dict) -> dict:
    return line | {"pence": _signed(line["pence"]) if line["what"] == "suggestion" else ""}


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
