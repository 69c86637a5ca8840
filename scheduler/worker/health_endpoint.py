"""`/healthz` for a supervisor and `/metrics` for Prometheus, on the loopback interface."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from scheduler.http.small_server import SmallHandler, SmallServer
from scheduler.queue.lease import executors
from t3lib import warehouse
from t3lib.problems import explain
from t3lib.warehouse.db import locks
from t3lib.warehouse.files import status

STALE_SECONDS = 60

_QUEUE = sa.text("""
    SELECT count(*) FILTER (WHERE status IN ('ENQUEUED', 'DELAYED')) AS waiting,
           count(*) FILTER (WHERE status = 'PENDING') AS running
    FROM dbos.workflow_status
    WHERE queue_name = 'work' AND status IN ('ENQUEUED', 'DELAYED', 'PENDING')
""")
_REQUESTS = sa.text("""
    SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting, count(*) FILTER (WHERE state = 'done') AS done,
           count(*) FILTER (WHERE state = 'failed') AS failed
    FROM ops.request
""")
_AGE = sa.text("SELECT extract(epoch FROM now() - loaded_at) FROM mart.watermark")


class Pulse:
    """Whether the worker's ticks succeed."""

    def __init__(self) -> None:
        self._at, self._error = time.monotonic(), "The worker is starting."

    def beat(self) -> None:
        """A tick succeeded."""
        self._at, self._error = time.monotonic(), ""

    def miss(self, error: str) -> None:
        """A tick failed."""
        self._error = error

    def error_message(self) -> str:
        """Why the worker is not healthy; empty when it is."""
        silent = time.monotonic() - self._at
        return self._error or (f"No tick for {silent:.0f} seconds." if silent > STALE_SECONDS else "")


@contextmanager
def serving(watched: Pulse, port: int) -> Iterator[str]:
    """Answer on a loopback port (0 finds a free one) until the block ends; yields the address."""

    class Handler(_Handler):
        pulse = watched

    server = SmallServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.2,), name="t3 health", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def metrics(db: sa.Connection) -> str:
    """The state of the project in Prometheus text format."""
    found, queued = status.summary(db), db.execute(_QUEUE).one()
    requests, age = db.execute(_REQUESTS).one(), db.execute(_AGE).scalar()
    families: list[tuple[str, str, dict[str, Any]]] = [
        ("t3_files", "Object versions by state.", _labelled("state", found["files"])),
        ("t3_rows_read", "Rows read of the loaded files.", {"": found["rows_read"]}),
        ("t3_rows_loaded", "Rows that are sales.", {"": found["rows_loaded"]}),
        ("t3_rows_rejected", "Rows not loaded, by reason.", _labelled("reason", found["rejected"])),
        ("t3_gross_sales_pence", "Gross sales of the loaded files.", {"": found["pence_loaded"]}),
        ("t3_batches", "Batches by state.", _labelled("state", found["batches"])),
        ("t3_runs", "Notebook executions by state.", _labelled("state", found["runs"])),
        ("t3_mails", "Mails by state.", _labelled("state", found["mails"])),
        ("t3_workers", "Workers that hold a lease now.", {"": len(executors(locks.leases(db)))}),
        ("t3_queue", "Waiting and running workflows.", _labelled("state", dict(queued._mapping))),
        ("t3_requests", "Operator requests by state.", _labelled("state", dict(requests._mapping))),
        (
            "t3_last_load_age_seconds",
            "Seconds since the last change.",
            {} if age is None else {"": round(age, 1)},
        ),
    ]
    return "".join(_family(*family) for family in families)


class _Handler(SmallHandler):
    pulse: Pulse

    def answer(self) -> None:
        if self.path == "/healthz":
            error = self.pulse.error_message()
            self._respond(503 if error else 200, f"{error or 'ok'}\n")
        elif self.path == "/metrics":
            self._serve_metrics()
        else:
            self._respond(404, "There is /healthz and /metrics.\n")

    def _serve_metrics(self) -> None:
        try:
            with warehouse.connect() as db:
                text = metrics(db)
        except sa.exc.SQLAlchemyError as error:
            self._respond(503, f"{explain(error) or type(error).__name__}\n")
        else:
            self._respond(200, text)

    def _respond(self, code: int, text: str) -> None:
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _labelled(label: str, counts: dict[str, Any]) -> dict[str, Any]:
    return {f'{{{label}="{name}"}}': count for name, count in counts.items()}


def _family(name: str, meaning: str, values: dict[str, Any]) -> str:
    lines = [f"# HELP {name} {meaning}", f"# TYPE {name} gauge"]
    return "\n".join([*lines, *(f"{name}{labels} {value}" for labels, value in values.items())]) + "\n"
