"""The operations page: what ran, which files came, what was rejected, which mails went. For operators only."""

from dataclasses import dataclass
from html import escape
from typing import Any

import sqlalchemy as sa

from t3lib import business_day, warehouse
from t3lib.dashboard import words
from t3lib.dashboard.boxes import box, html
from t3lib.dashboard.cards import table
from t3lib.dashboard.live import Follower
from t3lib.dashboard.showing import show
from t3lib.dashboard.trouble import explain
from t3lib.metrics import freshness

GOOD = {"loaded", "succeeded", "sent"}
BAD = {"failed", "lost", "unknown", "unreadable", "bad_header", "held_duplicate"}


@dataclass(frozen=True)
class Section:
    """One table of the page: its query, its columns, and which of them are numbers."""

    name: str
    title: str
    columns: tuple[str, ...]
    query: str
    numbers: tuple[int, ...] = ()
    wide: bool = False


SECTIONS = (
    Section(
        "files",
        "Files by state",
        ("State", "Reason", "Files", "Rows read", "Loaded", "Rejected"),
        """
-- A reason that names a key is the same reason for every file of that state.
SELECT state, coalesce(regexp_replace(reason, '^The same content as [^ ]+:', 'The same content as another file:'), '')
           AS reason, count(*), sum(rows_read), sum(rows_loaded), sum(rows_rejected)
FROM ops.source_file
WHERE discovered_at >= now() - make_interval(days => :days)
GROUP BY 1, 2 ORDER BY state = 'loaded', count(*) DESC, state LIMIT 20""",
        numbers=(2, 3, 4, 5),
    ),
    Section(
        "rejected",
        "Rejected rows to look at",
        ("Reason", "Rows", "With a suggestion", "Trucks", "Latest day"),
        """
SELECT reason, count(*), count(suggested_pence), count(DISTINCT truck_id), max(business_date)
FROM ops.rejected_row
WHERE status = 'open'
GROUP BY reason ORDER BY count(*) DESC, reason""",
        numbers=(1, 2, 3, 4),
    ),
    Section(
        "runs",
        "Latest notebook runs",
        ("State", "Notebook", "Started", "Seconds", "Rows", "Error"),
        """
SELECT state, notebook, started_at, round(seconds::numeric, 1), rows,
       coalesce('cell ' || failed_cell || ': ', '') || coalesce(left(error, 200), '')
FROM ops.run
WHERE started_at >= now() - make_interval(days => :days)
ORDER BY started_at DESC LIMIT 20""",
        numbers=(3, 4),
        wide=True,
    ),
    Section(
        "mails",
        "Mails",
        ("State", "Edition", "Day", "Recipient", "Tries", "Server's reply"),
        """
SELECT state, edition, business_date, recipient, attempts, coalesce(left(reply, 120), '')
FROM ops.mail_outbox
WHERE prepared_at >= now() - make_interval(days => :days)
ORDER BY state = 'sent', prepared_at DESC LIMIT 20""",
        numbers=(4,),
        wide=True,
    ),
)


def operations(days: int = 7, refresh_seconds: float = 3.0) -> None:
    """Show the operations page for the last days: first as plain HTML, then as widgets that keep up."""
    page = Operations(days)
    page.refresh()
    cards = "".join(f'<section class="{_classes(s)}">{page.cards[s.name].value}</section>' for s in SECTIONS)
    first = f'<div class="t3-heading">{page.heading.value}</div><div class="t3-grid">{cards}</div>'
    show(f'<div class="t3-page">{page.notice.value}{first}</div>', page.widget)
    page.follow(refresh_seconds)


class Operations:
    """One operator's page."""

    def __init__(self, days: int, connect: Any = warehouse.connect) -> None:
        self._days, self._connect, self.trouble = days, connect, ""
        self._follower = Follower(lambda: True, self._read, self._show)
        self.notice, self.heading = html("t3-notice"), html("t3-heading")
        self.cards = {section.name: html(_classes(section)) for section in SECTIONS}
        grid = box("t3-grid", *self.cards.values())
        self.widget = box("t3-page t3-live", self.notice, self.heading, grid)

    def refresh(self) -> None:
        """Read and show."""
        self._show(self._read())

    def follow(self, seconds: float) -> None:
        """Read again every so many seconds; what did not change is not sent."""
        self._follower.start(seconds)

    def _read(self) -> tuple[dict[str, str], str]:
        try:
            with self._connect() as db:
                return {"": _heading(db, self._days)} | {s.name: _card(db, s, self._days) for s in SECTIONS}, ""
        except Exception as error:
            return {}, explain(error, self.trouble)

    def _show(self, found: tuple[dict[str, str], str]) -> None:
        values, self.trouble = found
        self.notice.value = f'<p class="t3-trouble" role="alert">{escape(self.trouble)}</p>' if self.trouble else ""
        for name, value in values.items():
            (self.cards[name] if name else self.heading).value = value


def _heading(db: sa.Connection, days: int) -> str:
    now, today = freshness(db), business_day.today()
    facts = (
        f"last {days} days",
        f"figures loaded <b>{words.clock(now.loaded_at, today)}</b>",
        f"last sale <b>{words.clock(now.last_sale_at, today)}</b>",
        f"version {now.version:,}",
    )
    return f'<h1 class="t3-period">Operations</h1><p class="t3-fresh">{" <s>·</s> ".join(facts)}</p>'


def _card(db: sa.Connection, section: Section, days: int) -> str:
    rows = [[_written(value) for value in row] for row in db.execute(sa.text(section.query), {"days": days})]
    title = f'<header class="t3-card-head"><h2 class="t3-title">{section.title}</h2></header>'
    if not rows:
        return f'{title}<p class="t3-none">Nothing here.</p>'
    return title + table(section.title, section.columns, rows, section.numbers, _tone)


def _tone(text: str) -> str:
    """The look of a state: good, bad or neither."""
    return "trading" if text in GOOD else "silent" if text in BAD else ""


def _written(value: Any) -> str:
    if value is None:
        return "–"
    if hasattr(value, "hour"):
        return words.clock(value, business_day.today())
    if hasattr(value, "isoformat"):
        return words.short_day(value, business_day.today())
    return value if isinstance(value, str) else f"{value:,}"


def _classes(section: Section) -> str:
    return f"t3-card t3-{'whole' if section.wide else 'half'}"
