"""A real Postgres, S3 server and mail sink that need no installation, for whatever is not configured."""

from scheduler.embedded.services import ALL, Running, check, reading, services
from t3lib.problems import ServiceError

__all__ = ["ALL", "Running", "ServiceError", "check", "reading", "services"]
