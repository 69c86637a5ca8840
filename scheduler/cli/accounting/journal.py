"""`t3 journal`: business days as journals for an accounting program."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduler.cli.dates import day_of
from scheduler.cli.options import By, Json
from scheduler.cli.output import out, print_json, say, table
from t3lib.money import pounds
from t3lib.problems import WrongUseError

if TYPE_CHECKING:
    from datetime import date

    from t3lib.journal.export import Outcome
    from t3lib.journal.locked import Journal

app = typer.Typer(help="Journals for an accounting program: export, list.", no_args_is_help=True)
LONGEST = 400
_JOURNALS = {"business_date": "business day", "layout": "layout", "number": "correction", "dated": "dated",
             "made_at": "exported", "actor": "by", "file": "file", "partial": "lacked"}  # fmt: skip
_WAITING = {"business_date": "business day", "layout": "layout", "sales": "gross sales differ by",
            "posted": "debits and credits", "why": "what changed"}  # fmt: skip


@app.command("export")
def export(
    start: Annotated[str, typer.Option("--from", help="First business day, DATE.")],
    until: Annotated[str, typer.Option("--to", help="Last business day, DATE.")],
    layout: Annotated[str, typer.Option(help="The program, as notebooks/accounts.toml names it: xero, quickbooks.")],
    folder: Annotated[Path | None, typer.Option(help="Where the files go; else journals/ in the outputs.")] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Also days that still trade or lack files.")] = False,
    together: Annotated[bool, typer.Option("--together", help="Also write one file of those that are new.")] = False,
    why: Annotated[str, typer.Option(help="A reason, kept with the journals.")] = "",
    by: By = "",
    json: Json = False,
) -> None:
    """Write each business day as a balanced journal that Xero or QuickBooks imports, and lock it.

    A locked day is never exported anew: again gives the same file. What changed since is a correction, a journal of its
    own. Days that still trade, lack files or a rate of VAT are refused; then the exit code is 1.

    Example: t3 journal export --from 2026-11-01 --to 2026-11-07 --layout xero"""
    from scheduler.cli.session import session
    from t3lib import warehouse
    from t3lib.journal import export as exporting
    from t3lib.settings import settings
    from t3lib.warehouse.files.audit import account

    first, last = _range(start, until)
    order = exporting.Order(layout, by or account(), why, partial)
    with session("database"), warehouse.connect() as db:
        outcomes = exporting.export(db, first, last, order)
    journals = [one for outcome in outcomes for one in outcome.journals]
    into = folder or settings().outputs / "journals"
    written = exporting.write(journals, into)
    if together:
        new = [one for one in journals if written[one.file]]
        exporting.write_together(new, layout, into, f"journals_{first}_{last}_{layout}")
    if json:
        print_json([_as_json(outcome, into) for outcome in outcomes])
    else:
        _show(outcomes, into, written)
    if any(outcome.state == "refused" for outcome in outcomes):
        raise SystemExit(1)


@app.command("list")
def list_journals(
    layout: Annotated[str | None, typer.Option(help="Only this program.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """List the exported journals, newest day first, and the corrections that wait.

    Example: t3 journal list --layout xero"""
    from scheduler.cli.session import session
    from t3lib import warehouse
    from t3lib.journal import corrections, locked

    with session("database"), warehouse.connect() as db:
        days, waiting = locked.days(db, layout), corrections.waiting(db, layout)
    journals = [_listed(one) for day in reversed(days.values()) for one in reversed(day.journals)]
    wait: list[dict[str, Any]] = [
        {"business_date": one.business_date, "layout": one.layout, "sales_pence": one.sales_pence,
         "posted_pence": one.posted_pence, "parts": dict(one.parts), "changes": one.changes, "why": one.why}
        for one in waiting
    ]  # fmt: skip
    if json:
        print_json({"journals": journals, "corrections": wait})
        return
    table([row | {"number": row["number"] or None} for row in journals], _JOURNALS, "No day was exported yet.")
    if wait:
        out().print("\nCorrections that wait (`t3 journal export` of these days makes them):")
        shown = [row | {"sales": pounds(row["sales_pence"]), "posted": pounds(row["posted_pence"]),
                        "why": row["why"] or ", ".join(f"{what} {pounds(pence)}" for what, pence in row["changes"])}
                 for row in wait]  # fmt: skip
        table(shown, _WAITING, "")


def _range(start: str, until: str) -> "tuple[date, date]":
    first, last = day_of(start, "--from"), day_of(until, "--to")
    if first > last:
        raise WrongUseError("--to is before --from.")
    if (last - first).days >= LONGEST:
        raise WrongUseError(f"That is more than {LONGEST} days: export them in parts.")
    return first, last


def _show(outcomes: "list[Outcome]", folder: Path, written: dict[str, bool]) -> None:
    said = {"exported": "exported and locked", "corrected": "corrected", "unchanged": "unchanged since its export"}
    rows: list[dict[str, Any]] = []
    for outcome in outcomes:
        if outcome.state in said:
            files = [one.file for one in outcome.journals]
            shown = files[-1:] if outcome.state == "corrected" else files
            again = outcome.state == "unchanged" and any(written[file] for file in files)
            rows.append({"day": outcome.business_date, "state": said[outcome.state] + (", file written again" if again
                         else ""), "file": ", ".join(shown)})  # fmt: skip
        elif outcome.state == "nothing":
            rows.append({"day": outcome.business_date, "state": "nothing to post", "file": ""})
    table(rows, {"day": "business day", "state": "outcome", "file": "file"}, "No day was exported.")
    if any(outcome.journals for outcome in outcomes):
        out().print(f"The files are in {folder}.", soft_wrap=True)
    for outcome in outcomes:
        if outcome.state == "refused":
            say(f"Not exported: {outcome.why}")


def _as_json(outcome: "Outcome", folder: Path) -> dict[str, Any]:
    return {"business_date": outcome.business_date, "state": outcome.state, "why": outcome.why,
            "journals": [_listed(one) | {"path": str(folder / one.file)} for one in outcome.journals]}  # fmt: skip


def _listed(one: "Journal") -> dict[str, Any]:
    row = {name: value for name, value in vars(one).items() if name not in ("content", "journal_id", "costs")}
    return row | {"sha256": one.sha256}
