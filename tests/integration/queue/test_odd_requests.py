"""Requests that cannot be read, that are too large or too many: each is refused, none stops the worker or the page."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.queue import requests as all_requests
from t3lib import operator_requests, warehouse
from t3lib.dashboard.operations.cards.requests import card
from t3lib.dashboard.operations.choices import Choices
from t3lib.operator_requests import rows as requests
from t3lib.operator_requests import signature
from t3lib.problems import RefusedError
from t3lib.warehouse.db import connection, roles
from tests.conftest import PASSWORDS
from tests.integration.queue.requesting import ROW, ask, ended
from tests.support.feeding import LUNCH, rows
from tests.support.logins import login


@pytest.mark.parametrize(
    ("kind", "parameters", "words"),
    [
        ("explode", {}, "Unknown request 'explode'"),
        ("repair", {"file": 1}, "Row is missing"),
        ("repair", ROW | {"total": "a fiver"}, "Write it like 4.99"),
        ("repair", ROW | {"at": "noon"}, "not a time"),
        ("repair", ROW | {"payment": "shell"}, "choose one of"),
        ("repair", ROW | {"accept": "yes"}, "say yes or no"),
        ("dismiss", {"file": "1; DROP TABLE ops.request", "row": 1}, "not a number"),
        ("hold", {"key": "a\x00b"}, "not readable"),
        ("rerun", {"batch": "b", "day": "2026-11-05", "edition": "cfo"}, "Name the batch, or"),
        ("backfill", {"first": "2026-11-05", "last": "2026-11-04", "mode": "all"}, "after the last"),
        ("backfill", {"first": "2020-01-01", "last": "2026-11-04", "mode": "all"}, "more than 400 days"),
        ("hold", {"key": "a", "state": "done"}, "no field 'state'"),
    ],
)
def test_what_cannot_be_read_is_refused_when_it_is_requested(kind: str, parameters: dict, words: str):
    with pytest.raises(RefusedError, match=words):
        requests.checked(kind, parameters, "Ann", "Because.")


@pytest.mark.parametrize(("name", "why"), [("", "x"), ("  ", "x"), ("Ann", " "), ("A" * 81, "x"), ("Ann", "x" * 501)])
def test_a_request_needs_a_name_and_a_reason(name: str, why: str):
    with pytest.raises(RefusedError):
        requests.checked("dismiss", ROW, name, why)


def test_a_row_that_no_page_wrote_is_refused_by_the_worker(database: str):
    with warehouse.connect() as db:
        for kind, parameters in (("hold", "{}"), ("explode", "{}"), ("backfill", '{"first": "2026-11-05"}')):
            db.execute(sa.text("INSERT INTO ops.request (kind, parameters, asked_by, why) "
                               "VALUES (:kind, CAST(:parameters AS jsonb), 'Eve', 'x')"),
                       {"kind": kind, "parameters": parameters})  # fmt: skip
    assert all_requests.carry_out() == 3
    assert rows("SELECT DISTINCT state FROM ops.request") == [("failed",)]
    with warehouse.connect() as db:
        assert [request.words for request in operator_requests.newest(db)] == [
            "Catch up on past days",
            "explode",
            "Hold a file",
        ]


ITEM = {"item": "card/3/2026-11-05"}


@pytest.mark.parametrize("kind", operator_requests.KINDS)
def test_reading_a_request_again_gives_the_same(kind: str):
    requests_of_kinds: dict[str, dict[str, Any]] = {
        "repair": ROW | {"total": " £1,234.5 ", "at": "2026-11-05 12:30", "payment": "card", "force": True},
        "replay": {"reason": "zero", "truck": "3", "first": "2026-11-05", "last": date(2026, 11, 6)},
        "hold": {"key": LUNCH},
        "release": {"key": LUNCH},
        "resend": {"mail": "7"},
        "rerun": {"day": date(2026, 11, 5), "edition": "cfo"},
        "backfill": {"first": date(2026, 11, 5), "last": date(2026, 11, 5), "mode": "all", "reports": False},
        "reclean": {"first": date(2026, 11, 5), "last": date(2026, 11, 5) + timedelta(days=1)},
        "explain": ITEM,
        "write_off": ITEM,
        "undo_item": ITEM,
        "apply": {"list": "menu", "first": date(2026, 11, 5)},
    }
    once = operator_requests.KINDS[kind].checked(requests_of_kinds.get(kind, ROW))
    assert operator_requests.KINDS[kind].checked(once) == once
    assert operator_requests.KINDS[kind].words(once)


DEEP = "[" * 3000 + "]" * 3000
ODD = [
    ("repair", '{"file": "x", "row": [1]}'),
    ("repair", '{"file": 1e400, "row": {}}'),
    ("repair", '{"file": 99999999999999999999999, "row": 1}'),
    ("repair", f'{{"file": {"9" * 6000}, "row": 1}}'),
    ("hold", '{"key": ["a"]}'),
    ("hold", '{"key": null, "day": {"a": 1}, "truck": [], "first": 5, "last": false}'),
    ("hold", f'{{"key": {DEEP}}}'),
    ("hold", f'{{"key": "{"k" * 7000}"}}'),
    ("replay", '{"reason": {"a": 1}, "truck": -1}'),
    ("replay", '{"truck": "1\\n2", "first": "0001-01-01"}'),
    ("repair", '{"file": 1, "row": 1, "at": "0001-01-01T00:00", "payment": ["card"]}'),
    ("repair", f'{{"file": 1, "row": 1, "total": "{"9" * 5000}"}}'),
    ("backfill", '{"first": "2026-11-05", "last": "2026-11-05", "mode": ["all"]}'),
    ("rerun", '{"batch": true, "edition": 7}'),
    ("resend", '{"mail": 1.5}'),
    ("<script>", '{"a": "<script>"}'),
    ("\u202e\u0007", "{}"),
]


def test_no_row_of_an_operator_stops_the_requests_or_the_card(shifted: Path, database: str):
    with warehouse.connect() as db:
        roles.ensure(db, PASSWORDS)
        signed = signature.statement(signature.key(db), "")
    engine = sa.create_engine(connection.psycopg2_url(login(database, "operator")), poolclass=sa.NullPool)
    insert = "INSERT INTO ops.request (kind, parameters, asked_by, why) VALUES (:kind, CAST(:given AS jsonb), :by, :by)"
    for kind, given in ODD:
        with engine.begin() as db:
            signature.sign(db, signed)
            db.execute(sa.text(insert), {"kind": kind, "given": given, "by": "\x07E\u202eve<b>"})
    last = ask("repair", **ROW, accept=True)
    with engine.connect() as db:
        for choices in (Choices(), Choices(day=date(2026, 11, 5)), Choices(truck=3)):
            shown = card(db, choices)
            assert "could not be read" not in shown
            assert len(shown) < 60_000
    assert all_requests.carry_out() == len(ODD) + 1
    assert ended(last)[0] == "done"
    for state, outcome in rows("SELECT state, outcome FROM ops.request WHERE request_id <> :last", last=last):
        assert (state, "log says more" in outcome, len(outcome) <= 1000) == ("failed", False, True), outcome
    with engine.connect() as db:
        assert "Operator requests" in card(db, Choices())


@pytest.mark.parametrize(
    ("kind", "given"),
    [("k" * 41, "{}"), ("", "{}"), ("hold", f'{{"key": "{"k" * 8000}"}}'), ("hold", "[]"), ("hold", '"x"')],
)
def test_the_database_bounds_what_a_request_may_hold(database: str, kind: str, given: str):
    asked = {"kind": kind, "given": given}
    with pytest.raises(sa.exc.IntegrityError), warehouse.connect() as db:
        db.execute(sa.text("INSERT INTO ops.request (kind, parameters, asked_by, why) "
                           "VALUES (:kind, CAST(:given AS jsonb), 'Eve', 'x')"), asked)  # fmt: skip


def test_requests_that_nobody_carries_out_end_somewhere(shifted: Path, database: str):
    with warehouse.connect() as db:
        roles.ensure(db, PASSWORDS)
        signed = signature.statement(signature.key(db), "Eve")
        db.execute(sa.text("INSERT INTO ops.request (kind, asked_by, why) SELECT 'hold', 'Eve', 'x' "
                           "FROM generate_series(1, 1000)"))  # fmt: skip
    engine = sa.create_engine(connection.psycopg2_url(login(database, "operator")), poolclass=sa.NullPool)
    with pytest.raises(sa.exc.DBAPIError, match="1,000 requests wait"), engine.begin() as db:
        operator_requests.enter(db, "dismiss", ROW, asked_by="Eve", why="x", visitor=signed)
