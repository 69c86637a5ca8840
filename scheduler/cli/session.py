"""The services that a command needs."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from scheduler.cli.output import say
from scheduler.embedded import Running, services
from t3lib import warehouse
from t3lib.landing import Landing
from t3lib.problems import ServiceError

_CLOSED = "SELECT NOT has_schema_privilege(to_regnamespace('ops'), 'USAGE')"  # NULL if there is no such schema


@contextmanager
def session(*wanted: str) -> Iterator[Running]:
    """Configured or embedded services, with the database's schemas in place.

    Raises ServiceError when the configured database lacks them, SettingsError when the landing folder is missing."""
    with services(wanted, say) as running:
        if "database" in wanted:
            require_schema()
        if "landing" in wanted:
            Landing()  # raises for a missing folder before anything starts
        yield running


def require_schema() -> None:
    """Raise ServiceError unless the database has this version's schemas. Not checked where the role may not see schema
    ops, as the dashboard's."""
    with warehouse.connect() as db:
        if db.scalar(sa.text(_CLOSED)):
            return
        found = db.scalar(sa.text("SELECT to_regclass('ops.schema_version')"))
        version = db.scalar(sa.text("SELECT version_num FROM ops.schema_version")) if found else None
    if version != warehouse.newest():
        state = f"is at version {version}" if version else "has no T3 tables yet"
        raise ServiceError(f"The database {state}: run `t3 db upgrade`.")
