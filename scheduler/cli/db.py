"""`t3 db`: the schemas and roles."""

import typer

app = typer.Typer(help="The database: its schemas and roles.", no_args_is_help=True)


@app.command("upgrade")
def db_upgrade() -> None:
    """Bring the schemas and roles to this version; safe to repeat.

    Example: t3 db upgrade"""
    from scheduler.commands.making import db_upgrade as run

    run()


@app.command("roles")
def db_roles() -> None:
    """Print the SQL that makes the roles, for an administrator to run.

    Example: t3 db roles"""
    from scheduler.commands.making import db_roles as run

    run()
