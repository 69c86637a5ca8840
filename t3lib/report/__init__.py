"""The reports: what `4_report.ipynb` says its sections with.

`read` gives the report of a day, week or month; a section takes frames of `t3lib.metrics` from it and makes of them a
sentence, a table, bars or tiles. `t3lib.report.output.delivery` makes and queues the mail of the executed notebook."""

from t3lib.report.day import Day, read
from t3lib.report.parts.attention import attention
from t3lib.report.parts.bars import bars, beside_year_before
from t3lib.report.parts.closing import data_note, envelope
from t3lib.report.parts.comparisons import change, changed_most, changed_prices, changes, difference, effect
from t3lib.report.parts.partial import partial
from t3lib.report.parts.sentences import amount, in_total, joined, listed, paragraph, sentence, several
from t3lib.report.parts.statements import beside, cash_statement, cost_name, figures, rows_of
from t3lib.report.parts.tables import headings, muted, table
from t3lib.report.parts.tiles import most_tile, tiles, total_tile
from t3lib.report.parts.units import written
from t3lib.report.verdict import verdict

__all__ = [
    "Day",
    "amount",
    "attention",
    "bars",
    "beside",
    "beside_year_before",
    "cash_statement",
    "change",
    "changed_most",
    "changed_prices",
    "changes",
    "cost_name",
    "data_note",
    "difference",
    "effect",
    "envelope",
    "figures",
    "headings",
    "in_total",
    "joined",
    "listed",
    "most_tile",
    "muted",
    "paragraph",
    "partial",
    "read",
    "rows_of",
    "sentence",
    "several",
    "table",
    "tiles",
    "total_tile",
    "verdict",
    "written",
]
