"""What changed between two revisions of a month's pack: files, sales, figures; and the restatements between them."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa

from t3lib.money import pounds
from t3lib.seal import tables
from t3lib.seal.contents import CONTENTS
from t3lib.seal.figures import name_of, said
from t3lib.warehouse.sales.restatements import CAUSE_WORDS

_RESTATED = sa.text("""
    SELECT made_at, cause, truck_id, business_date, pence_before, pence_after, contribution_before, contribution_after,
           keys, why, actor
    FROM mart.restatement
    WHERE business_date BETWEEN :first AND :last AND made_at > CAST(:since AS timestamptz)
    ORDER BY restatement_id
""")


def changed(before: Path, after: Path) -> list[str]:
    """Lines for people: source files, sales by truck and day, figures that differ."""
    return [*_files(before, after), *_sales(before, after), *_figures(before, after)]


def restated(db: sa.Connection, first: date, last: date, since: str) -> list[str]:
    """Lines for people: what moved the month's figures since a moment (ISO, UTC), with its cause and who decided it."""
    return [_restatement(row) for row in db.execute(_RESTATED, {"first": first, "last": last, "since": since})]


def _restatement(row: Any) -> str:
    pence = row.contribution_before is None
    was, now = (row.pence_before, row.pence_after) if pence else (row.contribution_before, row.contribution_after)
    said = f"restated {row.business_date}, truck {row.truck_id}: {'sales' if pence else 'contribution'} "
    said += f"{pounds(was)} became {pounds(now)}, {CAUSE_WORDS.get(row.cause, row.cause)}"
    more = [*(row.keys or [])[:3], row.why, f"by {row.actor}" if row.actor else ""]
    return said + "".join(f"; {one}" for one in more if one)


def _files(before: Path, after: Path) -> list[str]:
    old, new = (_read(folder, "data/source_files.csv").set_index("file_id") for folder in (before, after))
    lines = [f"source file new: {new.at[one, 'key']}" for one in new.index.difference(old.index)]
    lines += [f"source file gone: {old.at[one, 'key']}" for one in old.index.difference(new.index)]
    both = old.index.intersection(new.index)
    return lines + [f"source file changed: {new.at[one, 'key']}, {old.at[one, 'state']} became {new.at[one, 'state']}, "
                    f"{old.at[one, 'rows_loaded']} sales became {new.at[one, 'rows_loaded']}"
                    for one in both if list(old.loc[one]) != list(new.loc[one])]  # fmt: skip


def _sales(before: Path, after: Path) -> list[str]:
    """One line for each truck and day with other sales."""
    keys = ["business_date", "truck_id"]
    sums = [_read(folder, "data/sales.csv").groupby(keys, as_index=False)
            .agg(rows=("row_number", "size"), pence=("total_pence", "sum")) for folder in (before, after)]  # fmt: skip
    both = sums[0].merge(sums[1], "outer", keys, suffixes=("_before", "_after"))
    named = [f"{name}{of}" for name in ("rows", "pence") for of in ("_before", "_after")]
    both[named] = both[named].fillna(0).astype(int)
    differs = (both["rows_before"] != both["rows_after"]) | (both["pence_before"] != both["pence_after"])
    return [
        f"sales of {row.business_date}, truck {row.truck_id}: {row.rows_before:,} ({pounds(row.pence_before)}) "
        f"became {row.rows_after:,} ({pounds(row.pence_after)})"
        for row in both[differs].itertuples()
    ]


def _figures(before: Path, after: Path) -> list[str]:
    old, new = ({name_of(one): one["values"] for one in json.loads((folder / "figures.json").read_bytes())["figures"]}
                for folder in (before, after))  # fmt: skip
    return [
        f"figure {name}, {key}: {said(key, was.get(key))} became {said(key, now.get(key))}"
        for name, now in new.items()
        for was in [old.get(name, {})]
        for key in dict.fromkeys([*now, *was])
        if was.get(key) != now.get(key)
    ]


def _read(folder: Path, path: str) -> pd.DataFrame:
    return tables.read(folder / path, CONTENTS[path].columns).frame(*CONTENTS[path].numbers)
