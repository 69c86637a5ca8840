"""Database roles: what the loading, the dashboard, the analysts, the mailer and the operators' page may do."""

from pathlib import Path

import psycopg2.extensions
import sqlalchemy as sa

from t3lib.problems import ServiceError

NAMES = ("etl", "dashboard", "analyst", "mailer", "operator")

# Role settings of this database: (role, setting, value).
_SETTINGS = [
    ("t3_dashboard", "statement_timeout", "10s"),
    ("t3_dashboard", "default_transaction_read_only", "on"),
    ("t3_analyst", "search_path", "sandbox, public"),
    ("t3_operator", "statement_timeout", "10s"),
]
_GRANTS = Path(__file__).with_suffix(".sql")


def ensure(db: sa.Connection, passwords: dict[str, str] | None = None) -> None:
    """Make the roles, their settings and their grants as this version wants them.

    passwords: by short name ("etl"); a role without one keeps what it has. May be repeated at any time.
    Raises ServiceError with the SQL for an administrator when the connection may not make roles."""
    # Two at once would trip over the same catalogue rows, and so would a load that makes a partition.
    db.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('t3 migrations'))"))
    db.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('t3 partitions'))"))
    try:
        with db.begin_nested():
            _make(db)
            for name, password in (passwords or {}).items():
                _set_password(db, f"t3_{name}", password)
    except sa.exc.ProgrammingError as error:
        if "permission denied" not in str(error.orig):
            raise
        raise ServiceError(
            "This database user may not make roles: let an administrator run what `t3 db roles` prints."
        ) from error
    db.execution_options(no_parameters=True).exec_driver_sql(_GRANTS.read_text())


def sql(database: str, owner: str) -> str:
    """The SQL that an administrator runs (psql) where the owner may not make roles."""
    lines = [f"CREATE ROLE t3_{name} LOGIN;  -- then: \\password t3_{name}" for name in NAMES]
    lines += [
        f"ALTER ROLE {role} IN DATABASE {_quoted(database)} SET {name} = {value if ',' in value else repr(value)};"
        for role, name, value in _SETTINGS
    ]
    return "\n".join([*lines, f"SET ROLE {_quoted(owner)};", "", _GRANTS.read_text()])


def urls(database_url: str, passwords: dict[str, str]) -> dict[str, str]:
    """The settings database_url_etl, _dashboard and so on for one database."""
    url = sa.make_url(database_url)
    return {
        f"database_url_{name}": url.set(username=f"t3_{name}", password=password).render_as_string(hide_password=False)
        for name, password in passwords.items()
    }


def _make(db: sa.Connection) -> None:
    known = set(db.scalars(sa.text("SELECT rolname FROM pg_roles WHERE rolname LIKE 't3\\_%'")))
    for role in (f"t3_{name}" for name in NAMES):
        if role not in known:
            db.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
    database = db.scalar(sa.text("SELECT current_database()"))
    present = set(
        db.scalars(
            sa.text(
                "SELECT r.rolname || ' ' || unnest(s.setconfig) FROM pg_db_role_setting s "
                "JOIN pg_roles r ON r.oid = s.setrole JOIN pg_database d ON d.oid = s.setdatabase "
                "WHERE d.datname = current_database()"
            )
        )
    )
    for role, name, value in _SETTINGS:
        if f"{role} {name}={value}" not in present:
            shown = value if "," in value else f"'{value}'"
            db.exec_driver_sql(f"ALTER ROLE {role} IN DATABASE {_quoted(database)} SET {name} = {shown}")


def _set_password(db: sa.Connection, role: str, password: str) -> None:
    """Send the verifier, so that the password itself never reaches a server log."""
    raw = db.connection.driver_connection
    verifier = psycopg2.extensions.encrypt_password(password, role, raw, "scram-sha-256")
    db.exec_driver_sql(f"ALTER ROLE {role} PASSWORD '{verifier}'")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
