"""`t3 mail`: the outbox."""

import sys
from typing import Annotated

import typer

from scheduler.cli.options import Json, Mail
from scheduler.cli.output import left_out, print_json, say, table

app = typer.Typer(help="Mails: list, show, resend, drop.", no_args_is_help=True)


@app.command("list")
def listed(
    state: Annotated[str, typer.Option(help="Only mails in this state, such as unknown.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Most mails to list.")] = 50,
    json: Json = False,
) -> None:
    """List the newest mails and their states.

    Example: t3 mail list --state failed"""
    from scheduler.cli.session import session
    from t3lib import mail, warehouse

    with session("database"), warehouse.connect() as db:
        rows = [vars(row) for row in mail.list_mails(db, state or None, limit=limit)]
        of_all = mail.count_mails(db, state or None)
    left_out(len(rows), of_all)
    if json:
        print_json(rows)
        return
    columns = {"mail_id": "mail", "state": "state", "recipient": "to", "subject": "subject",
               "finished_at": "finished", "reply": "server said"}  # fmt: skip
    table(rows, columns, "No mail yet.")


@app.command("show")
def show(mail_id: Mail) -> None:
    """Print one mail as it was (or will be) sent.

    Example: t3 mail show 12 > mail.eml"""
    from scheduler.cli.session import session
    from t3lib import mail, warehouse

    with session("database"), warehouse.connect() as db:
        _, message = mail.read(db, mail_id)
    sys.stdout.buffer.write(message)


@app.command("resend")
def resend(mail_id: Mail) -> None:
    """Send a finished mail again, or release a waiting correction.

    A mail that is `unknown` may then arrive twice.

    Example: t3 mail resend 12"""
    from scheduler.cli.session import session
    from t3lib import mail, warehouse

    with session("database", "smtp"):
        with warehouse.connect() as db:
            mail.resend(db, mail_id)
        say(", ".join(f"{state} {count}" for state, count in mail.send_due().items() if count) or "Nothing was due.")


@app.command("drop")
def drop(mail_id: Mail) -> None:
    """Drop a waiting correction.

    Example: t3 mail drop 12"""
    from scheduler.cli.session import session
    from t3lib import mail, warehouse

    with session("database"), warehouse.connect() as db:
        dropped = mail.drop(db, mail_id)
    say(f"Dropped: the correction of the {dropped.edition} report of {dropped.business_date} is not sent.")
