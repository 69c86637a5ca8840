"""Finding new files: list the bucket, compare with the ledger, claim what is new in batches. It needs no notebook."""

import time
from datetime import timedelta

from t3lib import warehouse
from t3lib.business_day import today
from t3lib.feed.keys import recent_prefixes, todays_prefix
from t3lib.landing import Landing
from t3lib.settings import settings
from t3lib.warehouse.files import batches, ledger

RECENT_DAYS = 3
ATTEMPTS = 3


def discover(landing: Landing, *, sweep: bool = False, only_today: bool = False) -> list[str]:
    """Enter new object versions of the last days (all of the bucket in a sweep, else one folder when `only_today`).

    Returns the ids of the batches made of the new files. A sweep also marks loaded files that left the bucket. A call
    that finds nothing new writes nothing. If another process entered a newer version meanwhile, it lists again."""
    prefixes = [""] if sweep else [todays_prefix(today())] if only_today else recent_prefixes(today(), RECENT_DAYS)
    batches: list[str] = []
    for _ in range(ATTEMPTS):
        claimed, was_overtaken = _list_and_claim(landing, prefixes, sweep)
        batches += claimed
        if not was_overtaken:
            break
    return batches


def _list_and_claim(landing: Landing, prefixes: list[str], sweep: bool) -> tuple[list[str], bool]:
    """One listing: the batches made of new files, and whether another process was faster."""
    begun = time.monotonic()
    objects = [found for prefix in prefixes for found in landing.objects(prefix)]
    with warehouse.connect() as db:
        now = ledger.begin(db)  # before the listing's age is taken: else it would seem younger than it is
        listed_at = now - timedelta(seconds=time.monotonic() - begun)
        found = ledger.compare(db, objects, listed_at)
        new = ledger.enter(db, found.new)
        if sweep:
            ledger.mark_deleted(db, {found.key for found in objects}, listed_at)
        made = batches.claim(db, settings().batch_bytes)
    return made, found.overtaken or new < len(found.new)
