"""Listing an S3 bucket with every key that S3 allows: obstore refuses a whole page for one `a//b` or `..`."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from obstore.store import S3Store

from t3lib.landing.objects import Object, visible_key
from t3lib.problems import ServiceError, explain_store

ATTEMPTS = 5
# Where systems keep the CA certificates that they trust; botocore would use only its own.
_CA_FILES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")


class ListingError(ServiceError):
    """The bucket could not be listed."""


class Listing:
    """The keys below a prefix of a bucket, with the credentials and endpoint of an obstore store."""

    def __init__(self, store: S3Store, answer_seconds: float):
        self._config, self._answer_seconds = store.config, answer_seconds
        self._base = f"{store.prefix}/".lstrip("/") if store.prefix else ""

    def objects(self, prefix: str = "") -> Iterator[Object]:
        """Every object version whose key begins with these letters, in key order."""
        for page in self._pages(prefix):
            for found in page.get("Contents", ()):
                key = _key(page, found["Key"])[len(self._base.encode()) :]
                if key:
                    yield Object(visible_key(key), _etag(found), found["Size"], found["LastModified"])

    def folders(self) -> list[str]:
        """The common prefixes one level below the root."""
        pages = self._pages("", Delimiter="/")
        found = [_key(page, part["Prefix"]) for page in pages for part in page.get("CommonPrefixes", ())]
        return [visible_key(name[len(self._base.encode()) :].removesuffix(b"/")) for name in found]

    def _pages(self, prefix: str, **options: Any) -> Iterator[dict[str, Any]]:
        options |= {"Bucket": self._config["bucket"], "Prefix": self._base + prefix, "EncodingType": "url"}
        with self._explained():
            yield from self._client.get_paginator("list_objects_v2").paginate(**options)

    @cached_property
    def _client(self) -> Any:
        """botocore's client; imported late, since most kernels never list."""
        from botocore.config import Config
        from botocore.session import get_session

        session, known = get_session(), self._config
        session.register_component("data_loader", _descriptions(session.get_config_variable("data_path")))
        # dateutil, which it would use, takes two thirds of the time of a listing.
        session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=datetime.fromisoformat)
        return session.create_client(
            "s3",
            region_name=known.get("region"),
            endpoint_url=known.get("endpoint"),
            aws_access_key_id=known.get("access_key_id"),
            aws_secret_access_key=known.get("secret_access_key"),
            verify=_ca_file(),
            config=Config(
                connect_timeout=5,
                read_timeout=self._answer_seconds,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                s3={"addressing_style": "path"},
            ),
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Raise ListingError, in one plain line, for whatever goes wrong."""
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            yield
        except (BotoCoreError, ClientError, ResponseParserError, ValueError) as error:
            endpoint = urlsplit(self._config.get("endpoint") or "https://s3.amazonaws.com")
            where = f"{endpoint.scheme}://{endpoint.netloc.rpartition('@')[2]}/{self._config['bucket']}"
            line = explain_store(f"{type(error).__name__} {error} {where}")
            raise ListingError(line or f"The bucket at {where} cannot be listed: {error}") from error


def _key(page: dict[str, Any], key: str) -> bytes:
    """The key's own bytes. Servers that can percent-encode it do: XML cannot hold every key."""
    if page.get("EncodingType") == "url":
        return unquote_to_bytes(key.replace("+", " "))
    return key.encode("utf-8", "surrogatepass")


def _etag(found: dict[str, Any]) -> str:
    return found.get("ETag", "").strip('"') or f"{found['LastModified'].timestamp()}-{found['Size']}"


@cache
def _descriptions(path: str | None) -> Any:
    """botocore's descriptions of S3, parsed once: a tenth of a second for each client otherwise."""
    from botocore.loaders import create_loader

    return create_loader(path)


def _ca_file() -> str | None:
    known = (ssl.get_default_verify_paths().cafile, *_CA_FILES)
    return next((path for path in known if path and Path(path).exists()), None)
