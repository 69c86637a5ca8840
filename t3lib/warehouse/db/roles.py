"""Database roles: what loads, the dashboard, the analysts, the mailer and the operations page may do."""

from pathlib import Path

import psycopg2.extensions
import sqlalchemy as sa

from t3lib.problems import ServiceError
from t3lib.warehouse.db import locks, role_limits

NAMES = ("etl", "dashboard", "analyst", "mailer", "operator")

# Role settings of this database beside the limits: (role, setting, value).
_SETTINGS = [
    ("t3_dashboard", "default_transaction_read_only", "on"),
    ("t3_analyst", "search_path", "sandbox, public"),
]
_GRANTS = Path(__file__).with_suffix(".sql")
_ADMINISTRATOR = Path(__file__).with_name("administrator.sql")
_KNOWN = sa.text(r"""
    SELECT rolname, pg_has_role(current_user, oid, 'USAGE') AS is_ours,
           array_remove(ARRAY[CASE WHEN rolsuper THEN 'superuser' END, CASE WHEN rolcreatedb THEN 'createdb' END,
                              CASE WHEN rolcreaterole THEN 'createrole' END,
                              CASE WHEN rolreplication THEN 'replication' END,
                              CASE WHEN rolbypassrls THEN 'bypassrls' END], NULL) AS attributes
    FROM pg_roles WHERE rolname LIKE 't3\_%'
""")
_PRESENT = sa.text("""
    SELECT r.rolname || ' ' || unnest(s.setconfig) FROM pg_db_role_setting AS s
    JOIN pg_roles AS r ON r.oid = s.setrole
    JOIN pg_database AS d ON d.oid = s.setdatabase
    WHERE d.datname = current_database()
""")

# The settings of roles, for every database or for this one.
_EVERY = sa.text("""
    SELECT r.rolname, s.setdatabase <> 0 AS is_here, split_part(setting, '=', 1) AS name
    FROM pg_db_role_setting AS s
    JOIN pg_roles AS r ON r.oid = s.setrole
    CROSS JOIN LATERAL unnest(s.setconfig) AS setting
    WHERE r.rolname = ANY(:roles)
      AND (s.setdatabase = 0 OR s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()))
    ORDER BY 1, 3
""")


def ensure(db: sa.Connection, passwords: dict[str, str] | None = None) -> None:
    """Bring the roles, their settings and their grants to what this version needs.

    passwords: by short name ("etl"); a role without one keeps what it has. May be repeated at any time.
    Raises ServiceError with the SQL for an administrator when the connection may not make roles."""
    # Two processes at once would conflict in the same catalogue rows, as would a load that makes a partition.
    locks.migrations(db)
    locks.acquire(db, locks.PARTITIONS)
    try:
        with db.begin_nested():
            _make(db)
            for name, password in (passwords or {}).items():
                _set_password(db, f"t3_{name}", password)
    except sa.exc.ProgrammingError as error:
        if "permission denied" not in str(error.orig) and "must have" not in str(error.orig):
            raise
        raise ServiceError(
            "This database user may not make roles: let an administrator run what `t3 db roles` prints."
        ) from error
    db.execution_options(no_parameters=True).exec_driver_sql(_GRANTS.read_text(encoding="utf-8"))
    if db.scalar(sa.text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")):
        db.execution_options(no_parameters=True).exec_driver_sql(administrator_sql())


def administrator_sql() -> str:
    """The SQL that only a superuser may run, in the database of T3."""
    return _ADMINISTRATOR.read_text(encoding="utf-8")


def settings_of(version: int) -> list[tuple[str, str, str]]:
    """(role, setting, value) of every role for a server of this version (180004)."""
    bounds = [
        (f"t3_{role}", name, value) for role in NAMES for name, value in role_limits.timeouts(role, version).items()
    ]
    return [*_SETTINGS, *bounds]


def missing_settings(db: sa.Connection) -> list[tuple[str, str, str]]:
    """The settings of `settings_of` that this database lacks or has with another value."""
    version = db.scalar(sa.text("SELECT CAST(current_setting('server_version_num') AS integer)"))
    present = set(db.scalars(_PRESENT))
    return [found for found in settings_of(version) if "{} {}={}".format(*found) not in present]


def foreign_settings(db: sa.Connection) -> list[tuple[str, str]]:
    """(role, setting) that the roles have besides `settings_of`: one that a role gave itself can stop its work."""
    own = {(role, name) for role, name, _ in settings_of(180000)}
    found = db.execute(_EVERY, {"roles": [f"t3_{name}" for name in NAMES]})
    return [(row.rolname, row.name) for row in found if not row.is_here or (row.rolname, row.name) not in own]


def sql(database: str, owner: str, version: int = 180000) -> str:
    """The SQL that an administrator runs (psql, in that database) where the owner may not make roles."""
    lines = [f"CREATE ROLE t3_{name} LOGIN;  -- then: \\password t3_{name}" for name in NAMES]
    lines += [f"{statement};" for statement in _bounded(database, settings_of(version))]
    lines += [f"GRANT t3_{name} TO {_quoted(owner)};  -- so that it may end sessions past their limits"
              for name in NAMES]  # fmt: skip
    lines += [
        f"REVOKE CREATE, TEMPORARY ON DATABASE {_quoted(database)} FROM PUBLIC;",
        f"GRANT CREATE, TEMPORARY ON DATABASE {_quoted(database)} TO {_quoted(owner)};",
        f"GRANT TEMPORARY ON DATABASE {_quoted(database)} TO t3_etl;",
        administrator_sql(),
    ]
    return "\n".join([*lines, f"SET ROLE {_quoted(owner)};", "", _GRANTS.read_text(encoding="utf-8")])


def urls(database_url: str, passwords: dict[str, str]) -> dict[str, str]:
    """The settings database_url_etl, _dashboard and so on for one database."""
    url = sa.make_url(database_url)
    return {
        f"database_url_{name}": url.set(username=f"t3_{name}", password=password).render_as_string(hide_password=False)
        for name, password in passwords.items()
    }


def _make(db: sa.Connection) -> None:
    known = {role.rolname: role for role in db.execute(_KNOWN)}
    for role in (f"t3_{name}" for name in NAMES):
        if role not in known:
            db.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        elif too_much := known[role].attributes:
            db.exec_driver_sql(f"ALTER ROLE {role} {' '.join(f'NO{name.upper()}' for name in too_much)}")
    for found in db.execute(_KNOWN).all():
        if found.rolname.removeprefix("t3_") in NAMES and not found.is_ours:
            db.exec_driver_sql(f"GRANT {found.rolname} TO CURRENT_USER")  # else its sessions could not be ended
    database = db.scalar(sa.text("SELECT current_database()"))
    for role in sorted({role for role, _ in foreign_settings(db)}):
        db.exec_driver_sql(f"ALTER ROLE {role} RESET ALL")
        db.exec_driver_sql(f"ALTER ROLE {role} IN DATABASE {_quoted(database)} RESET ALL")
    for statement in _bounded(database, missing_settings(db)):
        db.exec_driver_sql(statement)


def _bounded(database: str, wanted: list[tuple[str, str, str]]) -> list[str]:
    return [
        f"ALTER ROLE {role} IN DATABASE {_quoted(database)} SET {name} = {value if ',' in value else repr(value)}"
        for role, name, value in wanted
    ]


def _set_password(db: sa.Connection, role: str, password: str) -> None:
    """Send the verifier, so that the password itself never reaches a server log."""
    raw = db.connection.driver_connection
    verifier = psycopg2.extensions.encrypt_password(password, role, raw, "scram-sha-256")
    db.exec_driver_sql(f"ALTER ROLE {role} PASSWORD '{verifier}'")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
