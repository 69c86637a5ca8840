"""Every table and column says what it is, in the database itself: docs/tables.md and `tables` show these comments."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

# What a column of this name means in every table that says nothing else below.
_EVERYWHERE = {
    "truck_id": "the truck's number",
    "location_id": "the place's number in core.location; 0: not recorded",
    "business_date": "local day that starts at 04:00, so a sale after midnight belongs to the evening before",
    "local_hour": "hour of the clock in local time, 0 to 23",
    "payment_type": "card or cash",
    "transactions": "number of sales",
    "total_pence": "pence",
    "price_pence": "pence for one",
    "sold_at": "when it was sold, UTC",
    "file_id": "number of the file's version in ops.source_file",
    "row_number": "line below the first of a CSV file, or row of a Parquet file, from 1",
    "batch_id": "id of the batch in ops.batch",
    "run_id": "id of the run in ops.run",
    "key": "the file's name in the bucket, with its folders",
    "keys": "keys of the files that caused it",
    "etag": "version tag that the bucket gave this version",
    "reason": "code of the reason; docs/reasons.md has the sentences",
    "rows": "number of rows",
    "rows_before": "sales before",
    "rows_after": "sales after",
    "pence_before": "gross sales before, pence",
    "pence_after": "gross sales after, pence",
    "raw_timestamp": "the time as it was written",
    "raw_type": "the payment as it was written",
    "raw_total": "the total as it was written",
    "raw_line": "the whole line, where it has more or fewer cells than the header; the raw texts are null then",
    "suggested_pence": "total that a rule suggests, pence; null: none",
    "actor": "who decided it; empty: T3 itself",
    "why": "the reason that a person gave; empty: none",
    "made_at": "when, UTC",
    "started_at": "when it started, UTC",
    "finished_at": "when it ended, UTC; null: not yet",
    "first_sale_at": "its earliest sale, UTC; null: no sale",
    "last_sale_at": "its latest sale, UTC; null: no sale",
    "attempts": "how often it was tried",
    "error": "what went wrong, in words; null: nothing",
    "git_commit": "commit of the notebook that was run",
    "executed_copy": "path of the executed notebook below the outputs folder",
    "notebook": "name of the notebook, such as 2_clean",
    "seconds": "how long it took",
    "cause": "code of the cause; docs/reasons.md has the sentences",
    "code": "short name, such as decimal_shift",
    "sentence": "what it means, in words",
    "bit": "number of a flag in core.sale.flags; null: rejects rows",
    "rejects_digest": "of a file without a sale: what its rows say, as a hash",
    "restatement_id": "number of the restatement",
    "hash": "what tells one text of the rules from another: twelve hex digits",
    "cells": "the cells that state the rules, in order",
    "first_used_at": "when they first loaded a file, UTC",
}
_FILE = {
    "kind": "sales, history, metadata or other",
    "truck_id": "the truck's number, from the key; null: not a truck's file",
    "batch_date": "date in the key; null: none",
    "batch_hour": "hour in the key, local time: the batch covers the three hours before; null: none",
    "state": "what became of it, such as loaded or held_duplicate; docs/reasons.md has the sentences",
    "reason": "why, in words; null: nothing to say",
    "warnings": "what is odd about it, in words",
    "batch_id": "batch that took it in last; null: none yet",
    "rows_read": "rows read = rows loaded + rows rejected",
    "rows_loaded": "rows that are sales",
    "rows_rejected": "rows that are not loaded; ops.rejected_row has them",
    "pence_loaded": "sum of its sales, pence",
    "discovered_at": "when a listing of the bucket first saw this version, UTC",
    "finished_at": "when it was taken in, UTC; null: not yet",
    "deleted_at": "when a listing first missed it, UTC; null: it is in the bucket. Its rows stay loaded",
    "columns_not_read": "names of its columns that are not read, in order",
    "ruleset": "hash of the rules under which its rows were cleaned last; null: rules before version 0.3",
}
_REJECTED = {
    "business_date": "business day of the row, or else of its file; null where neither can be read",
    "sold_at": "the row's time, UTC; null: cannot be read",
    "status": "open, repaired, replayed, dismissed or superseded; docs/reasons.md has the sentences",
}
# What one row of each table is, and its columns that mean something of their own.
_TABLES: dict[str, tuple[str, dict[str, str]]] = {
    "core.cost": (
        "One row per operating cost, from a day on (metadata/costs.csv).",
        {
            "cost_id": "number of the row",
            "truck_id": "the truck's number; null: the whole fleet",
            "cost": "name of the cost, such as wages",
            "amount": "pence, or percent where per is percent",
            "per": "day, month, sale or percent",
            "from_date": "first business day on which it holds",
        },
    ),
    "core.location": ("One row per place (details.xlsx).", {"name": "name of the place"}),
    "core.menu_item": (
        "One row per truck x dish (metadata/menu.csv).",
        {
            "menu_item": "name of the dish",
            "menu_type": "kind of dish, such as Mexican",
            "unit_cost_pence": "cost of what is in one, pence; null: not known",
        },
    ),
    "core.pitch": (
        "One row per time that a truck stood at a place (metadata/pitches.csv).",
        {"from_at": "from this moment on, UTC", "to_at": "up to this moment, UTC, which no longer belongs to it"},
    ),
    "core.sale": (
        "One row per sale, which is known by its file and row number. Partitioned by month.",
        {"flags": "sum of the numbers in mart.reason of what is odd about it; 0: nothing"},
    ),
    "core.truck": (
        "One row per truck (details.xlsx, and trucks that only files name).",
        {
            "name": "name of the truck",
            "description": "what it sells, in words",
            "has_card_reader": "whether it takes cards; null: details.xlsx does not say",
            "fsa_rating": "food hygiene rating, 0 to 5; null: none",
            "in_details": "whether details.xlsx has it",
        },
    ),
    "mart.file": ("One row per version of a file: what became of it.", _FILE),
    "mart.file_run": (
        "One row per file x executed notebook that handled it.",
        {"state": "running, succeeded, failed or lost"},
    ),
    "mart.mail": ("One row per revision of a report that was sent, with one reader's copy. Not for analysts.", {}),
    "mart.price_daily": ("One row per truck x business day x price: how often it was sold.", {}),
    "mart.price_hourly": ("One row per truck x place x business day x local hour x payment x price.", {}),
    "mart.reason": ("One row per reason or flag that rules ever gave.", {}),
    "mart.rejected": ("One row per row that was rejected, whatever became of it later.", _REJECTED),
    "mart.rejected_daily": (
        "One row per truck x business day x reason: rows that are not loaded.",
        {"business_date": _REJECTED["business_date"]},
    ),
    "mart.restatement": (
        "One row per change of figures that were there before, by cause, truck and business day.",
        {},
    ),
    "mart.ruleset": ("One row per text of the rules that ever loaded a file.", {}),
    "mart.sale": (
        "One row per sale, as in core.sale.",
        {"flags": "sum of the numbers in mart.reason of what is odd about it; 0: nothing"},
    ),
    "mart.sales_hourly": (
        "One row per truck x place x business day x local hour x payment. Figures are made from it.",
        {"total_pence": "gross sales, pence"},
    ),
    "mart.watermark": (
        "One row: the version of the loaded figures. Pages poll it.",
        {
            "one": "always true: there is one row",
            "version": "grows with every change of the figures",
            "loaded_at": "when figures changed last, UTC",
            "last_sale_at": "the latest sale of all, UTC",
        },
    ),
    "ops.again_file": (
        "One row per loaded file that is reprocessed, by batch.",
        {"outcome": "what became of it (docs/reasons.md); null: not finished", "reason": "why, in words"},
    ),
    "ops.archive_mark": (
        "One row per change of a truck's business day that the archive does not have yet.",
        {"mark_id": "number of the row", "marked_at": "when it changed, UTC"},
    ),
    "ops.audit": (
        "One row per decision of a person about files or days. Never changed.",
        {
            "audit_id": "number of the row",
            "action": "what was decided, such as release",
            "subject": "about what: a key, or days",
        },
    ),
    "ops.batch": (
        "One row per batch: the files that one run of the pipeline takes in.",
        {
            "attempt": "grows when a failed batch is tried again",
            "state": "open, done or failed",
            "files": "number of files",
            "bytes": "size of its files together",
            "created_at": "when it was made, UTC",
            "cause": "new files, files again, or metadata that changed",
        },
    ),
    "ops.dimension_lock": ("No rows: loads and changes of the dimensions lock it.", {}),
    "ops.lease": (
        "One row per lease that a living process holds, such as a worker's or the leader's.",
        {"name": "name of the lease", "pid": "server process of the session that holds it"},
    ),
    "ops.lock": ("One row per lock that T3 takes.", {"name": "name of the lock"}),
    "ops.mail_outbox": (
        "One row per mail: report x business day x edition x recipient x revision. Analysts do not see its text.",
        {
            "mail_id": "number of the mail",
            "report": "daily, weekly, monthly, or an incident's name",
            "business_date": "last business day that the mail is about",
            "edition": "which report; notebooks/editions.toml has them",
            "recipient": "address of the reader",
            "revision": "1 for the first mail of this report, 2 for its first correction",
            "message_id": "the mail's Message-ID",
            "subject": "the mail's subject",
            "message": "the mail as it is sent",
            "state": "waiting, prepared, sending, retry, sent, failed, unknown or cancelled",
            "next_try_at": "when it is tried next, UTC",
            "reply": "what the mail server said last",
            "run_id": "run that made it; null: no notebook",
            "prepared_at": "when it was made, UTC",
            "gross_sales_pence": "gross sales that the mail states, pence",
            "transactions": "number of sales that the mail states",
        },
    ),
    "ops.reason": (
        "One row per reason or flag that rules ever gave, with the rules that stated it last.",
        {"ruleset": "the last rules that stated it; null: rules before version 0.3"},
    ),
    "ops.registered_file": (
        "One row per file that is being loaded at this moment: the hours that it covers.",
        {},
    ),
    "ops.rejected_delta": (
        "Changes of mart.rejected_daily in transactions that still run. Always empty for others.",
        {
            "xid": "the transaction",
            "business_date": _REJECTED["business_date"],
            "is_first": "whether it is its statement's first row",
        },
    ),
    "ops.rejected_row": (
        "One row per row that was rejected, with its raw text.",
        _REJECTED | {"business_date": "business day of the row; null: its time cannot be read"},
    ),
    "ops.repair": (
        "One row per decision on a rejected row. Never changed. What is null before was no sale.",
        {
            "repair_id": "number of the decision",
            "action": "repair, dismiss, replay, carry, accept or undo",
            "undoes": "number of the decision that it undoes; null: none",
            "forced": "whether it overrules the rules",
            "status_before": "the row's status before",
            "status_after": "the row's status after",
            "sold_at": "when the row was sold, UTC, as decided; null: no sale",
            "payment_type": "card or cash, as decided; null: no sale",
            "total_pence": "pence, as decided; null: no sale",
        },
    ),
    "ops.request": (
        "One row per action that an operator asked for on their page.",
        {
            "request_id": "number of the request",
            "kind": "what was asked for",
            "parameters": "what it is about",
            "asked_by": "who asked",
            "asked_at": "when it was asked, UTC",
            "state": "waiting, done or failed",
            "outcome": "what a worker did, in words; null: not done yet",
        },
    ),
    "ops.restatement": (
        "One row per change of figures that were there before, by cause, truck and business day.",
        {"batch_id": "batch that changed them; null: a decision of a person"},
    ),
    "ops.ruleset": ("One row per text of the rules that ever loaded a file.", {}),
    "ops.run": (
        "One row per execution of a notebook.",
        {
            "workflow_id": "id of the workflow in the queue",
            "parameters": "values that the notebook was run with",
            "state": "running, succeeded, failed or lost",
            "worker": "name of the worker that ran it",
            "rows": "rows that the notebook recorded; null: none",
            "failed_cell": "number of the cell that failed, as Jupyter shows it; null: none",
        },
    ),
    "ops.schema_version": (
        "One row: the migration that the database is at.",
        {"version_num": "number of the migration"},
    ),
    "ops.setting": (
        "One row per setting under which every stored row was made; `t3 doctor` compares.",
        {"name": "name of the setting", "value": "its value"},
    ),
    "ops.source_file": (
        "One row per version of a file in the bucket: the ledger.",
        _FILE
        | {
            "size": "bytes",
            "last_modified": "when the bucket got this version, UTC",
            "suffix": "letter and digit at the end of a truck's file name; its meaning is not known",
            "content_sha256": "hash of what was sold; null: not read yet",
            "released": "whether a person released it although the same was loaded from another file",
            "superseded_by": "number of the version that replaced it; null: none",
            "claimed_at": "when a batch took it, UTC",
            "version": "1 for the first version of its key; null: an upload of what is loaded already",
            "logical_key": "the key without zeros before numbers: spellings of one file",
            "is_twin": "whether it is loaded beside a newer version of its logical key, from before version 0.2",
            "may_repeat": "whether a person said that it may stand beside a file with the same sales",
            "all_sales": "whether a person said that no column marks rows that are no sales",
        },
    ),
    "ops.visitor_key": ("One row: the key that signs visitors of the operations page. For the owner only.", {}),
}


def upgrade() -> None:
    db = op.get_bind()
    columns = sa.text("""
        SELECT attname FROM pg_attribute
        WHERE attrelid = CAST(:of AS regclass) AND attnum > 0 AND NOT attisdropped
    """)
    for table, (said, own) in _TABLES.items():
        kind = db.scalar(sa.text("SELECT relkind FROM pg_class WHERE oid = CAST(:of AS regclass)"), {"of": table})
        op.execute(_comment("VIEW" if kind == "v" else "TABLE", table, said))
        for name in db.scalars(columns, {"of": table}).all():
            if words := own.get(name, _EVERYWHERE.get(name)):
                op.execute(_comment("COLUMN", f'{table}."{name}"', words))


def downgrade() -> None:
    """Comments harm no earlier version."""


def _comment(kind: str, name: str, words: str) -> sa.TextClause:
    quoted = words.replace("'", "''").replace(":", "\\:")
    return sa.text(f"COMMENT ON {kind} {name} IS '{quoted}'")
