"""Checks of `t3 doctor` that need a service: bucket, archive, mail server, addresses."""

import smtplib
from collections.abc import Callable
from urllib.parse import urlsplit

import sqlalchemy as sa

from t3lib.editions import wrong_addresses
from t3lib.ingest import rereading
from t3lib.landing import Landing
from t3lib.problems import error_line
from t3lib.settings import SettingsError, settings
from t3lib.warehouse.checks import bucket_agreement
from t3lib.warehouse.checks.reconciliation import Check


def service_checks() -> list[Check]:
    """One check per service; none writes."""
    return [
        _check("landing", lambda: f"{sum(1 for _ in Landing().objects('metadata'))} metadata files can be listed"),
        _check("archive", lambda: f"{len(Landing(settings().need('archive_url')).folders())} folders can be listed"),
        _check("smtp", _greeting),
        _addresses(),
    ]


def bucket_check(db: sa.Connection) -> Check:
    """Whether the loaded version of each key is the one in the bucket."""
    return _probed("bucket", lambda: bucket_agreement.check(db, Landing().objects()))


def files_check(sample: int, progress: Callable[[int, int], object]) -> Check:
    """Whether loaded files, read again, give the rows that were loaded."""
    return _probed("lines", lambda: rereading.check(Landing(), sample, progress=progress))


def _addresses() -> Check:
    """Whether all readers, operators and trials have valid addresses."""
    try:
        wrong = wrong_addresses()
    except SettingsError as error:
        return Check("addresses", False, str(error))
    advice = "Correct it where it is set; until then its mails end as failed, and everybody else gets theirs."
    return Check("addresses", not wrong, "; ".join(wrong) or "every reader has an address", advice if wrong else "")


def _check(name: str, probe: Callable[[], str]) -> Check:
    return _probed(name, lambda: Check(name, True, probe()))


def _probed(name: str, probe: Callable[[], Check]) -> Check:
    try:
        return probe()
    except Exception as error:
        return Check(name, False, error_line(error))


def _greeting() -> str:
    url = urlsplit(settings().need("smtp_url"))
    kind = smtplib.SMTP_SSL if url.scheme == "smtps" else smtplib.SMTP
    with kind(url.hostname or "", url.port or 0, timeout=10) as server:
        code, _ = server.noop()
    leaves = "mails leave for their readers" if settings().mail_live else "T3_MAIL_LIVE is not set: only trials leave"
    return f"the mail server answers ({code}); {leaves}"
