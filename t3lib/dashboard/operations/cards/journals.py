"""Journals for the accounting program: corrections that wait, and the days that were exported."""

from html import escape

import sqlalchemy as sa

from t3lib.dashboard import formatting
from t3lib.dashboard.html.cards import message_card, title
from t3lib.dashboard.operations import cells, journal_corrections, lists
from t3lib.dashboard.operations.choices import Choices
from t3lib.journal.corrections import Correction
from t3lib.money import pounds

_NAME, _MOST_WAITING = "Journals", 10
_JOURNALS = sa.text("""
    SELECT count(*) OVER () AS of_all, business_date, layout, number, dated, made_at, actor, file, partial
    FROM ops.journal
    WHERE CASE WHEN CAST(:day AS date) IS NULL THEN made_at >= :since ELSE business_date = :day END
    ORDER BY journal_id DESC LIMIT :most OFFSET :skip
""")
_HEAD = ("Business day", "Layout", "Journal", "Dated", "Exported", "By", "File", "Lacked then")
_WAITING = ("Business day", "Layout", "Gross sales differ by", "Debits and credits", "What changed")


def card(db: sa.Connection, choices: Choices) -> str:
    """The corrections that wait, of any day, and the journals of this choice, latest first."""
    waiting = journal_corrections.waiting(db)
    if choices.truck is not None:
        return message_card(_NAME, "Journals are of the whole fleet: choose every truck.")
    found, shown = lists.read(db, _JOURNALS, choices, "journals", day=choices.day)
    if not found and not waiting:
        return message_card(_NAME, "No journal was exported in these days.")
    rows = [
        (row.business_date, row.layout, f"correction {row.number}" if row.number else "of the day", row.dated,
         row.made_at, cells.shorter(row.actor, 30), cells.file_name(row.file), cells.shorter(row.partial, 60))
        for row in found
    ]  # fmt: skip
    listed = cells.table("Journals that were exported", _HEAD, rows) + lists.foot(choices, shown) if rows else ""
    return title(_NAME, "<span>exported days are locked</span>") + _waiting(waiting) + listed


def _waiting(found: list[Correction]) -> str:
    if not found:
        return ""
    journals = "1 exported journal has" if len(found) == 1 else f"{len(found):,} exported journals have"
    said = f"{journals} other figures now. `t3 journal export` of these days makes the corrections."
    rows = [
        (one.business_date, one.layout, pounds(one.sales_pence), pounds(one.posted_pence), cells.shorter(_changed(one)))
        for one in sorted(found, key=lambda one: (one.business_date, one.layout))[:_MOST_WAITING]
    ]
    more = f" The {_MOST_WAITING} earliest:" if len(found) > _MOST_WAITING else ""
    note = f'<p class="t3-note">{escape(said.replace("`", ""))}{more}</p>'
    return note + cells.table("Corrections that wait", _WAITING, rows, (2, 3))


def _changed(one: Correction) -> str:
    """The figures of the day that differ, and by how much."""
    return one.why or ", ".join(f"{what} {_signed(pence)}" for what, pence in one.changes)


def _signed(pence: int) -> str:
    """A change in pounds; no line ends between its sign and its amount."""
    return formatting.signed(pence).replace("£", "\N{WORD JOINER}£")
