"""A request as one sentence, from its checked parameters."""

from pathlib import PurePosixPath
from typing import Any

from t3lib.money import parse_pence, pounds

MODES = {
    "missing": "what was never loaded",
    "failed": "what failed",
    "all": "everything, reprocessed if already loaded",
}
LISTS = {"menu": "today's menu", "costs": "today's costs", "pitches": "today's pitches"}
Given = dict[str, Any]


def row(given: Given) -> str:
    """row 2 of file 12"""
    return f"row {given['row']:,} of file {given['file']:,}"


def repair(given: Given) -> str:
    """Make row 2 of file 12 a sale of £4.99."""
    pence = parse_pence(given.get("total"))[0]
    total = f" of {pounds(pence)}" if pence else " of the suggested total" if "accept" in given else ""
    more = "".join(f", {given[name]}" for name in ("at", "payment") if name in given)
    return f"Make {row(given)} a sale{total}{more}" + (", regardless of the limits" if "force" in given else "")


def days_of(given: Given) -> str:
    """of 2026-11-05;  from 2026-11-05 to 2026-11-07; empty without days."""
    first, last = given.get("first"), given.get("last")
    if first == last:
        return f" of {first}" if first else ""
    return "".join(f" {word} {day}" for word, day in (("from", first), ("to", last)) if day)


def replay(given: Given) -> str:
    """Validate the open rejects (zero) of truck 3 under the present rules."""
    reason = given.get("reason", "").replace("_", " ")
    truck = f" of truck {given['truck']}" if "truck" in given else ""
    return f"Validate the open rejects{f' ({reason})' if reason else ''}{truck}{days_of(given)} under the present rules"


def rerun(given: Given) -> str:
    """Run batch-7-ab again, or: Make the cfo report of 2026-11-05."""
    return (
        f"Run {given['batch']} again" if "batch" in given else f"Make the {given['edition']} report of {given['day']}"
    )


def backfill(given: Given) -> str:
    """Catch up of 2026-11-05: what failed."""
    reports = ", with the reports that are missing" if "reports" in given else ""
    return f"Catch up{days_of(given)}: {MODES[given['mode']]}{reports}"


def file_name(given: Given) -> str:
    """The last part of a key."""
    return PurePosixPath(given["key"]).name
