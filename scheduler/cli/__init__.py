"""The `t3` command: `t3 NAME` is defined in NAME.py, in the folder that says what it is for.

serving    what runs until Ctrl-C: demo, up, worker, dashboard, operations, lab
analysing  what changes no figure: run, diff, reproduce; new makes a notebook, promote a branch
ingesting  the trucks' files and rows: ingest, backfill, simulate, files, rejects, menu, settlements
reporting  reports, mails and sealed packs: report, mail, pack
looking    the state of things: status, trace, doctor
accounting money for the books: vat, journal
storing    the database and the archive: db, archive

Beside the folders is what commands share. A command imports heavy packages (pandas, SQLAlchemy, rich, the kernels)
inside its functions, so that `t3 --help` is quick."""

import os
import sys
import traceback
from contextlib import redirect_stderr
from typing import Annotated, Any

import typer

from scheduler.cli import signals, text_encoding
from scheduler.cli.accounting import journal, vat
from scheduler.cli.analysing import diff, new, promote, reproduce, run
from scheduler.cli.ingesting import backfill, files, ingest, menu, rejects, settlements, simulate
from scheduler.cli.looking import doctor, status, trace
from scheduler.cli.reporting import mail, pack, report
from scheduler.cli.serving import dashboard, demo, lab, operations, up, worker
from scheduler.cli.storing import archive, db
from t3lib import urls
from t3lib.problems import WrongUseError, error_line, explain
from t3lib.settings import unknown

app = typer.Typer(
    name="t3",
    help="Tasty Truck Treats: from the trucks' files to the dashboard and the morning mail.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Start with `t3 demo`. For a command's options and an example: `t3 ingest --help`.",
)

app.command()(demo.demo)
app.command()(up.up)
app.command()(worker.worker)
app.command()(dashboard.dashboard)
app.command()(operations.operations)
app.command()(lab.lab)
app.command(cls=run.Pairs)(run.run)
app.command()(diff.diff)
app.command()(reproduce.reproduce)
app.command()(promote.promote)
app.command()(ingest.ingest)
app.command()(backfill.backfill)
app.command()(report.report)
app.command()(status.status)
app.command()(trace.trace)
app.command()(doctor.doctor)
app.command()(simulate.simulate)
app.add_typer(db.app, name="db")
app.add_typer(new.app, name="new")
app.add_typer(mail.app, name="mail")
app.add_typer(pack.app, name="pack")
app.add_typer(archive.app, name="archive")
app.add_typer(rejects.app, name="rejects")
app.add_typer(menu.app, name="menu", invoke_without_command=True)
app.add_typer(vat.app, name="vat")
app.add_typer(journal.app, name="journal")
app.add_typer(settlements.app, name="settlements", invoke_without_command=True)
app.add_typer(files.app, name="files", invoke_without_command=True)


@app.callback()
def _common(debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False) -> None:
    if debug:
        os.environ["T3_DEBUG"] = "1"
    for name, known in unknown().items():
        hint = f"; did you mean {known}?" if known else "."
        print(f"t3: {name} is not a setting and is ignored{hint}", file=sys.stderr)


def main(arguments: list[str] | None = None) -> Any:
    """Run a command; an error is one plain line on stderr and exit code 1, or 2 for a wrong command line.

    SIGTERM ends it as tidily as Ctrl-C. Only its own account can read what it writes, and stderr shows no password."""
    signals.listen()
    text_encoding.replace_unencodable()
    umask = os.umask(0o077)
    try:
        urls.remember_typed(sys.argv[1:] if arguments is None else arguments)
        with redirect_stderr(urls.Scrubbed(sys.stderr)):
            return _run(arguments)
    finally:
        os.umask(umask)


def _run(arguments: list[str] | None) -> Any:
    try:
        return app(arguments)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:
        if os.environ.get("T3_DEBUG"):
            traceback.print_exc()
            raise SystemExit(1) from None
        line = error_line(error) + ("" if explain(error) else " (t3 --debug shows where)")
        print(f"t3: {line}", file=sys.stderr)
        raise SystemExit(2 if isinstance(error, WrongUseError) else 1) from None
