"""`t3 pack`: sealed month packs, for a buyer's accountant."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scheduler.cli.options import Json
from scheduler.cli.output import print_json, progress, say
from t3lib.problems import WrongUseError

if TYPE_CHECKING:
    from t3lib.editions import Edition
    from t3lib.period import Period
    from t3lib.seal import Verdict
    from t3lib.seal.writing import Sealed

MOST_CHANGES = 20

app = typer.Typer(
    help="Sign month packs, and prove them without the database.\n\n"
    "Example: t3 pack seal --month 2026-10, then t3 pack verify FOLDER --key t3-ed25519:...",
    no_args_is_help=True,
)


@app.command()
def seal(
    month: Annotated[str, typer.Option(help="The month, YYYY-MM; it must be over.")],
    to: Annotated[Path | None, typer.Option(help="Folder of packs; by default T3_PACKS, else packs in T3_HOME.",
                                            show_default=False)] = None,
    edition: Annotated[str, typer.Option(help="A monthly edition of notebooks/editions.toml.")] = "cfo_month",
    json: Json = False,
) -> None:  # fmt: skip
    """Sign a month's pack, with its rows and queries.

    The folder holds the report as PDF and page, every figure with its query, and every row that figures are made of. A
    month that was sealed before and has changed since becomes a new revision, which names what changed.

    Example: t3 pack seal --month 2026-10"""
    from scheduler import kernels
    from scheduler.cli.session import session
    from scheduler.queue import stages
    from t3lib.seal import keys, writing
    from t3lib.settings import settings

    days, one = _month(month), _edition(edition)
    _must_be_over(days)
    keys.private()  # before anything starts

    def execute() -> tuple[Path, str | None]:
        run = stages.run_report(days.last.isoformat(), edition)
        return Path(run.path), _commit(run.run_id)

    with session("database"), progress(f"Sealing {days.dates}"):
        kernels.warm()
        made = writing.seal(days, one, to or settings().packs or settings().home / "packs", execute)
    if json:
        print_json({**vars(made), "folder": str(made.folder)})
        return
    _tell(made, days)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="The folder of a sealed pack.", show_default=False)],
    key: Annotated[str, typer.Option(help="The company's public key, or a file that holds it; by default that of this "
                                     "machine's own key.", show_default=False)] = "",
    sources: Annotated[Path | None, typer.Option(help="Folder with the trucks' files, to compare them too.",
                                                 show_default=False)] = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Prove that nobody changed a sealed pack.

    Checks every hash, the signature, and every figure from the sealed rows, without database and internet.

    Exit code 0: everything holds, and the key is the one named. 1: something was changed, or the key is unknown.

    Example: t3 pack verify t3-pack-2026-10-r1 --key t3-ed25519:..."""
    from t3lib import seal as packs
    from t3lib.seal import keys

    known = keys.given(key) if key else keys.own_public()
    verdict = packs.verify(folder, known, sources)
    if json:
        print_json(verdict.as_dict())
    else:
        typer.echo(f"Pack of {verdict.month}, revision {verdict.revision}")
        for finding in verdict.findings:
            for line in finding.lines:
                typer.echo(line)
        typer.echo(_sentence(verdict))
    if not verdict.proven:
        raise SystemExit(1)


@app.command()
def key() -> None:
    """Make the company's key once; show its public half.

    The private half is kept in T3_PACK_KEY, else ~/.config/t3/pack.key, readable by this account only. Back it up; who
    has it can sign in the company's name. Give the public half to those who verify.

    Example: t3 pack key"""
    from t3lib.seal import keys

    public, is_new = keys.make()
    say(f"{'Made' if is_new else 'The key is in'} {keys.place()}")
    typer.echo(public)


def _tell(made: "Sealed", days: "Period") -> None:
    became = "sealed" if made.is_new else "nothing has changed since it was sealed"
    say(f"{days.dates}, revision {made.revision}: {became}.")
    for line in made.changes[:MOST_CHANGES]:
        say(f"  {line}")
    if len(made.changes) > MOST_CHANGES:
        say(f"  and {len(made.changes) - MOST_CHANGES:,} more changes, which manifest.json lists")
    say(f"Last hash {made.head}")
    say(f"Public key {made.public_key}")
    typer.echo(made.folder)


def _sentence(verdict: "Verdict") -> str:
    if verdict.proven:
        return "Proven: nothing was changed since it was sealed."
    if verdict.intact:
        return (
            "Not proven: everything in it agrees, but it is signed by an unknown key. Ask the company for its public "
            "key and name it with --key."
        )
    return "NOT proven: the pack was changed after sealing, or is not what it says."


def _month(text: str) -> "Period":
    from datetime import date

    from t3lib import period

    try:
        return period.of("month", date.fromisoformat(f"{text}-01"))
    except ValueError:
        raise WrongUseError(f"--month {text!r} is no month: write one like 2026-10.") from None


def _must_be_over(days: "Period") -> None:
    from t3lib.business_day import today

    if days.last >= today():
        raise WrongUseError(f"{days.dates} is not over: only a whole month is sealed.")


def _edition(name: str) -> "Edition":
    from t3lib.editions import editions

    monthly = [one for one, found in editions().items() if found.period == "month"]
    if name not in monthly:
        raise WrongUseError(f"--edition {name!r} is no monthly edition: choose one of {', '.join(monthly)}.")
    return editions()[name]


def _commit(run_id: str) -> str | None:
    import sqlalchemy as sa

    from t3lib import warehouse

    with warehouse.connect() as db:
        found: str | None = db.scalar(sa.text("SELECT git_commit FROM ops.run WHERE run_id = :run"), {"run": run_id})
    return found
