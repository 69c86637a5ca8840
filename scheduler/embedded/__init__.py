"""A real Postgres, S3 server and mail sink that need no installation, for each service that is not configured."""

from scheduler.embedded.services import ALL, Running, check, read_only_buckets, services
from t3lib.problems import ServiceError

__all__ = ["ALL", "Running", "ServiceError", "check", "read_only_buckets", "services"]
