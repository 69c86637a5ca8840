"""Whether what is loaded is what the bucket holds now."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from t3lib.landing import Object
from t3lib.warehouse.checks.reconciliation import Check

GRACE = timedelta(minutes=15)  # an upload is usually seen within seconds; a worker may be busy
_NAMED = 3
# One row per loaded file, with the latest version of its key.
_LOADED = sa.text("""
    SELECT loaded.key, loaded.etag, latest.etag AS latest_etag, latest.state AS latest_state
    FROM ops.source_file AS loaded
    CROSS JOIN LATERAL (
        SELECT etag, state FROM ops.source_file AS later
        WHERE later.key = loaded.key
        ORDER BY version DESC NULLS LAST LIMIT 1
    ) AS latest
    WHERE loaded.state = 'loaded'
    ORDER BY loaded.key
""")


def check(db: sa.Connection, objects: Iterable[Object]) -> Check:
    """Compare the loaded version of each key with a listing of the whole bucket; name those that differ."""
    listed = {found.key: found for found in objects}
    loaded = db.execute(_LOADED).all()
    here = [row for row in loaded if row.key in listed]
    apart = [row for row in here if row.etag != listed[row.key].etag]
    seen = [row for row in apart if row.latest_etag == listed[row.key].etag and row.latest_state != "superseded"]
    unseen = {row.key for row in apart} - {row.key for row in seen}
    stale = [key for key in sorted(unseen) if datetime.now(UTC) - listed[key].last_modified > GRACE]
    stuck = [f"{row.key} ({row.latest_state})" for row in seen if row.latest_state not in ("new", "claimed")]
    said = [
        f"{len(here) - len(apart):,} loaded files are what the bucket holds",
        _said(len(loaded) - len(here), "left the bucket, their sales stay"),
        _said(len(apart) - len(stale) - len(stuck), "have a newer version that is about to be loaded"),
        _said(len(stuck), "have a newer version that is not loaded", stuck),
        _said(len(stale), "are another version in the bucket", stale),
    ]
    advice = ["`t3 ingest` loads what the bucket holds"] if stale else []
    advice += ["`t3 files --state STATE` shows why a newer version is not loaded"] if stuck else []
    return Check("bucket", not stale, "; ".join(filter(None, said)), ". ".join(advice))


def _said(count: int, what: str, keys: Iterable[str] = ()) -> str:
    named = ", ".join(list(keys)[:_NAMED])
    return f"{count:,} {what}{': ' if named else ''}{named}" if count else ""
