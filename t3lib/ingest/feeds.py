"""The feeds as people read them: which files are ours, which of their columns are read, and who sent some."""

from collections import Counter
from pathlib import PurePosixPath

import pandas as pd
import pyarrow as pa

from t3lib import feed
from t3lib.charts.changes import Shown
from t3lib.feed import metadata
from t3lib.feed.metadata_lists import Columns
from t3lib.settlements import accounts

_SALES = Columns(feed.COLUMNS)
_LAYOUTS = Columns(("as a layout in settlements.toml says",))
# By the kind of a sales file, else by the name of a list: what it is, its keys, and the columns that it names.
FEEDS: dict[str, tuple[str, str, Columns]] = {
    "sales": ("sales of three hours", "trucks/YEAR-MONTH/DAY/HOUR/T3_T(truck)_(suffix).csv", _SALES),
    "history": ("sales of earlier weeks", "historical/TRUCK_DATA_HIST_(truck).parquet", _SALES),
    "details.xlsx": ("trucks (sheet trucks)", "metadata/details.xlsx", metadata.TRUCKS),
    "menu.csv": ("menus and prices", "metadata/menu.csv", metadata.MENU),
    "pitches.csv": ("places of the trucks", "metadata/pitches.csv", metadata.PITCHES),
    "costs.csv": ("costs", "metadata/costs.csv", metadata.COSTS),
    "terminals.csv": ("accounts with card providers", "metadata/terminals.csv", accounts.TERMINALS),
    "banking.csv": ("cash that is banked", "metadata/banking.csv", accounts.BANKING),
    "settlement": ("payouts and bank statements", "settlements/(account)/(any name).csv or .ofx", _LAYOUTS),
}


def table(files: pa.Table) -> Shown:
    """One line per feed: its keys, the columns that it must and may name, and of these files how many are of it and of
    which trucks; below them how many files have which outcome."""
    rows = files.select(["key", "kind", "truck_id", "state"]).to_pylist()
    for row in rows:
        row["feed"] = PurePosixPath(row["key"]).name if row["kind"] == "metadata" else row["kind"]
    lines = []
    for name, (what, keys, columns) in FEEDS.items():
        own = [row for row in rows if row["feed"] == name]
        trucks = sorted({row["truck_id"] for row in own if row["truck_id"] is not None})
        lines.append((what, keys, ", ".join(columns.needed), ", ".join(columns.optional), str(len(own)),
                      ", ".join(map(str, trucks))))  # fmt: skip
    known = pd.DataFrame(lines, columns=["feed", "key", "columns", "may also name", "files here", "of trucks"])
    states = sorted(Counter(row["state"].replace("_", " ") for row in rows).items())
    return Shown(
        (known, f"Files of this batch: {', '.join(f'{count:,} {state}' for state, count in states) or 'none'}.")
    )
