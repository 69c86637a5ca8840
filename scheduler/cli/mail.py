"""`t3 mail`: the outbox."""

from typing import Annotated

import typer

from scheduler.cli.options import Json, Mail

app = typer.Typer(help="The mails and what became of them.", no_args_is_help=True)


@app.command("list")
def mail_list(
    state: Annotated[str, typer.Option(help="Only mails in this state, such as unknown.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """The newest mails and their states.

    Example: t3 mail list --state failed"""
    from scheduler.commands.looking import mails as run

    run(state=state or None, limit=limit, as_json=json)


@app.command("show")
def mail_show(mail_id: Mail) -> None:
    """Print one mail as it was (or will be) sent.

    Example: t3 mail show 12 > mail.eml"""
    from scheduler.commands.looking import mail as run

    run(mail_id)


@app.command("resend")
def mail_resend(mail_id: Mail) -> None:
    """Send a finished mail again, or a waiting correction.

    An unknown one may arrive twice.

    Example: t3 mail resend 12"""
    from scheduler.commands.reporting import resend as run

    run(mail_id)


@app.command("drop")
def mail_drop(mail_id: Mail) -> None:
    """Drop a correction that waits.

    Example: t3 mail drop 12"""
    from scheduler.commands.reporting import drop as run

    run(mail_id)
