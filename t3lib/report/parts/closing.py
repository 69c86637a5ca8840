"""The last sections of a report: the data note, and the envelope with subject, headline figures and CSV."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from t3lib import business_day
from t3lib.record import RECORD
from t3lib.report import links, words
from t3lib.report.block import Block, folded
from t3lib.report.compared_with import comparison_names
from t3lib.report.day import Day
from t3lib.report.output import csv
from t3lib.report.verdict import Verdict
from t3lib.settings import settings
from t3lib.warehouse.sales.restatements import CAUSE_WORDS

MOST_RESTATED = 4
_RESTATED = {"sales": "pence", "contribution": "contribution"}
REPORT = "application/vnd.t3.report+json"


def data_note(day: Day) -> Block:
    """Business day, zone, files, rows, rejects, time of the last load, and a link into the dashboard."""
    href, link = links.dashboard(day.period), f"Open {_named(day)} in the dashboard"
    lines = [_sources(day), *_restated(day), _usual(day), _business_day(day)]
    text = "\n".join(["-" * 24, *([f"{link}:\n{href}", ""] if href else []), *map(folded, lines)])
    return Block("data_note", text, {"href": href, "link": link, "lines": lines})


@dataclass(frozen=True)
class Envelope:
    """What a mail needs beside its body, stored in the executed notebook; and the number of rows for its run."""

    content: dict[str, Any]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        rows = self.content["headline"]["transactions"]
        return {REPORT: self.content, RECORD: {"rows": rows}, "text/plain": self.content["subject"]}


def envelope(day: Day, verdict: Verdict) -> Envelope:
    """Subject, preview text, headline figures and CSV of a mail."""
    csv_rows, shown = csv.rows(day), day.contribution_shown
    day.figures.close()
    return Envelope(
        {
            "business_date": day.business_date.isoformat(),
            "edition": day.edition.name,
            "subject": verdict.subject_text,
            "preheader": verdict.sentences_text,
            "headline": {
                "gross_sales_pence": day.sales.gross_sales_pence,
                "transactions": day.sales.transactions,
            }
            | ({} if shown is None else {"contribution_pence": shown}),
            "csv": {f"t3-{day.business_date}-{day.edition.name}.csv": csv_rows},
        }
    )


def _sources(day: Day) -> str:
    q = day.quality
    files = f"{q.files:,} {'file' if q.files == 1 else 'files'}"
    rejected = f"{q.rows_rejected:,} not loaded" + (f" ({words.share(q.rejected_pct)})" if q.rows_rejected else "")
    line = f"From {files}: {q.rows_read:,} rows read, {q.rows_loaded:,} loaded, {rejected}."
    if day.freshness.loaded_at is None:
        return line
    loaded = day.freshness.loaded_at.astimezone(settings().zone)
    return f"{line} Last load {loaded:%H:%M} on {words.day(loaded.date())}."


def _restated(day: Day) -> list[str]:
    """Earlier days that were restated since the previous report: their sales, or what their costs left of them."""
    days = day.restated
    found = {
        "sales": days[(days["rows_change"] != 0) | (days["pence_change"] != 0)],
        "contribution": days[days["contribution_change"] != 0],
    }
    if "contribution" not in day.edition.sections:
        del found["contribution"]
    return [_restated_days(name, days) for name, days in found.items() if len(days)]


def _restated_days(name: str, found: pd.DataFrame) -> str:
    days = [
        f"{row.business_date:%a} {row.business_date.day} {row.business_date:%b} "
        f"{words.signed(getattr(row, f'{_RESTATED[name]}_change'), 'sales_pence')} "
        f"({', '.join(CAUSE_WORDS[c] for c in row.causes)})"
        for row in found.head(MOST_RESTATED).itertuples()
    ]
    more = f" and {len(found) - MOST_RESTATED:,} more" if len(found) > MOST_RESTATED else ""
    return f"Earlier days whose {name} changed since the last report: {'; '.join(days)}{more}."


def _usual(day: Day) -> str:
    names = comparison_names(day)
    if day.usual is None:
        return names.no_earlier
    if day.period.kind == "month":
        why = ": the data do not reach back a year" if names.only_before else ""
        return f"The month is compared with {names.usual}{why}."
    one = f"{day.period.last:%A}" if day.period.kind == "day" else "week"
    if day.usual.weeks == 1:
        return f"“Usual” is the one {one} before: the data do not reach further back."
    return f"“Usual” is the mean of the {_count(day.usual.weeks)} {one}s before."


def _business_day(day: Day) -> str:
    start, zone = f"{settings().business_day_start:%H:%M}", f"{settings().timezone} time"
    sales = "Sales are what customers paid, VAT included."
    if day.period.kind != "day":
        days = f"{day.period.dates[:1].upper()}{day.period.dates[1:]}"
        return f"{days}: whole business days, each from {start} to {start} the next day, {zone}. {sales}"
    began, ended = business_day.bounds(day.business_date)
    hours = (ended - began).total_seconds() / 3600
    clocks = "" if hours == 24 else f" ({hours:.0f} hours, as the clocks went {'back' if hours > 24 else 'forward'})"
    return f"The business day {day.period.dates} runs from {start} to {start} the next day{clocks}, {zone}. {sales}"


def _named(day: Day) -> str:
    """Friday; the week 16–22 November 2026; November 2026."""
    return {"day": f"{day.period.last:%A}", "week": f"the week {day.period.dates}", "month": day.period.dates}[
        day.period.kind
    ]


def _count(number: int) -> str:
    return {2: "two", 3: "three", 4: "four"}.get(number, str(number))
