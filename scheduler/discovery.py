"""Finding new files: list the bucket, compare with the ledger, claim what is new in batches. No notebook needed."""

from datetime import UTC, datetime

from t3lib import warehouse
from t3lib.business_day import today
from t3lib.feed.keys import recent_prefixes, todays_prefix
from t3lib.landing import Landing
from t3lib.settings import settings
from t3lib.warehouse import ledger

RECENT_DAYS = 3


def discover(landing: Landing, *, sweep: bool = False, only_today: bool = False) -> int:
    """Enter new object versions of the last days (all of the bucket in a sweep, else one folder when `only_today`).

    Returns how many.
    A sweep also marks loaded files that left the bucket. An idle call lists and reads, and writes nothing."""
    begun = datetime.now(UTC)
    prefixes = [""] if sweep else [todays_prefix(today())] if only_today else recent_prefixes(today(), RECENT_DAYS)
    objects = [found for prefix in prefixes for found in landing.objects(prefix)]
    with warehouse.connect() as db:
        new = ledger.record(db, objects)
        if sweep:
            ledger.mark_deleted(db, {found.key for found in objects}, begun)
        ledger.claim(db, settings().batch_bytes)
    return new
