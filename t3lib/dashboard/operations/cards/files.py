"""The files: a grid of trucks and days, and the files of this choice, which can be held or released."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from html import escape

import sqlalchemy as sa

from t3lib import metrics
from t3lib.dashboard import formatting
from t3lib.dashboard.html.cards import Cell, message_card, scrolling_table, title
from t3lib.dashboard.operations import cells, lists
from t3lib.dashboard.operations.choices import Choices
from t3lib.warehouse.files.file_outcomes import HELD, REFUSED

_ARRIVED = sa.text("""
    WITH late AS (
        SELECT DISTINCT unnest(keys) AS key FROM ops.restatement
        WHERE cause = 'late_file' AND business_date BETWEEN CAST(:first AS date) - 1 AND CAST(:last AS date) + 1
    )
    SELECT truck_id, batch_date, count(*) FILTER (WHERE state = 'loaded') AS loaded,
           count(*) FILTER (WHERE state = 'loaded' AND late.key IS NOT NULL) AS late,
           count(*) FILTER (WHERE state = ANY(:held)) AS held,
           count(*) FILTER (WHERE state = ANY(:refused)) AS unreadable,
           count(*) FILTER (WHERE state IN ('new', 'claimed')) AS waiting,
           coalesce(sum(rows_rejected) FILTER (WHERE state = 'loaded'), 0)::bigint AS rejected
    FROM ops.source_file
    LEFT JOIN late USING (key)
    WHERE kind = 'sales' AND batch_date BETWEEN :first AND :last AND state NOT IN ('superseded', 'ignored')
      AND (CAST(:truck AS integer) IS NULL OR truck_id = :truck)
    GROUP BY truck_id, batch_date
""")
_FILES = sa.text("""
    SELECT count(*) OVER () AS of_all,
           file_id, key, kind, state, truck_id, batch_date, batch_hour, rows_loaded, rows_rejected, discovered_at,
           concat_ws(' ', reason, CASE WHEN deleted_at IS NOT NULL THEN 'No longer in the bucket.' END,
                     'Not read: ' || nullif(array_to_string(columns_not_read, ', '), '') || '.') AS reason
    FROM ops.source_file
    WHERE kind <> 'metadata' AND state NOT IN ('superseded', 'ignored')
      AND (batch_date BETWEEN :first AND :last
           OR batch_date IS NULL AND discovered_at >= :since AND discovered_at < :until)
      AND (:every OR state = ANY(:states)) AND (CAST(:truck AS integer) IS NULL OR truck_id = :truck)
    ORDER BY state IN ('loaded', 'new', 'claimed'), batch_date DESC NULLS LAST, batch_hour DESC, file_id DESC
    LIMIT :most OFFSET :skip
""")
_HEAD = ("State", "File", "Truck", "Batch", "Sales", "Rejected", "Discovered", "Why", "")
MOST_DAYS = 28
# What a cell lists beside the loaded files, the most serious first: (name, CSS class of the cell).
_MARKS = (("unreadable", "not-loaded"), ("held", "not-loaded"), ("missing", "missing"), ("late", "late"),
          ("waiting", "waiting"))  # fmt: skip


def grid(db: sa.Connection, choices: Choices) -> str:
    """A grid of trucks by days: files loaded, late, missing, held, unreadable and waiting, and rows rejected."""
    scope, bound = choices.scope, choices.bound
    first = bound["first"] = max(scope.first, scope.last - timedelta(days=MOST_DAYS - 1))
    days: dict[tuple[int, date], dict[str, int]] = defaultdict(dict)
    for row in db.execute(_ARRIVED, bound | {"held": list(HELD), "refused": list(REFUSED)}).mappings():
        days[row["truck_id"], row["batch_date"]] |= dict(row)
    expected = metrics.batches(db, metrics.Scope(first, scope.last, scope.trucks))
    for one in expected[expected["batch_state"] == "missing"].itertuples():
        cell = days[one.truck_id, one.batch_date]
        cell["missing"] = cell.get("missing", 0) + 1
    name = "Files by truck and day"
    if not days:
        return message_card(name, "No file arrived and none was expected in this choice.")
    columns = [first + timedelta(days=n) for n in range((scope.last - first).days + 1)]
    return title(escape(name), "<span>files loaded, and what is missing, late, held or rejected</span>") + _table(
        name, metrics.trucks(db), sorted({truck for truck, _ in days}), columns, days, choices
    )


def card(db: sa.Connection, choices: Choices) -> str:
    """The files of this choice: first those that need a person, then the newest."""
    found, shown = lists.read(db, _FILES, choices, "files")
    rows = [
        (row.state, cells.file_name(row.key), row.truck_id, _batch(row), row.rows_loaded, row.rows_rejected,
         row.discovered_at, cells.shorter(row.reason, 110), _request_link(choices, row))
        for row in found
    ]  # fmt: skip
    every = cells.filtered(choices, "every day and truck", day=None, truck=None).text
    aside = f"{formatting.short_day(choices.day)} · {every}" if choices.day else "those that need a person first"
    return cells.card("Files", _HEAD, rows, numbers=(2, 4, 5), nothing="No file in this choice.", aside=aside,
                      foot=lists.foot(choices, shown))  # fmt: skip


def _request_link(choices: Choices, row: sa.Row) -> Cell | str:
    if row.state == "loaded":
        return cells.request_links(choices, ("hold", "Hold", {"key": row.key}))
    return cells.request_links(choices, ("release", "Release", {"key": row.key})) if row.state in HELD else ""


def _batch(row: sa.Row) -> str:
    if row.kind == "settlement":
        return "provider or bank"
    return (
        "history" if row.batch_date is None else f"{formatting.short_day(row.batch_date)} {row.batch_hour or 0:02d}:00"
    )


def _table(name: str, names: dict[int, str], trucks: Iterable[int], columns: list[date],
           days: dict[tuple[int, date], dict[str, int]], choices: Choices) -> str:  # fmt: skip
    top = "".join(f'<th scope="col">{formatting.short_day(day)}</th>' for day in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(names.get(truck, f"Truck {truck}"))}</th>'
        + "".join(_cell(choices, truck, day, days.get((truck, day), {})) for day in columns)
        + "</tr>"
        for truck in trucks
    )
    head, style = f'<tr><th scope="col">Truck</th>{top}</tr>', f"min-width:{180 + 88 * len(columns)}px"
    return scrolling_table(name, head, body, "t3-heat t3-week", style)


def _cell(choices: Choices, truck: int, day: date, found: dict[str, int]) -> str:
    if not found:
        return '<td class="t3-file none"></td>'
    marks = [(mark, look) for mark, look in _MARKS if found.get(mark)]
    others = [f"{found[mark]:,} {mark}" for mark, _ in marks]
    if found.get("rejected"):
        others.append(f"{found['rejected']:,} rejected")
    count = found.get("loaded", 0)
    hint = f"Truck {truck}, {formatting.short_day(day)}: {', '.join([f'{count:,} loaded', *others])}"
    inside = cells.filtered(choices, f"{count:,}", hint, truck=truck, day=day).text
    small = f"<small>{escape(', '.join(others))}</small>" if others else ""
    return f'<td class="t3-file {marks[0][1] if marks else "loaded"}">{inside}{small}</td>'
