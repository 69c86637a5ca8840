"""The heading of the page: how fresh the figures are, and counts of what is waiting or needs a person."""

from datetime import datetime
from html import escape

import sqlalchemy as sa

from t3lib import metrics
from t3lib.dashboard import formatting
from t3lib.dashboard.operations import cells, journal_corrections
from t3lib.dashboard.operations.choices import Choices
from t3lib.settings import settings
from t3lib.warehouse.checks import other_rules
from t3lib.warehouse.files.file_outcomes import HELD, REFUSED

_COUNTS = sa.text("""
    SELECT (SELECT count(*) FROM ops.batch WHERE state = 'open') AS open_batches,
           (SELECT count(*) FROM ops.run WHERE state = 'running'
                                          AND started_at > now() - interval '2 days') AS running,
           (SELECT count(*) FROM ops.batch WHERE state = 'failed') AS failed,
           (SELECT count(*) FROM ops.source_file WHERE state = ANY(:held)) AS held,
           (SELECT count(*) FROM ops.source_file WHERE state = ANY(:refused)) AS unreadable,
           (SELECT count(*) FROM ops.rejected_row WHERE status = 'open' AND suggested_pence IS NOT NULL
                                                    AND business_date BETWEEN :first AND :last) AS suggested,
           (SELECT count(*) FROM ops.mail_outbox WHERE state IN ('failed', 'unknown', 'waiting')) AS mails,
           (SELECT count(*) FROM ops.mail_outbox WHERE state IN ('prepared', 'sending', 'retry')) AS unsent,
           (SELECT count(*) FROM ops.request WHERE state = 'waiting') AS requests
""")


def heading(db: sa.Connection, choices: Choices) -> str:
    """The business days, how fresh the figures are, and the counts."""
    now, today = metrics.freshness(db), datetime.now(settings().zone).date()
    facts = (
        f"figures loaded <b>{formatting.clock(now.loaded_at, today)}</b>",
        f"last sale <b>{formatting.clock(now.last_sale_at, today)}</b>",
        f"version {now.version:,}",
        *_under_other_rules(db),
        *_corrections(db),
    )
    return (
        f'<h1 class="t3-period">Operations <small>{escape(formatting.period(choices.scope))}</small></h1>'
        f'<p class="t3-fresh">{" <s>·</s> ".join(facts)}</p>{_counts(db, choices)}'
    )


def _under_other_rules(db: sa.Connection) -> tuple[str, ...]:
    """How many files of all days were cleaned under other rules than those in force, where there are any."""
    found = other_rules.find(db)
    if not found.files:
        return ()
    hint = f"t3 diff {found.days} shows what the rules in force change; Reprocess applies them"
    said = f"<b>{found.files:,}</b> loaded {'file' if found.files == 1 else 'files'} cleaned under other rules"
    return (f'<span title="{escape(hint)}">{said}</span>',)


def _corrections(db: sa.Connection) -> tuple[str, ...]:
    """How many exported days changed since, where there are any."""
    if not (count := len(journal_corrections.waiting(db))):
        return ()
    hint = "days that changed since their journal was exported: see Journals below"
    return (f'<span title="{hint}"><b>{count:,}</b> journal correction{" waits" if count == 1 else "s wait"}</span>',)


def _counts(db: sa.Connection, choices: Choices) -> str:
    found = db.execute(_COUNTS, choices.bound | {"held": list(HELD), "refused": list(REFUSED)}).one()
    notebooks = f"{found.running:,} notebook{'' if found.running == 1 else 's'} running"
    of_all_days = f"of all days: {found.held:,} held, {found.unreadable:,} unreadable"
    tiles = (
        (found.open_batches, "open batches", notebooks, ""),
        (found.failed, "failed batches", "see Failed below", "silent"),
        (found.held + found.unreadable, "files need a person", of_all_days, "silent"),
        (found.suggested, "rows with suggestions", "open rejects of these days", "waits"),
        (found.mails, "mails need a person", f"{found.unsent:,} being sent", "silent"),
        (found.requests, "requests waiting", "for a worker", "waits"),
    )  # fmt: skip
    return '<ul class="t3-counts">' + "".join(map(_tile, tiles)) + "</ul>"


def _tile(tile: tuple[int, str, str, str]) -> str:
    count, what, more, look = tile
    return (
        f'<li class="{look if count else "quiet"}"><b>{cells.written(count)}</b><span>{what}</span>'
        f"<small>{escape(more)}</small></li>"
    )
