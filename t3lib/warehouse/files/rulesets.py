"""The rules of cleaning in the database: their text, which files were cleaned under them, and the words of reasons."""

import json
from datetime import date

import sqlalchemy as sa

from t3lib.cleaning.rulebook import Rulebook
from t3lib.problems import RefusedError
from t3lib.warehouse.db.cursor import Cursor

# Flags that code here speaks of: what changed dimensions mean for sales that are loaded already.
FLAGS = {"card_without_reader": 1, "outside_batch_window": 2, "unknown_truck": 4}
BEFORE = "before 0.3"  # the hash of the rules before they stood in the notebook, of which only the words are known
MOST_FLAGS = 15  # core.sale.flags is a smallint

_BITS = sa.text("SELECT code, bit FROM mart.reason WHERE bit IS NOT NULL ORDER BY bit")
_SENTENCES = sa.text("SELECT code, sentence FROM mart.reason ORDER BY code")
_WORDS_OF_DAYS = sa.text("""
    SELECT stated -> 'rules' AS rules FROM mart.ruleset
    WHERE hash IN (SELECT coalesce(ruleset, :before) FROM mart.file
                   WHERE state = 'loaded' AND kind = 'sales' AND batch_date BETWEEN :first AND :last)
    ORDER BY first_used_at
""")
# Nothing is locked that is there already, so that loads at the same moment do not wait for each other.
_KEEP = sa.text("""
    INSERT INTO ops.ruleset (hash, cells, stated) SELECT :hash, CAST(:cells AS jsonb), CAST(:stated AS jsonb)
    WHERE NOT EXISTS (SELECT FROM ops.ruleset WHERE hash = :hash)
    ON CONFLICT (hash) DO NOTHING
""")
# Whether every reason has the words of these rules.
_REGISTERED = sa.text("""
    SELECT NOT EXISTS (
        SELECT FROM jsonb_object_keys(stated -> 'rules') AS code LEFT JOIN ops.reason USING (code)
        WHERE reason.ruleset IS DISTINCT FROM :hash
    ) FROM ops.ruleset WHERE hash = :hash
""")
_NAMED = sa.text("SELECT code, sentence, bit, ruleset FROM ops.reason")
_NAME = sa.text("""
    INSERT INTO ops.reason (code, sentence, bit, ruleset) VALUES (:code, :sentence, CAST(:bit AS smallint), :hash)
    ON CONFLICT (code) DO UPDATE
    SET sentence = excluded.sentence, bit = coalesce(reason.bit, excluded.bit), ruleset = excluded.ruleset
""")
# Rows that a person decided on are not cleaned again: they keep the words under which they were rejected.
_KEEP_WORDS = f"""
    UPDATE ops.rejected_row AS row
    SET ruleset = CASE WHEN row.status = 'open' THEN NULL ELSE coalesce(file.ruleset, '{BEFORE}') END
    FROM ops.source_file AS file
    WHERE file.file_id = ANY($2) AND row.file_id = file.file_id AND file.ruleset IS DISTINCT FROM $1
      AND (row.status = 'open') = (row.ruleset IS NOT NULL)
"""
_CLEANED = "UPDATE ops.source_file SET ruleset = $1 WHERE file_id = ANY($2)"


def bits(db: sa.Connection, *books: Rulebook) -> dict[str, int]:
    """The number of each flag in core.sale.flags; a flag that is new has the next free one. Raises RefusedError."""
    known = flags(db)
    free = (1 << place for place in range(MOST_FLAGS) if 1 << place not in known.values())
    for code, rule in (stated for book in books for stated in book.stated().items()):
        if not rule.rejects and code not in known:
            bit = next(free, None)
            if bit is None:
                raise RefusedError(f"Flag {code!r} is one too many: sales have {MOST_FLAGS} flags, and all are taken.")
            known[code] = bit
    return known


def register(db: sa.Connection, book: Rulebook) -> dict[str, int]:
    """Keep the text of rules, the words of their reasons and the numbers of their flags; returns the numbers."""
    if db.scalar(_REGISTERED, {"hash": book.hash}):
        return flags(db)
    known = bits(db, book)
    stated = json.dumps(book.described())
    db.execute(_KEEP, {"hash": book.hash, "cells": json.dumps(book.cells), "stated": stated})
    named = {row.code: (row.sentence, row.bit, row.ruleset) for row in db.execute(_NAMED)}
    for code, rule in sorted(book.stated().items()):
        bit = None if rule.rejects else known[code]
        if named.get(code) != (rule.sentence, bit, book.hash):
            db.execute(_NAME, {"code": code, "sentence": rule.sentence, "bit": bit, "hash": book.hash})
    return known


def note(cursor: Cursor, book: Rulebook, files: list[int]) -> None:
    """Within a load: these files were cleaned under these registered rules."""
    cursor.execute(_KEEP_WORDS, [book.hash, files])
    cursor.execute(_CLEANED, [book.hash, files])


def flags(db: sa.Connection) -> dict[str, int]:
    """The number of each flag in core.sale.flags."""
    return {row.code: row.bit for row in db.execute(_BITS)}


def names(flags: dict[str, int], value: int) -> list[str]:
    """The flags in the number that a sale has."""
    return [code for code, bit in flags.items() if value & bit]


def sentences(db: sa.Connection, first: date | None = None, last: date | None = None) -> dict[str, str]:
    """The sentence of every reason and flag that rules ever gave: the latest, or as it was when the files of these days
    were cleaned (where that differs between them, the latest of those)."""
    found = {row.code: row.sentence for row in db.execute(_SENTENCES)}
    if first and last:
        for rules in db.scalars(_WORDS_OF_DAYS, {"first": first, "last": last, "before": BEFORE}):
            found |= {code: rule["sentence"] for code, rule in rules.items()}
    return found
