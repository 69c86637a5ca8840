"""The journals that were exported, in ops.journal: each locks its business day for its layout, and is written once."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa

from t3lib.journal.entries import Line

_ROWS = """
    SELECT journal_id, layout, business_date, number, dated, made_at, actor, why, partial, costs, file, content, sha256
    FROM ops.journal
    WHERE (CAST(:layout AS text) IS NULL OR layout = :layout) AND business_date BETWEEN :first AND :last
    ORDER BY layout, business_date, number
"""
# One row per layout x day x part: what was posted so far, and the account that it went to.
_POSTED = """
    SELECT layout, business_date, part, sum(amount_pence)::bigint AS pence,
           (array_agg(account ORDER BY journal_id DESC))[1] AS account
    FROM ops.journal JOIN ops.journal_line USING (journal_id)
    WHERE (CAST(:layout AS text) IS NULL OR layout = :layout) AND business_date BETWEEN :first AND :last
    GROUP BY layout, business_date, part
"""
_INSERT = sa.text("""
    INSERT INTO ops.journal (layout, business_date, number, dated, actor, why, partial, costs, file, content, sha256)
    VALUES (:layout, :business_date, :number, :dated, :actor, :why, :partial, :costs, :file, :content, :sha256)
    RETURNING journal_id, made_at
""")
_INSERT_LINE = sa.text("""
    INSERT INTO ops.journal_line (journal_id, line, part, account, amount_pence)
    VALUES (:journal_id, :line, :part, :account, :pence)
""")


@dataclass(frozen=True)
class Journal:
    """An exported journal: the business day's own (number 0) or one of its corrections. `content` is its file."""

    layout: str
    business_date: date
    number: int
    dated: date
    actor: str
    why: str
    partial: str
    costs: tuple[str, ...]
    file: str
    content: str
    journal_id: int = 0
    made_at: datetime | None = None

    @property
    def sha256(self) -> str:
        """The hash of the file."""
        return hashlib.sha256(self.content.encode()).hexdigest()


@dataclass
class Day:
    """A locked day of a layout: its journals in order, and what they posted together, by part."""

    journals: list[Journal]
    parts: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)

    @property
    def costs(self) -> tuple[str, ...]:
        """The goods and costs that are in its journal."""
        return self.journals[0].costs


def days(
    db: sa.Connection, layout: str | None = None, first: date = date.min, last: date = date.max
) -> dict[tuple[str, date], Day]:
    """The locked days by layout and business day."""
    wanted = {"layout": layout, "first": first, "last": last}
    found: dict[tuple[str, date], Day] = {}
    for row in db.execute(sa.text(_ROWS), wanted).mappings():
        given = {name: value for name, value in row.items() if name != "sha256"} | {"costs": tuple(row["costs"])}
        found.setdefault((row["layout"], row["business_date"]), Day([])).journals.append(Journal(**given))
    for layout, day, part, pence, account in db.execute(sa.text(_POSTED), wanted):
        found[layout, day].parts[part], found[layout, day].accounts[part] = pence, account
    return found


def add(db: sa.Connection, journal: Journal, lines: Iterable[Line]) -> None:
    """Keep a journal; the database refuses lines that do not sum to zero when it commits."""
    given = vars(journal) | {"costs": list(journal.costs), "sha256": journal.sha256}
    journal_id = db.execute(_INSERT, given).one().journal_id
    rows = [{"journal_id": journal_id, "line": number, "part": line.part, "account": line.account, "pence": line.pence}
            for number, line in enumerate(lines, 1)]  # fmt: skip
    db.execute(_INSERT_LINE, rows)
