"""What the roles could do beyond what they need, from the catalogue, so that objects made later are covered too."""

import psycopg2
import sqlalchemy as sa

from t3lib.settings import settings
from t3lib.warehouse.checks.reconciliation import Check
from t3lib.warehouse.db import roles
from t3lib.warehouse.db.connection import libpq_url, psycopg2_url

# Each query gives a sentence per exposure. `ours` are T3's roles, `theirs` the schemas that it owns.
_WITH = """
    WITH ours AS (SELECT oid, rolname FROM pg_roles WHERE rolname = ANY(:roles)),
    theirs AS (SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('ops', 'core', 'mart', 'dbos'))
"""
_FACTS = (
    """
    SELECT 'everybody may run the function ' || proc.oid::regprocedure
    FROM pg_proc AS proc JOIN theirs ON theirs.oid = pronamespace
    WHERE EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0)
    """,
    """
    SELECT 'everybody may run functions that ' || current_user || ' will make'
    WHERE EXISTS (SELECT FROM theirs) AND NOT EXISTS (
        SELECT FROM pg_default_acl
        WHERE defaclrole = current_user::regrole AND defaclnamespace = 0 AND defaclobjtype = 'f'
          AND NOT EXISTS (SELECT FROM aclexplode(defaclacl) WHERE grantee = 0))
    """,
    """
    SELECT proc.oid::regprocedure || ' runs as its owner with an open search_path'
    FROM pg_proc AS proc JOIN theirs ON theirs.oid = pronamespace
    WHERE prosecdef AND NOT coalesce(proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false)
    """,
    """
    SELECT coalesce(rolname, 'everybody') || ' may make ' ||
           CASE privilege_type WHEN 'CREATE' THEN 'schemas' ELSE 'temporary objects' END
    FROM pg_database CROSS JOIN LATERAL aclexplode(coalesce(datacl, acldefault('d', datdba)))
    LEFT JOIN ours ON ours.oid = grantee
    WHERE datname = current_database() AND (grantee = 0 OR rolname IS NOT NULL)
      AND (privilege_type = 'CREATE' OR privilege_type = 'TEMPORARY' AND rolname IS DISTINCT FROM 't3_etl')
    """,
    """
    SELECT coalesce(rolname, 'everybody') || ' may make objects in the schema ' || nspname
    FROM pg_namespace CROSS JOIN LATERAL aclexplode(coalesce(nspacl, acldefault('n', nspowner)))
    LEFT JOIN ours ON ours.oid = grantee
    WHERE privilege_type = 'CREATE' AND (grantee = 0 OR rolname IS NOT NULL)
      AND (nspname, rolname) IS DISTINCT FROM ('sandbox', 't3_analyst')
    """,
    """
    SELECT rolname || ' owns ' || nspname || '.' || relname
    FROM pg_class JOIN ours ON ours.oid = relowner JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname <> 'sandbox' AND nspname !~ '^pg_(temp|toast)'
    UNION ALL
    SELECT rolname || ' owns ' || proc.oid::regprocedure
    FROM pg_proc AS proc JOIN ours ON ours.oid = proowner JOIN pg_namespace ON pg_namespace.oid = pronamespace
    WHERE nspname <> 'sandbox' AND nspname !~ '^pg_temp'
    UNION ALL
    SELECT rolname || ' owns the schema ' || nspname FROM pg_namespace JOIN ours ON ours.oid = nspowner
    WHERE nspname !~ '^pg_(temp|toast)'
    UNION ALL
    SELECT rolname || ' keeps ' || count(*) || ' large objects'
    FROM pg_largeobject_metadata JOIN ours ON ours.oid = lomowner GROUP BY rolname
    """,
    """
    SELECT rolname || ' may pass on ' || privilege_type || ' of ' || pg_class.oid::regclass
    FROM pg_class CROSS JOIN LATERAL aclexplode(relacl) JOIN ours ON ours.oid = grantee
    WHERE is_grantable AND relowner <> grantee
    """,
    """
    SELECT rolname || ' is more than a role that logs in'
    FROM pg_roles JOIN ours USING (rolname)
    WHERE rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
    UNION ALL
    SELECT member.rolname || ' is a member of ' || pg_get_userbyid(roleid)
    FROM pg_auth_members JOIN ours AS member ON member.oid = pg_auth_members.member
    WHERE pg_get_userbyid(roleid) <> 'pg_use_reserved_connections'
    """,
)
_UP = "`t3 db upgrade` puts it right where this database user may; else an administrator runs `t3 db roles`'s SQL"
_LARGE = sa.text("SELECT has_function_privilege('t3_dashboard', 'pg_catalog.lo_create(oid)', 'EXECUTE')")


def check(db: sa.Connection) -> Check:
    """Whether the roles can do what they need, and no more."""
    if not db.scalar(sa.text("SELECT to_regnamespace('sandbox') IS NOT NULL")):
        return Check("roles", True, "there are none: all work is done as the owner")
    wrong = [*excess_rights(db), *changed_settings(db), *locked_out()]
    if wrong:
        return Check("roles", False, "; ".join(wrong), _UP)
    large = "; large objects can be made by all of them, which only a superuser can forbid" if db.scalar(_LARGE) else ""
    return Check("roles", True, f"{len(roles.NAMES)} roles can do what they need{large}")


def excess_rights(db: sa.Connection) -> list[str]:
    """The rights that a role, or PUBLIC, has beyond what it needs."""
    given = {"roles": [f"t3_{name}" for name in roles.NAMES]}
    return [line for fact in _FACTS for line in sorted(db.scalars(sa.text(_WITH + fact), given))]


def changed_settings(db: sa.Connection) -> list[str]:
    """The role settings that T3 did not make: any role may change its own."""
    other = [f"{role} has another {name} than {value}" for role, name, value in roles.missing_settings(db)]
    return other + [f"{role} has a setting that T3 did not make: {name}" for role, name in roles.foreign_settings(db)]


def locked_out() -> list[str]:
    """The roles that cannot log in as the settings say: any role may change its own password."""
    return [f"t3_{name} cannot log in" for name in roles.NAMES if not may_log_in(name)]


def may_log_in(name: str) -> bool:
    """Whether the URL of a role lets it in; True where it has none of its own."""
    url = getattr(settings(), f"database_url_{name}")
    if url is None:
        return True
    try:
        psycopg2.connect(libpq_url(url.get_secret_value())).close()  # no statement: role settings could break one
    except psycopg2.OperationalError as error:
        return "authentication failed" not in str(error)
    return True


def passwords() -> dict[str, str]:
    """The passwords in the settings of roles that cannot log in, to set them again."""
    urls = {name: getattr(settings(), f"database_url_{name}") for name in roles.NAMES if not may_log_in(name)}
    made = {name: psycopg2_url(url.get_secret_value()) for name, url in urls.items()}
    return {name: url.password for name, url in made.items() if url.username == f"t3_{name}" and url.password}
