"""The store behind an address: S3 with its time limits and retries, or a folder."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from obstore.store import LocalStore, ObjectStore, S3Store, from_url

from t3lib import urls
from t3lib.settings import BUCKETS, SettingsError, settings

if TYPE_CHECKING:
    from obstore.store import S3Config

ANSWER_SECONDS = 30  # for one request, until its answer is complete
RETRIES, RETRY_SECONDS = 4, 90  # of one request; and the time for it with all its retries


def store(url: str) -> ObjectStore:
    """The store at s3://bucket/prefix, file:///folder or a path. Raises SettingsError."""
    if "://" in url:
        _require_store_url(url)
    parts = urlsplit(url)
    if parts.scheme in ("", "file"):
        return _folder(Path(unquote(parts.path)))
    if parts.scheme != "s3":
        return from_url(url)
    chosen = settings()
    config: S3Config = {"region": chosen.s3_region}
    if chosen.s3_endpoint:
        config["endpoint"] = chosen.s3_endpoint
    if chosen.s3_access_key_id:
        config["access_key_id"] = chosen.s3_access_key_id
        config["secret_access_key"] = chosen.need("s3_secret_access_key")
    is_http = (chosen.s3_endpoint or "").startswith("http:")
    return S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        config=config,
        client_options={"allow_http": is_http, "timeout": f"{ANSWER_SECONDS}s", "connect_timeout": "5s"},
        retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=RETRY_SECONDS)},
    )


def _require_store_url(url: str) -> None:
    try:
        urls.parsed(url, login=False)
    except ValueError as error:
        raise SettingsError(f"{error}: write s3://bucket/prefix or file:///folder.") from None
    if urls.scheme(url) not in BUCKETS:
        raise SettingsError("There is no object store at such an address: write s3://bucket/prefix or file:///folder.")


def _folder(path: Path) -> LocalStore:
    if not path.is_dir():
        raise SettingsError(f"The folder {path} does not exist: create it or correct the file:// URL.")
    return LocalStore(path)
