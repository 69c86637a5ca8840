"""What the workflows do, as plain functions: the stages of an ingest, the report, the mails."""

from datetime import date

import sqlalchemy as sa

from scheduler import schedule
from scheduler.queue import takeover
from scheduler.queue.serializer import WorkFailedError
from scheduler.queue.takeover import Fence, PoisonError, refuse_poison
from scheduler.runs.runner import NotebookFailedError, Run, run_notebook
from t3lib import archive, mail, warehouse
from t3lib.archive.writing import Advance
from t3lib.business_day import today
from t3lib.ingest.staging import Staging
from t3lib.problems import error_line, explain
from t3lib.settings import settings
from t3lib.urls import scrubbed
from t3lib.warehouse.files import batches

INGEST = ("1_extract", "2_clean", "3_load")
# What a notebook leaves for the next. A version without rules in the notebook staged no rules.json.
_STAGED = {"1_extract": ("files.parquet",), "2_clean": ("rules.json", "sales.parquet")}

_LAST_NOTICE = sa.text("""
    SELECT max(business_date) FROM ops.mail_outbox
    WHERE report = 'incident' AND edition = :incident
      AND (CAST(:day AS date) IS NULL OR business_date = CAST(:day AS date))
""")
_EARLIER_MAILS = sa.text("""
    SELECT count(*) FROM ops.mail_outbox
    WHERE report NOT IN ('incident', 'trial') AND edition = :edition AND business_date = CAST(:day AS date)
      AND state <> 'cancelled'
""")
_HELD = sa.text("""
    SELECT key, reason FROM ops.source_file WHERE batch_id = :batch AND state = 'held' ORDER BY file_id
""")
_FAILED_RUN = sa.text("""
    SELECT run_id, notebook, failed_cell, worker, executed_copy FROM ops.run
    WHERE parameters ->> :name = :value AND state IN ('failed', 'lost')
    ORDER BY started_at DESC LIMIT 1
""")


def run_stage(batch_id: str, stage: str, *, workflow_id: str | None = None, worker: str | None = None) -> None:
    """Run one notebook of an ingest; first the earlier ones whose staged files are not all there: outputs/ may
    be deleted, and an earlier version staged less.

    Raises PoisonError when too many workers have died in this workflow."""
    refuse_poison(workflow_id, schedule.load().takeover_attempts)
    for earlier in INGEST[: INGEST.index(stage)]:
        if not all((Staging.of(batch_id).folder / name).exists() for name in _STAGED[earlier]):
            run_notebook(earlier, {"batch_id": batch_id}, workflow_id=workflow_id, worker=worker)
    run_notebook(stage, {"batch_id": batch_id}, workflow_id=workflow_id, worker=worker)


def finish_batch(batch_id: str, *, fence: Fence = lambda db: None) -> None:
    """Close a loaded batch and remove its staged files. Notify the operators if it had failed before, and about files
    that are held because a person holds their key."""
    with warehouse.connect() as db:
        fence(db)
        batches.finish(db, batch_id)
        _notify_recovery(db, f"ingest {batch_id}", f"ingest of {batch_id}", "Its files are loaded now.")
        _notify_held(db, batch_id)
    Staging.of(batch_id).remove()


def fail_batch(batch_id: str, error: str, *, fence: Fence = lambda db: None) -> bool:
    """Park a batch and notify the operators once; `t3 ingest` retries it.

    A batch whose load was committed before its notebook failed is done; returns whether it is."""
    with warehouse.connect() as db:
        fence(db)
        loaded = batches.is_loaded(db, batch_id)
        (_close_loaded if loaded else _park)(db, batch_id, error)
    if loaded:
        Staging.of(batch_id).remove()
    return loaded


def _park(db: sa.Connection, batch_id: str, error: str) -> None:
    batches.finish(db, batch_id, error)
    text = f"{error}\n\nNothing of this batch was loaded. Once the cause is fixed, run:\n\n    t3 ingest\n"
    text += _last_run(db, "batch_id", batch_id)
    mail.notify_operators(db, f"ingest {batch_id}", today(), f"ingest of {batch_id} failed", text)


def _close_loaded(db: sa.Connection, batch_id: str, error: str) -> None:
    """Close a batch that is loaded, and notify the operators of the error afterwards."""
    batches.finish(db, batch_id)
    text = f"{error}\n\nThe files were loaded before this error: there is nothing to do.\n"
    text += _last_run(db, "batch_id", batch_id)
    mail.notify_operators(db, f"ingest {batch_id} loaded", today(), f"{batch_id} is loaded; a later step failed", text)


def park_stranded() -> None:
    """Park the open batches whose workflow has ended."""
    for batch_id in takeover.stranded_batches():
        fail_batch(
            batch_id, "The database could not be reached for too long, so the end of this workflow was not recorded."
        )


def write_archive(advance: Advance = lambda done, total: None) -> int:
    """Write the days that are missing in the archive; returns how many. Loads do not depend on it: when the archive
    cannot be reached, the days stay marked for the next attempt and the operators are notified once a day."""
    try:
        return archive.write(advance)
    except Exception as error:
        with warehouse.connect() as db:
            text = (
                f"{one_line(error)}\n\nThe figures are not affected. Days missing in the archive stay marked and are "
            )
            text += "written once it answers; to see which:\n\n    t3 archive verify\n"
            mail.notify_operators(db, "archive", today(), "the archive is behind the database", text)
        return 0


def run_report(
    business_date: str,
    edition: str,
    *,
    workflow_id: str | None = None,
    worker: str | None = None,
    edited: bool = False,
) -> Run:
    """Run the report notebook for one business day and edition; with `edited` including uncommitted edits."""
    refuse_poison(workflow_id, schedule.load().takeover_attempts)
    parameters = {"business_date": business_date, "edition": edition}
    return run_notebook("4_report", parameters, role="report", workflow_id=workflow_id, worker=worker, edited=edited)


def prepare_mails(
    run_id: str, path: str, business_date: str, edition: str, *, ask: bool = False, fence: Fence = lambda db: None
) -> list[int]:
    """Put the mails of an executed report into the outbox; a second call gives the same mails.

    With `ask` a correction waits, and the operators are notified how to release it."""
    from t3lib.report import corrections  # a second that a worker need not wait for before its first report
    from t3lib.report.output import delivery

    with warehouse.connect() as db:
        fence(db)
        mails = delivery.prepare_report(path, date.fromisoformat(business_date), edition, run_id, ask=ask)
        if ask:
            corrections.notify(db, mails)
        what = f"{edition} report of {business_date}"
        _notify_recovery(db, f"report {edition}", what, "It is made and its mails are queued.", business_date)
    return mails


def fail_report(business_date: str, edition: str, error: str, *, fence: Fence = lambda db: None) -> None:
    """Notify the operators once that a report could not be made."""
    with warehouse.connect() as db:
        fence(db)
        earlier = db.scalar(_EARLIER_MAILS, {"day": business_date, "edition": edition})
        text = f"{error}\n\n{_earlier_mails(earlier)} Once the cause is fixed, run:\n\n"
        text += f"    t3 report --date {business_date} --edition {edition} --again\n"
        text += _last_run(db, "business_date", business_date)
        mail.notify_operators(
            db, f"report {edition}", date.fromisoformat(business_date), f"{edition} report failed", text
        )


def _earlier_mails(count: int) -> str:
    """Whether earlier mails of this report exist, in words."""
    mails = "1 mail of this report was" if count == 1 else f"{count} mails of this report were"
    return f"{mails} queued before: see `t3 mail list`." if count else "No mail was sent."


def _notify_recovery(db: sa.Connection, incident: str, what: str, text: str, business_date: str = "") -> None:
    """Notify the operators once that an incident they were notified of is over."""
    noticed = db.execute(_LAST_NOTICE, {"incident": incident, "day": business_date or None}).scalar()
    if noticed is not None:
        mail.notify_operators(db, f"{incident} recovered", noticed, f"{what} succeeded after all", text)


def _notify_held(db: sa.Connection, batch_id: str) -> None:
    """Notify the operators of new versions of held files: these are held too until a person releases them."""
    if held := db.execute(_HELD, {"batch": batch_id}).all():
        text = "\n\n".join(f"{row.key}\n{row.reason}\n\n    t3 files release {row.key} --why ..." for row in held)
        files = "a held file was" if len(held) == 1 else f"{len(held)} held files were"
        mail.notify_operators(db, f"held {batch_id}", today(), f"{files} uploaded again", text)


def _last_run(db: sa.Connection, name: str, value: str) -> str:
    """The last failed run in words: notebook, cell, worker and executed notebook; empty when there is none."""
    run = db.execute(_FAILED_RUN, {"name": name, "value": value}).mappings().one_or_none()
    if run is None:
        return ""
    cell = "" if run["failed_cell"] is None else f", cell In [{run['failed_cell']}]"
    copy = settings().outputs / (run["executed_copy"] or "")
    where = f" (run {run['run_id']}, on {run['worker']})"
    return f"\nNotebook: {run['notebook']}{cell}{where}\nExecuted notebook: {copy}\n"


def one_line(error: BaseException) -> str:
    """An error as one line of plain text."""
    known = isinstance(error, NotebookFailedError | PoisonError | WorkFailedError)
    return scrubbed(str(error)) if known and not explain(error) else error_line(error)
