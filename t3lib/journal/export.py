"""Export of business days to an accounting program: a day once, later changes as corrections.

A day is locked in the database first, and its file is written then: whoever is killed in between exports again, and
gets the file of what is locked. So no file exists that the database does not know."""

import csv
import io
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from t3lib import business_day
from t3lib.journal import entries, locked
from t3lib.journal.accounts import Accounts, accounts
from t3lib.journal.locked import Day, Journal
from t3lib.metrics.money.postings import postings
from t3lib.metrics.trust.batches import incomplete_days
from t3lib.problems import RefusedError
from t3lib.warehouse.db import locks
from t3lib.warehouse.files import audit

State = Literal["exported", "corrected", "unchanged", "nothing", "refused"]


@dataclass(frozen=True)
class Outcome:
    """What became of a business day: its journals, the newest last, or why there is none."""

    business_date: date
    state: State
    why: str = ""
    journals: tuple[Journal, ...] = ()


@dataclass(frozen=True)
class Order:
    """What is asked for: a layout, by whom and why, and whether days that are not complete are exported, too."""

    layout: str
    actor: str
    why: str = ""
    partial: bool = False


def export(db: sa.Connection, first: date, last: date, order: Order) -> list[Outcome]:
    """Lock the business days of a range for a layout, a line per day. A locked day whose figures changed gets a
    correction; a day that cannot be exported is refused, and the others are exported. Commit, then `write` the files.
    """
    audit.named(order.actor)
    known = accounts()
    known.layout(order.layout)
    locks.acquire(db, locks.JOURNAL)
    posted, lacking = postings(db, first, last), incomplete_days(db, first, last)
    before = locked.days(db, order.layout, first, last)
    outcomes = []
    for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
        try:
            found = _day(db, day, posted.get(day, {}), before.get((order.layout, day)), lacking.get(day, ""), order)
        except RefusedError as error:
            found = Outcome(day, "refused", str(error))
        outcomes.append(found)
    return outcomes


def _day(
    db: sa.Connection, day: date, posted: Mapping[str, int], before: Day | None, lacks: str, order: Order
) -> Outcome:
    known = accounts()
    if day > business_day.today():
        raise RefusedError(f"{day} is still to come.")
    journals = before.journals if before else []
    now = entries.signed(day, posted, before.costs if before else known.posted)
    parts = entries.difference(now, before.parts if before else {})
    if journals and not parts:
        return Outcome(day, "unchanged", journals=tuple(journals))
    if lacks and not order.partial:
        raise RefusedError(f"{day} is not complete: {lacks}. Export it with --partial, and what comes later as a "
                           "correction.")  # fmt: skip
    if not parts:
        return Outcome(day, "nothing")
    lines = entries.lines(parts, order.layout, known, before.accounts if before else {})
    journal = _journal(day, len(journals), lines, lacks, order, before.costs if before else known.posted)
    locked.add(db, journal, lines)
    return Outcome(day, "corrected" if journals else "exported", journals=(*journals, journal))


def _journal(
    day: date, number: int, lines: list[entries.Line], lacks: str, order: Order, costs: tuple[str, ...]
) -> Journal:
    known = accounts()
    dated = business_day.today() if number and known.corrections == "export" else day
    file = f"journal_{day}_{order.layout}{f'_correction_{number}' if number else ''}.csv"
    content = _content(known, order.layout, lines, {
        "narration": f"T3 sales of {day}" + (f" correction {number}" if number else ""),
        "number": f"T3-{day:%Y%m%d}" + (f"-{number}" if number else ""),
        "date": dated.strftime(known.layout(order.layout).date),
    })  # fmt: skip
    actor, why = order.actor.strip(), order.why.strip()
    return Journal(order.layout, day, number, dated, actor, why, lacks, costs, file, content)


def _content(known: Accounts, name: str, lines: list[entries.Line], journal: Mapping[str, str]) -> str:
    layout, text = known.layout(name), io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(layout.columns)
    writer.writerows(entries.cells(line, layout, journal) for line in lines)
    return text.getvalue()


def write(journals: Iterable[Journal], folder: Path) -> dict[str, bool]:
    """Write the files that are not there as they are locked; by name, whether it was written now."""
    folder.mkdir(parents=True, exist_ok=True)
    return {journal.file: _write(folder / journal.file, journal.content.encode()) for journal in journals}


def together(journals: Iterable[Journal], name: str) -> list[str]:
    """The same journals as the contents of as few files as the layout's most lines allow; none is split."""
    most = accounts().layout(name).most_lines
    files: list[list[str]] = [[]]
    for journal in journals:
        _, *lines = journal.content.splitlines(keepends=True)
        if files[-1] and len(files[-1]) + len(lines) > most:
            files.append([])
        files[-1] += lines
    head = _content(accounts(), name, [], {})
    return [head + "".join(lines) for lines in files if lines]


def write_together(journals: Iterable[Journal], name: str, folder: Path, file: str) -> None:
    """Write the same journals of a layout into one file, or several numbered ones."""
    contents = together(journals, name)
    for number, content in enumerate(contents, 1):
        _write(folder / f"{file}{f'_{number}' if len(contents) > 1 else ''}.csv", content.encode())


def _write(path: Path, content: bytes) -> bool:
    if path.exists() and path.read_bytes() == content:
        return False
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return True
