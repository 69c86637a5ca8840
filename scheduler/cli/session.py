"""The services that a command needs, ready to use."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from scheduler.cli.output import say
from scheduler.embedded import Running, services
from t3lib import warehouse
from t3lib.landing import Landing
from t3lib.problems import ServiceError

_CLOSED = "SELECT NOT has_schema_privilege(to_regnamespace('ops'), 'USAGE')"  # NULL where there is none


@contextmanager
def session(*wanted: str) -> Iterator[Running]:
    """Configured or embedded services, with the database's schemas in place.

    Raises ServiceError when the configured database lacks them, SettingsError when the landing folder is missing."""
    with services(wanted, say) as running:
        if "database" in wanted:
            require_schema()
        if "landing" in wanted:
            Landing()  # a folder that is missing is said before anything starts
        yield running


def require_schema() -> None:
    """Raise ServiceError unless the database has the schemas of this version, as far as this role may look: one that
    only has the URL of the dashboard's role serves the dashboard."""
    with warehouse.connect() as db:
        if db.scalar(sa.text(_CLOSED)):
            return
        found = db.scalar(sa.text("SELECT to_regclass('ops.schema_version')"))
        version = db.scalar(sa.text("SELECT version_num FROM ops.schema_version")) if found else None
    if version != warehouse.newest():
        state = f"is at version {version}" if version else "has no T3 tables yet"
        raise ServiceError(f"The database {state}: run `t3 db upgrade`.")
