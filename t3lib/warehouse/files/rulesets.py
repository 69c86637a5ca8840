"""The rules of cleaning in the database: their text, which files were cleaned under them, and the words of reasons."""

import json

import sqlalchemy as sa

from t3lib.cleaning.rulebook import Rulebook
from t3lib.warehouse.db.cursor import Cursor

# Flags that code here speaks of: what changed dimensions mean for sales that are loaded already.
FLAGS = {"card_without_reader": 1, "outside_batch_window": 2, "unknown_truck": 4}
MOST_FLAGS = 15  # core.sale.flags is a smallint

_BITS = sa.text("SELECT code, bit FROM mart.reason WHERE bit IS NOT NULL ORDER BY bit")
_ALLOT = sa.text("""
    INSERT INTO ops.reason (code, sentence, bit) VALUES (:code, :sentence, :bit)
    ON CONFLICT (code) DO UPDATE SET bit = coalesce(reason.bit, excluded.bit)
""")
_SENTENCES = sa.text("SELECT code, sentence FROM mart.reason ORDER BY code")
_KEEP = """
    INSERT INTO ops.ruleset (hash, cells) VALUES ($1, CAST($2 AS jsonb))
    ON CONFLICT (hash) DO UPDATE SET last_used_at = clock_timestamp()
"""
_NAME = """
    INSERT INTO ops.reason (code, sentence, ruleset)
    SELECT code, sentence, $2 FROM jsonb_each_text(CAST($1 AS jsonb)) AS stated (code, sentence)
    ON CONFLICT (code) DO UPDATE SET sentence = excluded.sentence, ruleset = excluded.ruleset
    WHERE (reason.sentence, reason.ruleset) IS DISTINCT FROM (excluded.sentence, excluded.ruleset)
"""
_CLEANED = "UPDATE ops.source_file SET ruleset = $1 WHERE file_id = ANY($2)"


def bits(db: sa.Connection, book: Rulebook, *, keep: bool = False) -> dict[str, int]:
    """The number of each flag in core.sale.flags; new flags get the next free one, which stays theirs with `keep`.

    Raises ValueError when none is free."""
    known = flags(db)
    free = (1 << place for place in range(MOST_FLAGS) if 1 << place not in known.values())
    for code, rule in book.stated().items():
        if rule.rejects or code in known:
            continue
        bit = next(free, None)
        if bit is None:
            raise ValueError(
                f"Flag {code!r} is one too many: sales can have {MOST_FLAGS} flags, all of which are taken."
            )
        known[code] = bit
        if keep:
            db.execute(_ALLOT, {"code": code, "sentence": rule.sentence, "bit": bit})
    return known


def keep(cursor: Cursor, book: Rulebook, files: list[int]) -> None:
    """Within a load: these files were cleaned under these rules."""
    name(cursor, book)
    cursor.execute(_CLEANED, [book.hash, files])


def name(cursor: Cursor, book: Rulebook) -> None:
    """Within a change: keep the text of these rules, and the words of their reasons and flags."""
    cursor.execute(_KEEP, [book.hash, json.dumps(book.cells)])
    cursor.execute(_NAME, [json.dumps({code: rule.sentence for code, rule in book.stated().items()}), book.hash])


def flags(db: sa.Connection) -> dict[str, int]:
    """The number of each flag in core.sale.flags."""
    return {row.code: row.bit for row in db.execute(_BITS)}


def names(flags: dict[str, int], value: int) -> list[str]:
    """The flags in the number that a sale has."""
    return [code for code, bit in flags.items() if value & bit]


def sentences(db: sa.Connection) -> dict[str, str]:
    """The sentence of every reason and flag that rules ever gave."""
    return {row.code: row.sentence for row in db.execute(_SENTENCES)}
