"""The operations page: cards that follow the database, and the form that submits operator requests."""

import os
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import ipywidgets as w
import sqlalchemy as sa

from t3lib import metrics, operator_requests, warehouse
from t3lib.dashboard import visitor
from t3lib.dashboard.error_messages import explain
from t3lib.dashboard.html.cards import alert, message_card
from t3lib.dashboard.operations import controls, subject
from t3lib.dashboard.operations.cards import CARDS, Card, requests
from t3lib.dashboard.operations.choices import Choices, parse
from t3lib.dashboard.operations.form import Form
from t3lib.dashboard.operations.heading import heading
from t3lib.dashboard.operations.subject import Subject
from t3lib.dashboard.widgets.boxes import batched_comm_messages, box, html
from t3lib.dashboard.widgets.display import show
from t3lib.dashboard.widgets.live import Follower
from t3lib.problems import explain as explain_plainly
from t3lib.warehouse.files.audit import account


@dataclass(frozen=True)
class Reading:
    """One reading of the database: choices, heading, cards, trucks, the form's subject, the status of the latest
    request; or an error message."""

    choices: Choices
    heading: str = ""
    cards: tuple[str, ...] = ()
    trucks: tuple[tuple[int, str], ...] = ()
    subject: Subject | None = None
    status: str = ""
    error_message: str = ""


def operations(days: int = 7, refresh_seconds: float = 3.0) -> None:
    """Show the operations page: first as static HTML, then as widgets that follow the database.

    The query string of the address overrides the parameter."""
    with batched_comm_messages():
        page = Operations(parse(os.environ.get("QUERY_STRING", ""), days))
        page.refresh()
    show(page.static_html(), page.widget)
    page.follow(refresh_seconds)


class Operations:
    """One operator's page."""

    def __init__(self, choices: Choices | None = None, connect: Any = warehouse.connect) -> None:
        self.choices, self.error_message, self._connect = choices or Choices(), "", connect
        self._request_id: int | None = None
        self._follower: Follower[Reading] = Follower(lambda: True, self._read, self._show)
        self._reading = Reading(self.choices)
        self.controls = controls.Controls(self.choose)
        self.form = Form(self._submit, lambda: self.choose(replace(self.choices, do="", about=())))
        self.notice, self.heading, self.status = html("t3-notice"), html("t3-heading"), html("t3-status")
        self.cards = {name: html(f"t3-card {classes}") for name, classes, _ in CARDS}
        self.address, self.typed = html("t3-address"), w.Text(continuous_update=False)
        self.typed.add_class("t3-typed")
        self.typed.observe(self._typed, "value")
        grid = box("t3-grid", self.form.widget, *self.cards.values())
        parts = (self.controls.widget, self.notice, self.heading, grid, self.status, self.address, self.typed)
        self.widget = box("t3-page t3-live t3-operations", *parts)

    def choose(self, choices: Choices) -> None:
        """Apply a choice of the visitor and refresh the tables."""
        self.choices = choices
        self._follower.request_refresh()

    def refresh(self) -> None:
        """Read and show."""
        self._show(self._read())

    def follow(self, seconds: float) -> None:
        """Refresh every so many seconds; unchanged values are not sent."""
        self._follower.start(seconds)

    def static_html(self) -> str:
        """The page as static HTML, before any script runs."""
        cards = "".join(f'<section class="t3-card {classes}">{self.cards[name].value}</section>'
                        for name, classes, _ in CARDS)  # fmt: skip
        about = self._reading.subject
        form = f'<section class="t3-card t3-whole t3-request">{about.html()}</section>' if about else ""
        top = controls.static_html(self.choices, dict(self._reading.trucks))
        return (
            f'<div class="t3-page t3-operations">{top}{self.notice.value}'
            f'<div class="t3-heading">{self.heading.value}</div><div class="t3-grid">{form}{cards}</div></div>'
        )

    def _typed(self, event: dict[str, Any]) -> None:
        """Apply a choice from the address bar or a link. The field is emptied so that the same link works twice."""
        if event["new"]:
            self.typed.value = ""
            self.choose(parse(event["new"]))

    def _read(self) -> Reading:
        choices = self.choices
        try:
            with self._connect() as db:
                cards = tuple(_card(db, name, make, choices) for name, _, make in CARDS)
                trucks = tuple(metrics.trucks(db).items())
                about, status = subject.read(db, choices), requests.latest_status(db, self._request_id)
                return Reading(choices, heading(db, choices), cards, trucks, about, status)
        except Exception as error:
            return Reading(choices, error_message=explain(error, self.error_message))

    def _show(self, reading: Reading) -> None:
        """Put a reading into the widgets; after an error the old tables stay."""
        if reading.choices != self.choices:  # the visitor has since chosen something else
            return
        self.error_message = reading.error_message
        self.notice.value = alert(reading.error_message)
        self.address.value = f'<span data-query="{escape(reading.choices.query())}"></span>'
        if reading.error_message:
            return
        self._reading, self.heading.value, self.status.value = reading, reading.heading, reading.status
        self.controls.show(reading.choices, dict(reading.trucks))
        self.form.show(reading.subject, reading.choices.by or account())
        for widget, value in zip(self.cards.values(), reading.cards, strict=True):
            widget.value = value

    def _submit(self, request: dict[str, Any]) -> str:
        """Enter a request and close the form; returns an error message or an empty text."""
        try:
            with self._connect() as db:
                self._request_id = operator_requests.enter(db, **request, visitor=visitor.statement())
        except Exception as error:
            return explain_plainly(error) or explain(error, self.error_message)
        self.choose(replace(self.choices, do="", about=(), by=request["asked_by"]))
        return ""


def _card(db: sa.Connection, name: str, make: Card, choices: Choices) -> str:
    """A card; if it cannot be read it shows an error, and the others are not affected."""
    try:
        with db.begin_nested():
            return make(db, choices)
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise
        return message_card(name.replace("_", " ").capitalize(), explain_plainly(error) or "This could not be read.")
