"""Trust: files, rows, batches, restatements, and whether all agree."""

from t3lib.metrics.glossary.entry import Entry

_HOURLY = "mart.sales_hourly"

QUALITY = (
    Entry(
        "files",
        "Files",
        "Loaded files that hold a sale of the chosen days, or are batches of them.",
        "count of loaded files",
        "files",
        "mart.file",
    ),
    Entry(
        "files_not_loaded",
        "Files not loaded",
        "Files of the chosen days that could not be read, or are held because their content is known already.",
        "count of files that are unreadable, without the right header, or held",
        "files",
        "mart.file",
    ),
    Entry(
        "rows_read",
        "Rows read",
        "Rows of the chosen days in loaded files, whatever became of them.",
        "rows loaded + rows rejected",
        "rows",
        "mart.sales_hourly, mart.rejected_daily",
    ),
    Entry("rows_loaded", "Rows loaded", "Rows that became a sale.", "sum(transactions)", "rows", _HOURLY),
    Entry(
        "rows_rejected",
        "Rows rejected",
        "Rows that are not a sale; each is kept with its raw text and a reason.",
        "sum(rows)",
        "rows",
        "mart.rejected_daily",
    ),
    Entry(
        "rejected",
        "Rejected by reason",
        "The rejected rows by their reason code.",
        "sum(rows) by reason",
        "rows",
        "mart.rejected_daily",
    ),
    Entry(
        "rejected_pct",
        "Rejected share",
        "Share of the rows read that were rejected.",
        "rows rejected / rows read",
        "percent",
        "mart.sales_hourly, mart.rejected_daily",
    ),
    Entry(
        "loaded_at",
        "Loaded at",
        "When the figures last changed.",
        "loaded_at",
        "moment (UTC)",
        "mart.watermark",
    ),
    Entry(
        "last_sale_at",
        "Last sale",
        "When the latest sale was made, of the fleet or of one truck.",
        "max(last_sale_at)",
        "moment (UTC)",
        "mart.watermark, mart.file",
    ),
    Entry(
        "version",
        "Version",
        "Grows with every change of any figure; two pages with the same version agree.",
        "version",
        "count",
        "mart.watermark",
    ),
    Entry(
        "state",
        "Truck state",
        "Trading: sold in the last two complete hours of the fleet or since. Silent: it did not, though on "
        "the same weekdays before it usually sells then. Off: it neither sells nor usually does. Of money on its way "
        "to the bank: settled, on_its_way, short, not_explained or over (docs/settlements.md).",
        "gross sales of the last two hours, against the 4-week average of the same hours",
        "trading, silent or off",
        _HOURLY,
    ),
    Entry(
        "attention",
        "Needs attention",
        "At most three things: a truck silent at a time when it sells, a card reader without a card sale, "
        "sales or rejected rows out of the ordinary.",
        "outside median ± 3 × median absolute deviation of 8 same weekdays (at least ± 10%), "
        "or by other numbers of `[attention]` in editions.toml",
        "text",
        "mart.sales_hourly, mart.rejected_daily",
    ),
)
RESTATEMENTS = (
    Entry(
        "pence_change",
        "Restated sales",
        "How much the gross sales of an earlier day were changed by a corrected, late or withdrawn file, a changed "
        "rule or a repair.",
        "sum(pence after - pence before)",
        "pence",
        "mart.restatement",
    ),
    Entry(
        "contribution_change",
        "Restated contribution",
        "How much the contribution of an earlier day was changed by a menu or costs that were applied to the past.",
        "sum(contribution after - contribution before)",
        "pence",
        "mart.restatement",
    ),
    Entry(
        "rows_change",
        "Restated transactions",
        "How many sales of an earlier day were added or removed in the same way.",
        "sum(rows after - rows before)",
        "sales",
        "mart.restatement",
    ),
)
BATCHES = (
    Entry(
        "batch_state",
        "Batch",
        "Loaded; not loaded (unreadable, wrong header or held); missing: no file, though expected.",
        "state of the truck's files of a batch",
        "loaded, not loaded or missing",
        "mart.file",
    ),
    Entry(
        "expected",
        "Expected batch",
        "A truck's batch that arrived on at least two of the four same weekdays before; from an hour after its time.",
        "count over 28 days >= 2",
        "yes or no",
        "mart.file",
    ),
    Entry("batches_expected", "Batches expected", "Number of expected batches.", "count", "batches", "mart.file"),
    Entry(
        "batches_missing",
        "Batches missing",
        "Expected batches without a loaded file.",
        "count of expected batches not loaded",
        "batches",
        "mart.file",
    ),
    Entry(
        "complete_pct",
        "Completeness",
        "Share of the expected batches that are loaded.",
        "expected batches loaded / expected batches",
        "percent",
        "mart.file",
    ),
)
RECONCILIATION = (
    Entry(
        "clean_pct",
        "Share of clean data",
        "Share of the rows read that became a sale.",
        "rows loaded / rows read",
        "percent",
        "mart.sales_hourly, mart.rejected_daily",
    ),
    Entry(
        "ledger_files",
        "Files in the ledger",
        "Loaded files whose batch, or one of whose sales, is of the chosen days.",
        "count of loaded files",
        "files",
        "mart.file",
    ),
    Entry(
        "ledger_files_not_loaded",
        "Files outside the figures",
        "Files of the chosen days that are unreadable, without the right header, or held.",
        "count of these files",
        "files",
        "mart.file",
    ),
    Entry(
        "ledger_rows_read", "Rows in the ledger", "Rows of these loaded files.", "sum(rows_read)", "rows", "mart.file"
    ),
    Entry(
        "ledger_rows_loaded",
        "Rows loaded in the ledger",
        "Rows of these files that became a sale.",
        "sum(rows_loaded)",
        "rows",
        "mart.file",
    ),
    Entry(
        "ledger_rows_rejected",
        "Rows rejected in the ledger",
        "Rows of these files that are kept as rejects.",
        "sum(rows_rejected)",
        "rows",
        "mart.file",
    ),
    Entry(
        "ledger_pence",
        "Pence in the ledger",
        "Gross sales of these files according to the ledger.",
        "sum(pence_loaded)",
        "pence",
        "mart.file",
    ),
    Entry(
        "other_days_rows",
        "Sales of other days",
        "Sales in these files that belong to days outside the choice.",
        "count of sales",
        "sales",
        "mart.sale",
    ),
    Entry(
        "other_days_pence",
        "Pence of other days",
        "Gross sales of these sales.",
        "sum(total_pence)",
        "pence",
        "mart.sale",
    ),
    Entry(
        "rows_difference",
        "Rows unexplained",
        "Rows of the ledger that are neither a sale of the chosen days, a reject, nor a sale of another day; "
        "0 if all agree.",
        "rows read - rejected - sales of other days - transactions",
        "rows",
        "mart.file, mart.sales_hourly",
    ),
    Entry(
        "pence_difference",
        "Pence unexplained",
        "The ledger's pence minus the sales' pence; 0 if both agree.",
        "pence in the ledger - pence of other days - gross sales",
        "pence",
        "mart.file, mart.sales_hourly",
    ),
    Entry(
        "agrees",
        "Reconciled",
        "Whether ledger and sales agree to the row and the penny.",
        "rows unexplained = 0 and pence unexplained = 0",
        "yes or no",
        "mart.file, mart.sales_hourly",
    ),
)
