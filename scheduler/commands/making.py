"""Commands that make things: a fleet's files, the database's schemas."""

from contextlib import suppress
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from scheduler.commands.output import progress, say
from scheduler.embedded import services
from scheduler.queue.session_limits import watched_limits
from t3lib import business_day, warehouse
from t3lib.business_day import today
from t3lib.money import pounds
from t3lib.problems import WrongUseError
from t3lib.settings import settings
from t3lib.warehouse.checks import role_exposure
from t3lib.warehouse.db import roles

OLDEST = 150000  # of Postgres


def day_of(text: str, option: str) -> date:
    """A date option. Raises WrongUseError naming it."""
    try:
        return business_day.day_of(text)
    except ValueError as error:
        raise WrongUseError(f"{option} {error}") from None


def days_of(text: str, option: str) -> tuple[date, date]:
    """A range option, DATE or DATE..DATE, both included. Raises WrongUseError naming it."""
    first, _, last = text.partition("..")
    days = day_of(first, option), day_of(last or first, option)
    if days[0] > days[1]:
        raise WrongUseError(f"{option} {text!r} ends before it begins: write the earlier date first.")
    return days


def simulate(out: str, trucks: int, days: int, end: str, seed: int, dirt: float, truth: str) -> None:
    """Write a made-up fleet and say what was written."""
    from t3lib.simulate import simulate as write

    last = day_of(end, "--end") if end else today()
    with progress("Making up a fleet") as advance:
        made = write(out, trucks=trucks, days=days, end=last, seed=seed, dirt=dirt,
                     truth=Path(truth) if truth else None, progress=advance)  # fmt: skip
    say(f"{made.files:,} files, {made.rows:,} rows; a right ingest loads {made.accepted_rows:,} sales, "
        f"{pounds(made.accepted_pence)}, and rejects {made.rejected_rows:,} rows.")  # fmt: skip


def db_upgrade() -> None:
    """Migrate and ensure the roles."""
    with services(("database",), say), watched_limits():
        version = warehouse.upgrade()
        with warehouse.connect() as db:
            roles.ensure(db, role_exposure.passwords())
    say(f"The database is at version {version}.")


def db_roles() -> None:
    """Print the SQL of the roles."""
    url, version = warehouse.engine(settings().need("database_url")).url, OLDEST
    with suppress(sa.exc.OperationalError), warehouse.connect() as db:  # else what every version knows
        version = db.scalar(sa.text("SELECT CAST(current_setting('server_version_num') AS integer)"))
    print(roles.sql(url.database or "t3", url.username or "postgres", version))
