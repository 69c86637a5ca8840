"""Everything that is not configured, started or adopted, and stopped by the last process that uses it."""

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
    """What people may want to open; None where it is configured or was not wanted."""

    embedded: tuple[str, ...] = field(default=())
    inbox_page: str | None = None
    landing_folder: Path | None = None
    s3_endpoint: str | None = None


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@contextmanager
def services(wanted: tuple[str, ...] = ALL, say: Say = _say) -> Iterator[Running]:
    """Have every wanted service: the configured one, else the embedded one.

    Raises ServiceError or SettingsError with one plain line."""
    embedded = tuple(name for name in wanted if not _configured(_SETTING[name]))
    if not embedded:
        yield Running()
        return
    home = Home(_home())
    home.make()
    # Children may run in another folder.
    os.environ["T3_HOME"] = str(home.path)
    _reach_loopback()
    lock = home.join(say)
    logs.keep(home.path / "logs")
    try:
        running = _plainly(lambda: _start(home, embedded, say))
        settings.cache_clear()
        yield running
    finally:
        _leave(home, lock)
        settings.cache_clear()


@contextmanager
def reading(say: Say = _say, apart: bool = True) -> Iterator[dict[str, str]]:
    """The settings that lead an account which may not read services.json to the embedded buckets, to read them only;
    nothing where the buckets are configured, or the account is this one."""
    home = Home(_home())
    if not apart or settings().s3_endpoint is None or settings().s3_endpoint != home.published.get("s3_endpoint"):
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
    known = {"database_url": Postgres, "s3_endpoint": ObjectStore, "smtp_url": Inbox}
    used = [known[name](place, _say) for name in known if name in place.published]
    return {service.name: service.problem() for service in used}


def _start(home: Home, embedded: tuple[str, ...], say: Say) -> Running:
    postgres, store, inbox = Postgres(home, say), ObjectStore(home, say), Inbox(home, say)
    buckets = [name for name in ("landing", "archive") if name in embedded]
    serve = bool(buckets) and not _other_s3()
    wanted: dict[Service, bool] = {postgres: "database" in embedded, store: serve, inbox: "smtp" in embedded}
    with home.starting():
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
    """What other users of the home were told, as far as it still runs."""
    store = ObjectStore(home, _say).server
    servers = {"database": Postgres(home, _say).server, "smtp": Inbox(home, _say).server}
    servers |= dict.fromkeys(("landing", "archive", "s3"), store)
    return {name: value for name, value in home.published.items() if servers.get(name.split("_")[0])}


def _leave(home: Home, lock: int) -> None:
    """Stop everything when nobody else uses it. A second Ctrl-C does not leave half of it running."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    try:
        if home.last(lock):
            home.publish({})
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda part: part(home, _say).stop(), (Inbox, ReadOnly, ObjectStore, Postgres)))
    finally:
        home.leave(lock)
        if main:
            signal.signal(signal.SIGINT, before)


def _reach_loopback() -> None:
    """Keep this process and its children from asking a proxy for what runs on this machine."""
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


def _plainly(work: Callable[[], Running]) -> Running:
    try:
        return work()
    except Exception as error:
        if (line := explain(error)) and not isinstance(error, ServiceError):
            raise ServiceError(line) from error
        raise
