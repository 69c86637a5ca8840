"""What an ingest of the made-up feed must find, counted while the feed is made.

Nothing here reads a file back or uses the code that cleans: a row's reason is known because it was spoilt on
purpose, and its business date because it was sold then."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from t3lib.simulate.dirt import ACCEPTED, Rows
from t3lib.simulate.files import utc_minute


@dataclass
class Truth:
    """Counts of rows and integer pence; by_day holds [rows, pence] per truck and business date.

    files counts objects by outcome; of the loaded ones header_only_files bring no row, and replaced_versions had
    an earlier version that an ingest may or may not have seen."""

    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    pence_loaded: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)
    header_only_files: int = 0
    replaced_versions: int = 0
    first_minute: int | None = None
    last_minute: int | None = None
    by_day: dict[tuple[int, date], list[int]] = field(default_factory=dict)
    settlements: dict[str, Any] | None = None

    def add_rows(self, truck_id: int, day: date, rows: Rows, outside: int = 0) -> None:
        """Count the rows that one file brings for a truck and business date."""
        good = rows.reason == ACCEPTED
        count, pence = int(good.sum()), int(rows.pence[good].sum())
        self.rows_read += len(rows)
        self.rows_loaded += count
        self.rows_rejected += len(rows) - count
        self.pence_loaded += pence
        self.rejected.update(rows.rejected())
        self.flags.update(card_without_reader=int(rows.flagged.sum()), outside_batch_window=outside)
        if count:
            found = self.by_day.setdefault((truck_id, day), [0, 0])
            found[0], found[1] = found[0] + count, found[1] + pence
            self._span(utc_minute(day, int(rows.minute[good][0])), utc_minute(day, int(rows.minute[good][-1])))

    def as_dict(self) -> dict[str, Any]:
        """The truth as JSON values."""
        totals = {name: value for name, value in asdict(self).items() if name.startswith(("rows_", "pence_"))}
        money = {} if self.settlements is None else {"settlements": self.settlements}
        return (
            totals
            | money
            | {
                "rejected": dict(sorted(self.rejected.items())),
                "flags": dict(sorted(self.flags.items())),
                "files": dict(sorted((+self.files).items())),
                "header_only_files": self.header_only_files,
                "replaced_versions": self.replaced_versions,
                "first_sale_at": _moment(self.first_minute),
                "last_sale_at": _moment(self.last_minute),
                "by_truck_and_date": [
                    {"truck_id": truck_id, "business_date": day.isoformat(), "rows": rows, "pence": pence}
                    for (truck_id, day), (rows, pence) in sorted(self.by_day.items())
                ],
            }
        )

    def write(self, path: Path) -> None:
        """Write the truth file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_dict(), indent=1) + "\n", encoding="utf-8")

    def _span(self, first: int, last: int) -> None:
        self.first_minute = first if self.first_minute is None else min(first, self.first_minute)
        self.last_minute = last if self.last_minute is None else max(last, self.last_minute)


def _moment(minute: int | None) -> str | None:
    return None if minute is None else datetime.fromtimestamp(minute * 60, UTC).isoformat()
