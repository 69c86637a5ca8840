"""`t3 trace`: from a figure to its rows."""

from typing import TYPE_CHECKING, Annotated

import typer

from scheduler.cli.dates import day_of
from scheduler.cli.options import Json
from scheduler.cli.output import out, print_json, shown, table
from t3lib.money import pounds
from t3lib.problems import WrongUseError
from t3lib.settings import settings

if TYPE_CHECKING:
    from t3lib.warehouse.checks.lineage import Record


def trace(
    truck: Annotated[int, typer.Option(help="The truck's id.")],
    date: Annotated[str, typer.Option(help="The business day, YYYY-MM-DD.")],
    hour: Annotated[int | None, typer.Option(help="Only this local hour, 0 to 23.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most rows to list.")] = 500,
    rules: Annotated[
        bool, typer.Option("--rules", help="Also print all rules that these files were cleaned under.")
    ] = False,
    json: Json = False,
) -> None:
    """Trace a figure to its files, rows, raw text and notebooks.

    Exits with 1 if rollup and rows disagree.

    Example: t3 trace --truck 3 --date 2026-11-05 --hour 13"""
    from scheduler.cli.session import session
    from t3lib import warehouse
    from t3lib.landing import Landing
    from t3lib.warehouse.checks import deciding_rules, lineage

    if hour is not None and not 0 <= hour < 24:
        raise WrongUseError(f"--hour {hour} is not an hour of the day: give one from 0 to 23.")
    question = lineage.Question(truck, day_of(date, "--date"), hour)
    with session("database", "landing"), warehouse.connect() as db:
        found = lineage.trace(db, question, Landing(), limit)
        if rules:
            found["rulesets"] = deciding_rules.texts(db, found["files"], found["rejects"])
    if json:
        print_json(found)
    else:
        _show(found)
    if not found["agrees"]:
        raise SystemExit(1)


def _show(found: "Record") -> None:
    figure, rows = found["figure"], found["rows"]
    hour = "" if found["hour"] is None else f", {found['hour']:02d}:00 to {found['hour']:02d}:59"
    out().print(
        f"{found['truck']}, business day {shown(found['business_date'])}{hour} ({settings().timezone})", markup=False
    )
    out().print(f"{figure['transactions']:,} sales, {pounds(figure['pence'])}")
    if not found["agrees"]:
        out().print(f"but the rows add up to {rows['transactions']:,} sales, {pounds(rows['pence'])}: run `t3 doctor`.")
    _files(found["files"])
    _sales(found["sales"], rows["transactions"])
    _rejects(found["rejects"], found["rejected"])
    _rules(found["rules"], found.get("rulesets", {}))
    _runs(found["runs"])


def _files(files: list["Record"]) -> None:
    out().print()
    rows = [
        file
        | {"file": str(file["file_id"]), "sum": pounds(file["pence"]), "not_read": ", ".join(file["columns_not_read"])}
        for file in files
    ]
    columns = {"file": "file", "key": "key", "transactions": "sales", "sum": "sum", "rows_rejected": "rejected",
               "finished_at": "loaded", "deleted_at": "deleted upstream", "not_read": "columns not read",
               "ruleset": "cleaned under rules", "missing": "raw text"}  # fmt: skip
    table(rows, columns, "No file holds a row of it.")


def _sales(sales: list["Record"], count: int) -> None:
    out().print()
    rows = []
    for sale in sales:
        notes = [*sale["flags"], *([sale["decision"]] if sale["decision"] else [])]
        rows.append({"file": str(sale["file_id"]), "row": str(sale["row_number"]), "sold_at": sale["sold_at"],
                     "payment": sale["payment_type"], "total": pounds(sale["total_pence"]),
                     "notes": ", ".join(notes), "text": sale.get("text", "")})  # fmt: skip
    columns = {"file": "file", "row": "row", "sold_at": "sold", "payment": "payment", "total": "total",
               "notes": "notes", "text": "as the truck wrote it"}  # fmt: skip
    table(rows, columns, "No sale.")
    if count > len(sales):
        out().print(f"{count - len(sales):,} more sales: `--limit {count}` shows all.")


def _rejects(rejects: list["Record"], count: int) -> None:
    if rejects:
        out().print("\nNot loaded:")
        columns = {"file_id": "file", "row_number": "row", "raw_timestamp": "time", "raw_type": "payment",
                   "raw_total": "total", "reason": "reason", "status": "status",
                   "text": "as the truck wrote it"}  # fmt: skip
        table([{"text": row["raw_line"], **row} for row in rejects], columns, "")
        if count > len(rejects):
            out().print(f"{count - len(rejects):,} more rejected rows: `--limit {count}` shows all.")


def _rules(deciding: list["Record"], texts: dict[str, list[str]]) -> None:
    if deciding:
        out().print("\nRules that decided the rows above (--rules prints all rules of these files):")
    for rule in deciding:
        count = "1 row" if rule["rows"] == 1 else f"{rule['rows']:,} rows"
        place = f"rules {rule['ruleset']}"
        said = f". {rule['sentence']}" if rule["sentence"] else ""
        out().print(f"{rule['decision']} ({count}; {place}){said}", markup=False, soft_wrap=True)
        _text(rule["text"] or "")
    for of, cells in texts.items():
        out().print(f"\nAll rules of {of}:")
        for cell in cells:
            _text(cell)
            out().print()


def _text(cell: str) -> None:
    for line in cell.splitlines():
        out().print(f"    {line}", markup=False, highlight=False, soft_wrap=True)


def _runs(runs: list["Record"]) -> None:
    if runs:
        out().print("\nNotebooks:")
        rows = [run | {"copy": str(settings().outputs / (run["executed_copy"] or ""))} for run in runs]
        table(rows, {"notebook": "notebook", "state": "state", "started_at": "started", "git_commit": "commit",
                     "ruleset": "rules", "copy": "executed notebook"}, "")  # fmt: skip
