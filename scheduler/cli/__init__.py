"""The `t3` command."""

import os
import sys
import traceback
from contextlib import redirect_stderr
from typing import Annotated, Any

import typer

from scheduler.cli import archive, db, mail, rejects, workbench
from scheduler.cli import files as files_group
from scheduler.cli.options import By, HealthPort, Json, Port, Why
from scheduler.commands import ending, signs
from t3lib import urls
from t3lib.problems import WrongUseError, explain, told
from t3lib.settings import unknown

app = typer.Typer(
    name="t3",
    help="Tasty Truck Treats: from the trucks' files to the dashboard and the morning mail.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Start with `t3 demo`. Every command explains itself, with an example: `t3 ingest --help`.",
)
app.add_typer(db.app, name="db")
app.add_typer(mail.app, name="mail")
app.add_typer(archive.app, name="archive")
app.add_typer(rejects.app, name="rejects")
app.add_typer(files_group.app, name="files", invoke_without_command=True)


@app.callback()
def _common(debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False) -> None:
    if debug:
        os.environ["T3_DEBUG"] = "1"
    for name, known in unknown().items():
        print(f"t3: {name} is no setting and is not used{known and f'; there is {known}'}.", file=sys.stderr)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop at the dashboard's first answer; print JSON.")] = False,
    days: Annotated[int, typer.Option(min=1, max=400, help="Days of trade to make up.")] = 56,
    port: Port = 0,
) -> None:
    """A made-up fleet, and everything up: dashboard, mails, uploads.

    Example: t3 demo"""
    from scheduler.commands.demo import demo as run

    run(once=once, days=days, port=port)


@app.command()
def up(
    port: Port = 0,
    concurrency: Annotated[int, typer.Option(min=1, help="Notebooks at a time.")] = 1,
    health_port: HealthPort = None,
) -> None:
    """Everything until Ctrl-C: worker, dashboard, operations page.

    Against the configured services; those that are not configured are the embedded ones.

    Example: t3 up --port 8866"""
    from scheduler.commands.serving import up as run

    run(port=port, concurrency=concurrency, health_port=health_port)


@app.command()
def worker(
    concurrency: Annotated[int, typer.Option(min=1, help="Notebooks at a time.")] = 1,
    health_port: HealthPort = None,
) -> None:
    """Take work from the queue and keep the schedule, until Ctrl-C. Run as many as wanted.

    Example: t3 worker --concurrency 2 --health-port 9464"""
    from scheduler.commands.serving import worker as run

    run(concurrency=concurrency, health_port=health_port)


@app.command()
def dashboard(port: Port = 0) -> None:
    """Serve the dashboard only.

    Example: t3 dashboard --port 8866"""
    from scheduler.commands.serving import page as run

    run("dashboard", port=port)


@app.command()
def operations(port: Port = 0) -> None:
    """Serve the operations page only.

    Example: t3 operations --port 8867"""
    from scheduler.commands.serving import page as run

    run("operations", port=port)


@app.command()
def lab(port: Port = 0) -> None:
    """Open JupyterLab on the notebooks, with the database at hand.

    Example: t3 lab"""
    from scheduler.commands.serving import lab as run

    run(port=port)


workbench.add(app)


@app.command()
def ingest(
    again: Annotated[str, typer.Option(help="Clean the loaded files of DATE or DATE..DATE anew instead.")] = "",
    why: Why = "The rules changed.",
    by: By = "",
    json: Json = False,
) -> None:
    """Take in all that is new in the bucket, now. Batches that failed are tried again.

    With --again, clean what is loaded of some days anew, under the present rules: see `t3 diff` first.

    Example: t3 ingest

    Example: t3 ingest --again 2026-11-01..2026-11-07 --why "Vouchers are cash" """
    if again:
        from scheduler.commands.again import again as run_again

        run_again(days=again, why=why, by=by, as_json=json)
        return
    from scheduler.commands.ingesting import ingest as run

    run(as_json=json)


@app.command()
def backfill(
    first: Annotated[str, typer.Option("--from", help="First business day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last business day, YYYY-MM-DD.")],
    mode: Annotated[str, typer.Option(help="missing: never loaded; failed: tried and failed; all: cleaned anew.")] = (
        "missing"
    ),
    reports: Annotated[bool, typer.Option("--reports", help="Make (and mail) the days' missing reports too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan only.")] = False,
    json: Json = False,
) -> None:
    """Catch up on past days, after today's work. It may be stopped and asked for again: it goes on.

    Example: t3 backfill --from 2026-11-01 --to 2026-11-07 --mode failed --dry-run"""
    from scheduler.commands.backfill import backfill as run

    run(first=first, last=last, mode=mode, reports=reports, dry_run=dry_run, as_json=json)


@app.command()
def report(
    date: Annotated[
        str, typer.Option(help="Business day, YYYY-MM-DD, or one of the week or month; the latest that is over.")
    ] = "",
    edition: Annotated[
        str, typer.Option(help="A table of notebooks/editions.toml; those of every day by default.")
    ] = "",
    preview: Annotated[
        bool, typer.Option("--preview", help="Only write the mail beside the executed notebook, and open its page.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Run it anew although it ran before; other figures go out as corrected.")
    ] = False,
    to: Annotated[str, typer.Option(help="Send a trial to this address of T3_MAIL_TRIALS only (me: the first).")] = "",
    json: Json = False,
) -> None:
    """Make a report and send it.

    Example: t3 report --date 2026-11-05 --edition cfo --preview"""
    from scheduler.commands.reporting import report as run

    run(day=date, edition=edition, preview=preview, again=again, to=to, as_json=json)


@app.command()
def status(json: Json = False) -> None:
    """Where files, rows, runs and mails stand.

    Example: t3 status --json"""
    from scheduler.commands.looking import status as run

    run(as_json=json)


@app.command()
def trace(
    truck: Annotated[int, typer.Option(help="The truck's id.")],
    date: Annotated[str, typer.Option(help="The business day, YYYY-MM-DD.")],
    hour: Annotated[int | None, typer.Option(help="Only this local hour, 0 to 23.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 500,
    json: Json = False,
) -> None:
    """From a figure to its files, rows, raw text and notebooks. Exit 1 if rollup and rows disagree.

    Example: t3 trace --truck 3 --date 2026-11-05 --hour 13"""
    from scheduler.commands.tracing import trace as run

    run(truck=truck, day=date, hour=hour, limit=limit, as_json=json)


@app.command()
def doctor(
    repair: Annotated[
        bool, typer.Option("--repair", help="First make rollups anew where they differ; nothing else is changed.")
    ] = False,
    files: Annotated[
        bool, typer.Option("--files", help="Also read loaded files once more and compare them with what was loaded.")
    ] = False,
    sample: Annotated[int, typer.Option(min=0, help="How many files --files draws by chance; 0: all of them.")] = 200,
    why: Why = "A rollup differed from the sales.",
    by: By = "",
    json: Json = False,
) -> None:
    """Prove that files, sales, rejects, rollups and archive agree. Exit 1 if not, or if a service does not answer.

    Example: t3 doctor --repair, or t3 doctor --files --sample 0"""
    from scheduler.commands.doctor import doctor as run

    run(repair=repair, why=why, by=by, as_json=json, files=files, sample=sample)


@app.command()
def simulate(
    out: Annotated[str, typer.Option(help="Where to: a folder, file:///folder or s3://bucket.")],
    trucks: Annotated[int, typer.Option(min=1, help="Trucks in the fleet.")] = 6,
    days: Annotated[int, typer.Option(min=1, help="Business days.")] = 56,
    end: Annotated[str, typer.Option(help="Last business day, YYYY-MM-DD; today by default.")] = "",
    seed: Annotated[int, typer.Option(help="Another seed, another fleet.")] = 1,
    dirt: Annotated[float, typer.Option(min=0, max=1, help="Share of faulty rows.")] = 0.076,
    truth: Annotated[str, typer.Option(help="Write what a right ingest must find to this JSON file.")] = "",
) -> None:
    """Write a made-up fleet's files in the trucks' own layout.

    Example: t3 simulate --out /tmp/bucket --trucks 6 --days 14 --truth /tmp/truth.json"""
    from scheduler.commands.making import simulate as run

    run(out=out, trucks=trucks, days=days, end=end, seed=seed, dirt=dirt, truth=truth)


def main(arguments: list[str] | None = None) -> Any:
    """Run a command; an error is one plain line on stderr, and exit code 1, or 2 for what was typed wrongly.

    SIGTERM ends it as tidily as Ctrl-C. What it writes is for its own account, and stderr tells no part of a login."""
    ending.listen()
    signs.soften()
    umask = os.umask(0o077)
    try:
        urls.know(sys.argv[1:] if arguments is None else arguments)
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
        line = told(error) + ("" if explain(error) else " (t3 --debug shows where)")
        print(f"t3: {line}", file=sys.stderr)
        raise SystemExit(2 if isinstance(error, WrongUseError) else 1) from None
