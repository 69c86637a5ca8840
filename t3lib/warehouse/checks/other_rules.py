"""Loaded files whose rules changed since: they were cleaned under other rules than those in force."""

import time
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import sqlalchemy as sa

from t3lib.business_day import business_date
from t3lib.cleaning import Rulebook
from t3lib.warehouse.checks.reconciliation import Check

_FILES = sa.text("""
    SELECT count(*) AS files, min(batch_date) AS first_batch, max(batch_date) AS last_batch,
           min(first_sale_at) AS first_sale_at, max(last_sale_at) AS last_sale_at,
           (array_agg(key ORDER BY file_id DESC))[1:3] AS newest
    FROM ops.source_file
    WHERE state = 'loaded' AND kind IN ('sales', 'history') AND ruleset IS DISTINCT FROM :hash
""")
_SECONDS = 30  # a page asks every few seconds; reading the rules starts git


@dataclass(frozen=True)
class OtherRules:
    """How many loaded files were cleaned under other rules than those in force, their days and the newest keys."""

    files: int
    first: date | None
    last: date | None
    newest: list[str]

    @property
    def days(self) -> str:
        """The days as commands take them."""
        return f"{self.first}..{self.last}"


def find(db: sa.Connection) -> OtherRules:
    """The loaded files under other rules; those of versions before 0.3 are among them."""
    found = db.execute(_FILES, {"hash": _hash_in_force(int(time.monotonic() // _SECONDS))}).one()
    stamps = filter(None, (found.first_sale_at, found.last_sale_at))
    days = [*filter(None, (found.first_batch, found.last_batch)), *map(business_date, stamps)]
    return OtherRules(found.files, min(days, default=None), max(days, default=None), list(found.newest or []))


def check(db: sa.Connection) -> Check:
    """Names them. It is no fault: a changed rule applies to earlier days when a person says so."""
    found = find(db)
    if not found.files:
        return Check("rules", True, "every loaded file was cleaned under the rules in force")
    more = f" and {found.files - len(found.newest):,} more" if found.files > len(found.newest) else ""
    named = "1 loaded file was" if found.files == 1 else f"{found.files:,} loaded files were"
    detail = f"{named} cleaned under other rules than those in force: {', '.join(found.newest)}{more}"
    advice = f"`t3 diff {found.days}` shows what the rules in force change; `t3 ingest --reprocess` applies them"
    return Check("rules", True, detail, advice)


@lru_cache(maxsize=1)
def _hash_in_force(moment: int) -> str:
    return Rulebook.in_force().hash
