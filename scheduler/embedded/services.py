"""Starts or adopts each service that is not configured; the last process that uses them stops them."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scheduler.embedded import logs
from scheduler.embedded.home import Home
from scheduler.embedded.mail import Inbox
from scheduler.embedded.postgres import Postgres
from scheduler.embedded.s3 import ObjectStore, ReadOnly
from t3lib.problems import ServiceError, explain
from t3lib.settings import Settings, settings

ALL = ("database", "landing", "smtp", "archive")
_SETTING = {"database": "database_url", "landing": "landing_url", "smtp": "smtp_url", "archive": "archive_url"}

Say = Callable[[str], None]
Service = Postgres | ObjectStore | Inbox


@dataclass(frozen=True)
class Running:
    """What people may want to open; None where the service is configured or was not wanted."""

    embedded: tuple[str, ...] = field(default=())
    inbox_page: str | None = None
    landing_folder: Path | None = None
    s3_endpoint: str | None = None


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@contextmanager
def services(wanted: tuple[str, ...] = ALL, say: Say = _say) -> Iterator[Running]:
    """Provide every wanted service until the block ends: the configured one, else the embedded one.

    Raises ServiceError or SettingsError with a message of one line."""
    embedded = tuple(name for name in wanted if not _configured(_SETTING[name]))
    if not embedded:
        yield Running()
        return
    home = Home(_home())
    home.make()
    # Absolute, as children may run in another folder.
    os.environ["T3_HOME"] = str(home.path)
    _bypass_proxy()
    lock = home.join(say)
    logs.watch(home.path / "logs")
    try:
        running = _explained(lambda: _start(home, embedded, say))
        settings.cache_clear()
        yield running
    finally:
        _leave(home, lock)
        settings.cache_clear()


@contextmanager
def read_only_buckets(say: Say = _say, own_account: bool = True) -> Iterator[dict[str, str]]:
    """Settings with which an account that may not read services.json can read the embedded buckets.

    Empty where the buckets are configured, or where the reader has no account of its own."""
    home = Home(_home())
    if not own_account or settings().s3_endpoint is None or settings().s3_endpoint != home.published.get("s3_endpoint"):
        yield {}
        return
    store = ReadOnly(home, say)
    store.start()
    try:
        yield {f"T3_{name.upper()}": text for name, text in store.settings.items()}
    finally:
        store.stop()


def check(home: Path | None = None) -> dict[str, str | None]:
    """For each embedded service (database, s3, inbox) that is in use: None when it answers, else what is wrong."""
    place = Home(home or _home())
    known: dict[str, type[Service]] = {"database_url": Postgres, "s3_endpoint": ObjectStore, "smtp_url": Inbox}
    used = [known[name](place, _say) for name in known if name in place.published]
    return {service.name: service.problem() for service in used}


def _start(home: Home, embedded: tuple[str, ...], say: Say) -> Running:
    postgres, store, inbox = Postgres(home, say), ObjectStore(home, say), Inbox(home, say)
    buckets = [name for name in ("landing", "archive") if name in embedded]
    serve = bool(buckets) and not _other_s3()
    wanted: dict[Service, bool] = {postgres: "database" in embedded, store: serve, inbox: "smtp" in embedded}
    with home.start_lock():
        values: dict[str, str] = {}
        for server in (store, inbox):
            if wanted[server]:
                server.begin()  # while Postgres starts
        for service in (service for service in wanted if wanted[service]):
            service.start()
            values |= service.settings
        values |= {f"{name}_url": f"s3://{name}" if serve else store.folder(name).as_uri() for name in buckets}
        home.publish(_still_published(home) | values)
    return Running(
        embedded,
        inbox.page if wanted[inbox] else None,
        store.folder("landing") if "landing" in embedded else None,
        values.get("s3_endpoint"),
    )


def _still_published(home: Home) -> dict[str, str]:
    """The published settings of services that still run."""
    store = ObjectStore(home, _say).server
    servers = {"database": Postgres(home, _say).server, "smtp": Inbox(home, _say).server}
    servers |= dict.fromkeys(("landing", "archive", "s3"), store)
    return {name: value for name, value in home.published.items() if servers.get(name.split("_")[0])}


def _leave(home: Home, lock: int) -> None:
    """Stop every service when no other process uses the home; a second Ctrl-C does not interrupt that."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    try:
        if home.is_last(lock):
            home.publish({})
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda part: part(home, _say).stop(), (Inbox, ReadOnly, ObjectStore, Postgres)))
    finally:
        home.leave(lock)
        if main:
            signal.signal(signal.SIGINT, before)


def _bypass_proxy() -> None:
    """Let this process and its children connect to this machine's services without a proxy."""
    for name in ("NO_PROXY", "no_proxy"):
        listed = [part for part in os.environ.get(name, "").split(",") if part]
        os.environ[name] = ",".join(dict.fromkeys([*listed, "127.0.0.1", "localhost"]))


def _configured(name: str) -> bool:
    """Whether the environment (not services.json) gives this setting."""
    return any(key.upper() == f"T3_{name.upper()}" and value for key, value in os.environ.items())


def _other_s3() -> bool:
    """Whether the S3 settings belong to a configured store, so that embedded buckets must be folders."""
    urls = (os.environ.get("T3_LANDING_URL", ""), os.environ.get("T3_ARCHIVE_URL", ""))
    keys = ("s3_endpoint", "s3_access_key_id", "s3_secret_access_key")
    return any(url.startswith("s3:") for url in urls) or any(map(_configured, keys))


def _home() -> Path:
    return Path(os.environ.get("T3_HOME") or Settings.model_fields["home"].default)


def _explained(work: Callable[[], Running]) -> Running:
    try:
        return work()
    except Exception as error:
        if (line := explain(error)) and not isinstance(error, ServiceError):
            raise ServiceError(line) from error
        raise
