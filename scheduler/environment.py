"""The environment of each process that T3 starts: an allow list, so that no process gets a secret it does not need."""

import os
from collections.abc import Mapping

from t3lib.settings import RECIPIENTS, Settings, settings
from t3lib.warehouse.db.connection import SERVER_KEEPALIVE

# What every program may know of the machine and its user.
_SYSTEM = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "TERM", "COLUMNS", "NO_COLOR", "LANG", "LC_"),
    *("LD_", "PYTHON", "VIRTUAL_ENV", "XDG_", "JUPYTER_", "IPYTHON", "MPL", "MATPLOTLIBRC", "DASK_", "OPENBLAS_"),
    *("OMP_", "MKL_", "NPY_", "NUMEXPR_", "PANDAS_", "ARROW_", "SQLALCHEMY_", "SSL_CERT_", "REQUESTS_CA_BUNDLE"),
    *("CURL_CA_BUNDLE", "DEBUGINFOD", "SYSTEMROOT", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "USERPROFILE", "TEMP"),
)
_SECRET_PARTS = ("TOKEN", "PASSWORD", "SECRET")  # such as JUPYTER_TOKEN
# For the database, without passwords; and for the buckets. A proxy's address may hold a password.
_DATABASE = ("PGSSL", "PGOPTIONS", "PGAPPNAME", "PGCONNECT_TIMEOUT", "PGTZ", "PGDATESTYLE", "PGPASSFILE")
_BUCKET = ("AWS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
_KEYS = ("s3_access_key_id", "s3_secret_access_key")
_OWN = ("T3_DEBUG",)
ROLES = {
    "etl": "database_url_etl",
    "report": "database_url_mailer",
    "analyst": "database_url_analyst",
    "dashboard": "database_url_dashboard",
    "operations": "database_url_operator",
}
READERS_OF_BUCKETS = ("etl", "analyst")


def system(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The machine's variables, without secrets and settings."""
    names = (name for name in given if name.startswith(_SYSTEM) or name.lower() == "no_proxy")
    return {name: given[name] for name in names if not any(part in name for part in _SECRET_PARTS)}


def for_the_web() -> dict[str, str]:
    """The machine's variables and the proxy's, for a program that uses the internet."""
    return system() | {name: text for name, text in os.environ.items() if name.lower().endswith("_proxy")}


def of(role: str) -> dict[str, str]:
    """The environment of a role's notebooks: only that role's database URL, and bucket keys only if it reads files."""
    chosen = settings()
    names = {f"T3_{name.upper()}" for name in Settings.model_fields if not is_secret(name)} | set(_OWN)
    env = {name: text for name, text in os.environ.items() if name in names or name.startswith(RECIPIENTS)}
    if own := getattr(chosen, ROLES[role]) or chosen.database_url:
        env["T3_DATABASE_URL"] = own.get_secret_value()
    if role in READERS_OF_BUCKETS:
        keys = [f"T3_{name.upper()}" for name in _KEYS]
        env |= {name: text for name, text in os.environ.items() if name in keys or name.startswith(_BUCKET)}
    if role == "analyst" and chosen.s3_access_key_id_analyst:
        env |= analyst_keys()
    kind = (
        _DATABASE if getattr(chosen, ROLES[role]) else "PG"
    )  # without a URL of its own the role connects as the owner
    found = {name: text for name, text in os.environ.items() if name.startswith(kind)}
    return system() | found | env | {"PGOPTIONS": os.environ.get("PGOPTIONS") or SERVER_KEEPALIVE, "T3_ROLE": role}


def analyst_keys() -> dict[str, str]:
    """The analysts' own key to the buckets; empty when there is none."""
    chosen = settings()
    names = [name for name in _KEYS if getattr(chosen, f"{name}_analyst")]
    return {f"T3_{name.upper()}": chosen.need(f"{name}_analyst") for name in names}


def is_secret(name: str) -> bool:
    """Whether a setting is a secret; a process gets it only if its work needs it."""
    of_a_secret = name.startswith(_KEYS[0]) or name == "pack_key"  # the file of a key is no notebook's business
    return "SecretStr" in str(Settings.model_fields[name].annotation) or of_a_secret
