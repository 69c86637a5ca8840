"""The living page: cards that keep up with the database, and the form through which operators ask for things."""

import os
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import ipywidgets as w
import sqlalchemy as sa

from t3lib import metrics, operator_requests, warehouse
from t3lib.dashboard import visitor
from t3lib.dashboard.error_messages import explain
from t3lib.dashboard.html.cards import said
from t3lib.dashboard.operations import controls, subject
from t3lib.dashboard.operations.cards import CARDS, Card, requests
from t3lib.dashboard.operations.choices import Choices, parse
from t3lib.dashboard.operations.form import Form
from t3lib.dashboard.operations.heading import heading
from t3lib.dashboard.operations.subject import Subject
from t3lib.dashboard.widgets.boxes import box, html, told_at_once
from t3lib.dashboard.widgets.display import show
from t3lib.dashboard.widgets.live import Follower
from t3lib.problems import explain as explain_plainly
from t3lib.warehouse.files.audit import account


@dataclass(frozen=True)
class Seen:
    """What one reading found: choices, head, cards, trucks, what a form is about, the last request; or what failed."""

    choices: Choices
    heading: str = ""
    cards: tuple[str, ...] = ()
    trucks: tuple[tuple[int, str], ...] = ()
    subject: Subject | None = None
    told: str = ""
    trouble: str = ""


def operations(days: int = 7, refresh_seconds: float = 3.0) -> None:
    """Show the operations page: first as plain HTML, then as widgets that keep up.

    The address's query string comes before the parameter."""
    with told_at_once():
        page = Operations(parse(os.environ.get("QUERY_STRING", ""), days))
        page.refresh()
    show(page.first(), page.widget)
    page.follow(refresh_seconds)


class Operations:
    """One operator's page."""

    def __init__(self, choices: Choices | None = None, connect: Any = warehouse.connect) -> None:
        self.choices, self.trouble, self._connect = choices or Choices(), "", connect
        self._asked: int | None = None
        self._follower = Follower(lambda: True, self._read, self._show)
        self._seen = Seen(self.choices)
        self.controls = controls.Controls(self.choose)
        self.form = Form(self._ask, lambda: self.choose(replace(self.choices, do="", about=())))
        self.notice, self.heading, self.told = html("t3-notice"), html("t3-heading"), html("t3-told")
        self.cards = {name: html(f"t3-card {classes}") for name, classes, _ in CARDS}
        self.address, self.typed = html("t3-address"), w.Text(continuous_update=False)
        self.typed.add_class("t3-typed")
        self.typed.observe(self._typed, "value")
        grid = box("t3-grid", self.form.widget, *self.cards.values())
        parts = (self.controls.widget, self.notice, self.heading, grid, self.told, self.address, self.typed)
        self.widget = box("t3-page t3-live t3-operations", *parts)

    def choose(self, choices: Choices) -> None:
        """Take a choice of the visitor; the tables follow at once."""
        self.choices = choices
        self._follower.ask()

    def refresh(self) -> None:
        """Read and show."""
        self._show(self._read())

    def follow(self, seconds: float) -> None:
        """Read again every so many seconds; what did not change is not sent."""
        self._follower.start(seconds)

    def first(self) -> str:
        """The page before any script runs."""
        cards = "".join(f'<section class="t3-card {classes}">{self.cards[name].value}</section>'
                        for name, classes, _ in CARDS)  # fmt: skip
        asked = self._seen.subject
        form = f'<section class="t3-card t3-whole t3-desk">{asked.html()}</section>' if asked else ""
        top = controls.first(self.choices, dict(self._seen.trucks))
        return (
            f'<div class="t3-page t3-operations">{top}{self.notice.value}'
            f'<div class="t3-heading">{self.heading.value}</div><div class="t3-grid">{form}{cards}</div></div>'
        )

    def _typed(self, event: dict[str, Any]) -> None:
        """A choice from the address bar or a link; the field is emptied, so that the same link works again."""
        if event["new"]:
            self.typed.value = ""
            self.choose(parse(event["new"]))

    def _read(self) -> Seen:
        choices = self.choices
        try:
            with self._connect() as db:
                cards = tuple(_card(db, name, make, choices) for name, _, make in CARDS)
                trucks = tuple(metrics.trucks(db).items())
                about, told = subject.read(db, choices), requests.told(db, self._asked)
                return Seen(choices, heading(db, choices), cards, trucks, about, told)
        except Exception as error:
            return Seen(choices, trouble=explain(error, self.trouble))

    def _show(self, seen: Seen) -> None:
        """Put what was read into the widgets; what failed leaves the old tables."""
        if seen.choices != self.choices:  # the visitor went on while this was read
            return
        self.trouble = seen.trouble
        self.notice.value = f'<p class="t3-trouble" role="alert">{escape(seen.trouble)}</p>' if seen.trouble else ""
        self.address.value = f'<span data-query="{escape(seen.choices.query())}"></span>'
        if seen.trouble:
            return
        self._seen, self.heading.value, self.told.value = seen, seen.heading, seen.told
        self.controls.show(seen.choices, dict(seen.trucks))
        self.form.show(seen.subject, seen.choices.by or account())
        for widget, value in zip(self.cards.values(), seen.cards, strict=True):
            widget.value = value

    def _ask(self, wanted: dict[str, Any]) -> str:
        """Enter a request and close the form; what went wrong, in words, or nothing."""
        try:
            with self._connect() as db:
                self._asked = operator_requests.ask(db, **wanted, visitor=visitor.statement())
        except Exception as error:
            return explain_plainly(error) or explain(error, self.trouble)
        self.choose(replace(self.choices, do="", about=(), by=wanted["asked_by"]))
        return ""


def _card(db: sa.Connection, name: str, make: Card, choices: Choices) -> str:
    """A card; one that cannot be read says so and leaves the others as they are."""
    try:
        with db.begin_nested():
            return make(db, choices)
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise
        return said(name.replace("_", " ").capitalize(), explain_plainly(error) or "This could not be read.")
