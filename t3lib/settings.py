"""Settings: T3_* environment variables first, then what the embedded services left in T3_HOME."""

import json
import os
import re
import tomllib
from collections.abc import Callable
from datetime import time
from difflib import get_close_matches
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from t3lib import addresses, urls

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Tables = TypeVar("Tables", bound=BaseModel)

ROOT = Path(__file__).resolve().parents[1]
SERVICES_FILE = "services.json"
SHORTEST_TOKEN = 16
RECIPIENTS = "T3_RECIPIENTS_"
BUCKETS = ("s3", "file", "gs", "az")

Addresses = Annotated[tuple[str, ...], NoDecode]


class SettingsError(ValueError):
    """A setting is missing or wrong; the text names it and says what to do."""


def wrong_key(error: "ErrorDetails") -> str:
    """The place of a key, and what is wrong with it."""
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"


def read_tables(file: Path, model: type[Tables], told: Callable[["ErrorDetails"], str] = wrong_key) -> Tables:
    """A TOML file as a model. Raises SettingsError, which names each key that is wrong."""
    try:
        return model.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(dict.fromkeys(told(one) for one in error.errors()))
        raise SettingsError(f"{file.name}: {wrong}") from None


class Settings(BaseSettings):
    """One field per setting; `docs/operating.md` shows them as one table (tested)."""

    model_config = SettingsConfigDict(env_prefix="T3_", extra="ignore", env_ignore_empty=True)

    home: Path = Field(ROOT / ".t3", description="the embedded services' own data: the one folder to keep")
    outputs: Path = Field(ROOT / "outputs", description="executed notebooks and staged files: safe to delete")
    database_url: SecretStr | None = Field(None, description="postgresql:// of any server from version 15")
    database_url_etl: SecretStr | None = Field(None, description="the same for the notebooks that load")
    database_url_dashboard: SecretStr | None = Field(None, description="the same for the dashboard (reads only)")
    database_url_analyst: SecretStr | None = Field(None, description="the same for JupyterLab")
    database_url_mailer: SecretStr | None = Field(None, description="the same for the report and its mail")
    database_url_operator: SecretStr | None = Field(None, description="the same for the operations page")
    landing_url: str | None = Field(None, description="where trucks drop files: s3://bucket or file:///folder")
    archive_url: str | None = Field(None, description="where clean rows are kept as Parquet: s3:// or file://")
    dask_scheduler: str | None = Field(None, description="tcp://host:8786 of a Dask cluster; absent: this machine")
    s3_endpoint: str | None = Field(None, description="an S3 server other than Amazon's")
    s3_region: str = Field("eu-west-2", description="region of the buckets")
    s3_access_key_id: str | None = Field(None, description="S3 key; absent: the AWS_* variables or the role")
    s3_secret_access_key: SecretStr | None = Field(None, description="secret of that key")
    s3_access_key_id_analyst: str | None = Field(None, description="the same for JupyterLab: one that reads only")
    s3_secret_access_key_analyst: SecretStr | None = Field(None, description="secret of that key")
    smtp_url: SecretStr | None = Field(None, description="smtp://user:password@host:port; smtps:// for TLS")
    mail_from: str = Field("T3 reports <reports@t3.example>", description="sender of every mail")
    mail_live: bool = Field(False, description="1: mails leave for their readers by `T3_SMTP_URL`; else only trials do")
    mail_trials: Addresses = Field((), description="addresses that `t3 report --to me` may send a trial to")
    editions: Path = Field(ROOT / "notebooks" / "editions.toml", description="the reports: readers, times, contents")
    recipients: dict[str, Addresses] = Field(
        {}, description="readers of an edition, comma-separated, instead of those in that file"
    )
    recipients_operations: Addresses = Field(("operations@t3.example",), description="notified when work fails")
    dashboard_url: str | None = Field(None, description="where people reach the dashboard; links in mails use it")
    pages_host: str = Field("127.0.0.1", description="address the pages listen on; others than this need a guard")
    dashboard_token: SecretStr | None = Field(None, description="what staff type to see the dashboard")
    operations_token: SecretStr | None = Field(None, description="what operators type to see their page")
    proxy_user_header: str | None = Field(None, description="header in which a proxy names who is signed in")
    proxy_groups_header: str = Field("X-Forwarded-Groups", description="header with their groups, comma-separated")
    operators_group: str = Field("t3-operators", description="group that may see the operations page")
    trusted_proxies: Addresses = Field(("127.0.0.1", "::1"), description="addresses whose headers are believed")
    own_accounts: bool = Field(
        True, description="0: as root too, pages and JupyterLab run as the account that starts them"
    )
    public_names: Addresses = Field((), description="names under which people reach the pages, besides this machine's")
    secure_cookies: bool = Field(False, description="1: people reach the pages by https only; cookies need https")
    session_hours: float = Field(12, gt=0, le=720, description="how long a person stays signed in after typing a token")
    visitors_at_most: int = Field(100, ge=1, le=120, description="pages that one server keeps open at once")
    visitor_bytes: int = Field(2**30, ge=2**27, description="most memory of one open page; a larger one is restarted")
    timezone: str = Field("Europe/London", description="zone of the business day and of every output")
    business_day_start: time = Field(time(4), description="a sale before it belongs to the evening before")
    holidays: str = Field("GB-ENG", description="whose bank holidays the reports know: country, or country-part")
    vat_stagger: int = Field(
        1,
        ge=1,
        le=3,
        description="months in which VAT quarters end: 1 Mar, Jun, Sep, Dec; 2 Jan, Apr, ...; 3 Feb, May, ...",
    )
    accounts: Path = Field(
        ROOT / "notebooks" / "accounts.toml", description="the journal: accounts and layouts of accounting programs"
    )
    limit_pence: int = Field(100_00, gt=0, description="highest total that is believed of a truck without known prices")
    pack_key: Path | None = Field(None, description="private key that signs month packs; absent: ~/.config/t3/pack.key")
    packs: Path | None = Field(None, description="folder of sealed month packs; absent: packs in `T3_HOME`")
    edited_notebooks: bool = Field(False, description="1: the schedule runs notebooks as edited, not as committed")
    batch_bytes: int = Field(64 * 2**20, ge=2**16, description="most bytes that one ingest batch reads")

    @field_validator("trusted_proxies", "public_names", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return _listed(value)

    # One wrong address is no reason to refuse all: `t3lib.editions.wrong_addresses` names it, and its mails end as
    # `failed`.
    @field_validator("recipients_operations", "mail_trials", mode="before")
    @classmethod
    def _addresses(cls, value: Any) -> Any:
        return addresses.split(value) if isinstance(value, str) else value

    @field_validator("recipients", mode="before")
    @classmethod
    def _addresses_each(cls, value: Any) -> Any:
        return {name: cls._addresses(given) for name, given in value.items()} if isinstance(value, dict) else value

    @field_validator("public_names")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", name):
                raise ValueError(f"{name!r} is not a name such as figures.company.example (no https://, port or path)")
        return tuple(name.lower() for name in value)

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        return addresses.sender(value)

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except Exception:
            raise ValueError(f"{value!r} is not a time zone; write one like Europe/London") from None
        return value

    @field_validator("business_day_start")
    @classmethod
    def _whole_hour(cls, value: time) -> time:
        if value != time(value.hour):
            raise ValueError(f"{value.isoformat()} is no whole hour; write one like 04:00")
        return value

    @field_validator("pages_host")
    @classmethod
    def _address(cls, value: str) -> str:
        try:
            return str(ip_address("127.0.0.1" if value == "localhost" else value))
        except ValueError:
            raise ValueError(f"{value!r} is not an address of this machine, such as 127.0.0.1 or 0.0.0.0") from None

    @field_validator("dashboard_token", "operations_token")
    @classmethod
    def _long(cls, value: SecretStr | None) -> SecretStr | None:
        if value and len(value.get_secret_value()) < SHORTEST_TOKEN:
            raise ValueError(f"at least {SHORTEST_TOKEN} characters; make one with: openssl rand -hex 16")
        return value

    @field_validator("landing_url", "archive_url")
    @classmethod
    def _store(cls, value: str | None) -> str | None:
        return _address(value, BUCKETS, "write s3://bucket/prefix or file:///folder", login=False)

    @field_validator("s3_endpoint", "dashboard_url")
    @classmethod
    def _page(cls, value: str | None) -> str | None:
        return _address(value, ("https", "http"), "write https://host or http://host:port", login=False)

    @field_validator("dask_scheduler")
    @classmethod
    def _dask(cls, value: str | None) -> str | None:
        advice = "write tcp://host:8786, or tls:// where the cluster wants it"
        if _address(value, ("tcp", "tls", "ws", "wss"), advice, login=False) and not urlsplit(value).hostname:
            raise ValueError(advice)
        return value

    @field_validator(
        "database_url",
        "database_url_etl",
        "database_url_dashboard",
        "database_url_analyst",
        "database_url_mailer",
        "database_url_operator",
    )
    @classmethod
    def _postgres(cls, value: SecretStr | None) -> SecretStr | None:
        return _address(value, ("postgresql", "postgres"), "write postgresql://user:password@host:port/database")

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: SecretStr | None) -> SecretStr | None:
        return _address(value, ("smtp", "smtps"), "write smtp://user:password@host:port, or smtps:// for TLS")

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the business day."""
        return ZoneInfo(self.timezone)

    def need(self, name: str) -> str:
        """The value of a setting that the work cannot do without, secrets in clear.

        Raises SettingsError, saying how to set it."""
        value = getattr(self, name)
        if value is None:
            raise SettingsError(
                f"T3_{name.upper()} is not set and no embedded service runs: "
                f"set it, or start the embedded services with `t3 up`."
            )
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: Any,
        init_settings: Any,
        env_settings: Any,
        dotenv_settings: Any,
        file_secret_settings: Any,
    ) -> tuple[Any, ...]:
        return init_settings, env_settings, _RecipientsSource(settings_cls), _ServicesSource(settings_cls)


class _RecipientsSource(PydanticBaseSettingsSource):
    """T3_RECIPIENTS_<EDITION> of every edition; no field declares them, since editions.toml names the editions."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        given = {name: value for name, value in os.environ.items() if name.startswith(RECIPIENTS) and value}
        return {"recipients": {name.removeprefix(RECIPIENTS).lower(): value for name, value in given.items()}}


class _ServicesSource(PydanticBaseSettingsSource):
    """Values that the embedded services wrote to T3_HOME/services.json."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        path = Path(self.current_state.get("home") or ROOT / ".t3") / SERVICES_FILE
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise SettingsError(f"{path} cannot be read ({error}): delete it, `t3 up` writes it again.") from error
        found = {name: value for name, value in known.items() if not self._overruled(name, known)}
        # The embedded mail server forwards nothing, so mail may be live there.
        return found | ({"mail_live": True} if "smtp_url" in found and "smtp_url" not in self.current_state else {})

    def _overruled(self, name: str, known: dict[str, Any]) -> bool:
        """Whether it belongs to an embedded service that a configured one replaces: never mix the two."""
        given = self.current_state
        if name.startswith("database_url"):
            return "database_url" in given
        buckets = [key for key in ("landing_url", "archive_url") if str(given.get(key, "")).startswith("s3:")]
        own = any(key.startswith("s3_") for key in given) or any(given[key] != known.get(key) for key in buckets)
        return own and (name.startswith("s3_") or str(known[name]).startswith("s3:"))


def _address(value: Any, schemes: tuple[str, ...], advice: str, login: bool = True) -> Any:
    """The address unchanged. Raises ValueError with the advice, never with a part of the address."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if text and urls.scheme(text) not in schemes:
        raise ValueError(advice)
    if text:
        urls.parsed(text, login)
    return value


def _listed(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def load(**changes: Any) -> Settings:
    """Settings from the environment as it is now. Raises SettingsError naming each wrong variable."""
    try:
        return Settings(**changes)
    except ValidationError as error:
        lines = [
            f"T3_{'_'.join(map(str, e['loc'])).upper()}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        ]
        raise SettingsError(urls.scrubbed("; ".join(lines))) from None


@cache
def settings() -> Settings:
    """The process's settings, read once (`settings.cache_clear()` reads them again)."""
    return load()


# Variables that are not settings: T3's processes and tests pass them to each other.
_OWN = {"T3_SECRETS_ON_STDIN", "T3_DEBUG", "T3_LAB", "T3_ROLE", "T3_PAGE_TOKEN", "T3_PAGE_GROUP", "T3_INBOX_USER",
        "T3_INBOX_PASSWORD", "T3_FAULT_RUNS"}  # fmt: skip


def unknown() -> dict[str, str]:
    """Variables named T3_* that are not settings, each with the setting of the most similar name, or ''."""
    known = [f"T3_{name.upper()}" for name in Settings.model_fields]
    given = [name for name in os.environ if name.startswith("T3_") and not name.startswith("T3_RECIPIENTS_")]
    strange = sorted(set(given) - {*known, *_OWN})
    return {name: next(iter(get_close_matches(name, known, 1, 0.8)), "") for name in strange}


def variables() -> list[tuple[str, str, str]]:
    """One (variable, default, meaning) per setting, for the documentation and `t3 --help`."""

    def variable(name: str) -> str:
        return f"T3_{name.upper()}" + ("_<EDITION>" if name == "recipients" else "")

    def shown(value: Any) -> str:
        if isinstance(value, Path):
            return os.path.relpath(value, ROOT) + ("" if value.suffix == ".toml" else "/")
        if isinstance(value, dict):
            return ""
        return ", ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)

    return [
        (variable(name), shown(field.default), field.description or "") for name, field in Settings.model_fields.items()
    ]
