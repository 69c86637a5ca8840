"""`t3 db`: the schemas and roles."""

from contextlib import suppress

import typer

from scheduler.cli.output import say

app = typer.Typer(help="The database's schemas and roles: upgrade, roles, tables.", no_args_is_help=True)
OLDEST = 150000  # version of Postgres that is supported


@app.command("upgrade")
def upgrade() -> None:
    """Upgrade the schemas and roles to this version; safe to repeat.

    Example: t3 db upgrade"""
    from scheduler.embedded import services
    from scheduler.queue.session_limits import watched_limits
    from t3lib import warehouse
    from t3lib.warehouse.checks import role_exposure
    from t3lib.warehouse.db import roles

    with services(("database",), say), watched_limits():
        version = warehouse.upgrade()
        with warehouse.connect() as db:
            roles.ensure(db, role_exposure.passwords())
    say(f"The database is at version {version}.")


@app.command("roles")
def print_roles() -> None:
    """Print SQL that creates the roles, for an administrator.

    Example: t3 db roles"""
    import sqlalchemy as sa

    from t3lib import warehouse
    from t3lib.settings import settings
    from t3lib.warehouse.db import roles

    url, version = warehouse.engine(settings().need("database_url")).url, OLDEST
    with suppress(sa.exc.OperationalError), warehouse.connect() as db:  # unreachable: SQL that every version accepts
        version = db.scalar(sa.text("SELECT CAST(current_setting('server_version_num') AS integer)"))
    print(roles.sql(url.database or "t3", url.username or "postgres", version))


@app.command("tables")
def print_tables() -> None:
    """Print what every table and column is, as Markdown: docs/tables.md.

    Example: t3 db tables"""
    from scheduler.cli.session import session
    from t3lib import warehouse
    from t3lib.warehouse.checks import data_dictionary

    with session("database"), warehouse.connect() as db:
        print(data_dictionary.markdown(db), end="")
