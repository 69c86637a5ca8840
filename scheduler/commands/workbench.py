"""`t3 run` and `t3 diff`: a notebook or a rule as it stands in the folder, tried before it counts."""

import typer

from scheduler import kernels
from scheduler.commands.making import days_of
from scheduler.commands.output import as_json as print_json
from scheduler.commands.output import lines, out, progress, say, table
from scheduler.commands.session import session
from scheduler.runs import dry_run, parameters, reproduction
from scheduler.runs.reproduction import Reproduction
from scheduler.runs.runner import NotebookFailedError
from t3lib.ingest import preview
from t3lib.ingest.preview import Difference
from t3lib.money import pounds
from t3lib.settings import settings

_MOVES = {"before": "rows that are", "after": "would be", "rows": "rows", "pence": "sales change by"}
_RUNS = {"run_id": "run", "notebook": "notebook", "started_at": "started", "git_commit": "commit", "rows": "rows"}
_DAYS = {name: name for name in ("truck", "day", "before", "after", "sales")}


def run(name: str, given: list[tuple[str, str]], as_json: bool) -> None:
    """Execute a notebook; raises BadParameter for what it does not take, SystemExit(1) when a cell raised."""
    path = parameters.notebook(name)
    try:
        values = parameters.values(path, given)
    except parameters.ParameterError as error:
        raise typer.BadParameter(str(error)) from None
    with session("database", "landing", "archive"):
        kernels.warm()
        try:
            with progress(f"Running {path.name}"):
                done = dry_run.dry_run(path, values)
        except NotebookFailedError as error:
            say(f"t3: {error}")
            raise SystemExit(1) from None
    if as_json:
        print_json({"executed_copy": str(done.path), "values": done.values})
        return
    lines(done.table)
    for label, value in done.values.items():
        print(f"{label.replace('_', ' ')}: {value:,}" if isinstance(value, int) else f"{label}: {value}")
    print(done.path)


def diff(days: str, as_json: bool) -> None:
    """Show what cleaning these days again would change."""
    first, last = days_of(days, "DATE")
    with session("database", "landing"):
        own = settings().database_url_analyst
        with progress("Cleaning for comparison") as advance:
            found = preview.of_days(first, last, own.get_secret_value() if own else None, advance)
    if as_json:
        print_json({"files": found.files, "moves": found.by_move(), "days": found.by_day(), "readable": found.readable})
    else:
        _show(found, days)


def reproduce(run_id: str, as_json: bool) -> None:
    """Run a past run again; raises SystemExit(1) unless every figure came out as then."""
    with session("database", "landing"), progress("Running it again"):
        found = reproduction.reproduce(run_id) if run_id else reproduction.latest()
    if isinstance(found, list):
        print_json(found) if as_json else table(found, _RUNS, "No run has finished under a commit.")
        return
    if as_json:
        print_json(vars(found) | {"differing": found.differing})
    else:
        _compare(found)
    if found.differing or found.missing:
        raise SystemExit(1)


def _compare(found: Reproduction) -> None:
    for note in [*found.notes, *(f"The bucket no longer holds the version of {key}." for key in found.missing)]:
        say(note)
    rows = [{"figure": name, "then": _short(value), "now": _short(found.now.get(name)),
             "same": "no" if name in found.differing else "yes"} for name, value in found.then.items()]  # fmt: skip
    table(rows, {name: name for name in ("figure", "then", "now", "same")}, "The run recorded no figures.")
    same = f"Run {found.run_id} gives the same figures again under {found.commit}."
    say(f"{len(found.differing)} of {len(found.then)} figures differ." if found.differing else same)


def _short(value: object) -> str:
    """A figure in a column: a table of a report is told by its size."""
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return text if "\n" not in text else f"{len(text.splitlines()):,} lines"


def _show(found: Difference, days: str) -> None:
    changed, files = found.files["restated"], found.files.total()
    named = "1 loaded file" if files == 1 else f"{files:,} loaded files"
    out.print(f"{named} cleaned under the rules of this folder: {changed:,} would come out otherwise.")
    for outcome in ("gone", "refused"):
        if count := found.files[outcome]:
            out.print(f"{count:,} cannot be read any more ({outcome}): their rows would stay as they are.")
    for key, rows in found.readable.items():
        out.print(f"{key} could not be read before and can be now: {rows:,} rows.", soft_wrap=True)
    moves = [move | {"pence": _signed(move["pence"])} for move in found.by_move()]
    for rows, titles in ((moves, _MOVES), ([_line(day) for day in found.by_day()], _DAYS)):
        if rows:
            out.print()
            table(rows, titles, "")
    if changed or found.readable:
        out.print(f"\nNothing is changed. To apply it: t3 ingest --again {days}")


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
