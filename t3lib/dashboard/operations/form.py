"""The form of an operator request: fields, a summary to confirm, and a second click that submits it."""

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as w

from t3lib.dashboard import visitor
from t3lib.dashboard.html.cards import alert
from t3lib.dashboard.operations.subject import Subject
from t3lib.dashboard.widgets.boxes import box, hideable, html
from t3lib.money import pounds
from t3lib.operator_requests import KINDS
from t3lib.operator_requests.fields import Field
from t3lib.operator_requests.rows import checked
from t3lib.problems import RefusedError

Submit = Callable[[dict[str, Any]], str]


class Form:
    """One form at a time. `submit` takes a checked request and returns an error message or an empty text."""

    def __init__(self, submit: Submit, close: Callable[[], None]) -> None:
        self._submit, self._close = submit, close
        self._subject: Subject | None = None
        self._checked: dict[str, Any] | None = None  # the request to confirm
        self._inputs: dict[str, w.Widget] = {}
        self.head, self.message = html("t3-about"), html("t3-message")
        self.fields = hideable(box("t3-fields"))
        self.review = _button("Review", "t3-primary", self._check)
        self.confirm = _button("Submit request", "t3-primary", self._send)
        self.back = _button("Edit", "", self._reopen)
        self.cancel = _button("Cancel", "", lambda _: self._close())
        buttons = box("t3-buttons", self.review, self.confirm, self.back, self.cancel)
        parts = (self.head, self.fields, self.message, buttons)
        self.widget = hideable(box("t3-card t3-whole t3-request", *parts))
        self.show(None, "")

    def show(self, subject: Subject | None, by: str) -> None:
        """Open the form of a subject, or close it; the fields stay if the subject is the same."""
        same = subject and self._subject and (subject.kind, subject.about) == (self._subject.kind, self._subject.about)
        self.widget.layout.display = "" if subject else "none"
        if subject is None or not same:
            self._subject, self._checked = subject, None
            self.fields.children = self._new_inputs(subject, by) if subject and not subject.error_message else ()
            self._arrange("")
        if subject:
            self.head.value = subject.html()

    def _new_inputs(self, subject: Subject, by: str) -> tuple[w.Widget, ...]:
        fields = [field for field in KINDS[subject.kind].fields if field.look != "fixed"]
        if "accept" in subject.initial and not subject.initial["accept"]:
            fields = [field for field in fields if field.name != "accept"]
        self._inputs = {field.name: _input(field, subject) for field in fields}
        self._inputs["why"] = _text("Why", "kept with the request", 500)
        self._inputs["by"] = _text("Your name", "", 80, visitor.name() or by)
        self._inputs["by"].disabled = bool(visitor.name())
        return tuple(self._inputs.values())

    def _check(self, _: Any) -> None:
        """Check the fields; show the request as a sentence, or what is wrong."""
        if self._subject is None:
            return
        given = {name: widget.value for name, widget in self._inputs.items() if name not in ("why", "by")}
        given |= dict(self._subject.about)
        if given.get("accept") and not given["total"].strip():  # the request names the suggested total that was shown
            given["total"] = pounds(self._subject.initial["suggested"])
        try:
            by = visitor.name() or self._inputs["by"].value  # a signed-in visitor cannot type another name
            request = self._checked = checked(self._subject.kind, given, by, self._inputs["why"].value)
        except RefusedError as error:
            self._checked = None
            return self._arrange(alert(str(error)))
        words = KINDS[self._subject.kind].words(request["parameters"])
        who = f"{request['asked_by']}: {request['why']}"
        self._arrange(f'<p class="t3-confirm" role="status"><b>{escape(words)}?</b> <span>{escape(who)}</span></p>')

    def _send(self, _: Any) -> None:
        """Submit the confirmed request, once."""
        request, self._checked = self._checked, None
        if request is not None:
            self._arrange(alert(self._submit(request)))

    def _reopen(self, _: Any) -> None:
        self._checked = None
        self._arrange("")

    def _arrange(self, message: str) -> None:
        """Show the fields, or the request to confirm."""
        self.message.value = message
        editing, usable = self._checked is None, bool(self._subject and not self._subject.error_message)
        self.fields.layout.display = "" if editing and usable else "none"
        self.review.layout.display = "" if editing and usable else "none"
        self.confirm.layout.display = self.back.layout.display = "none" if editing else ""


def _input(field: Field, subject: Subject) -> w.Widget:
    first = subject.initial.get(field.name)
    if field.look == "tick":
        suggested = subject.initial.get("suggested")
        label = f"{field.label}, {pounds(suggested)}" if field.name == "accept" and suggested else field.label
        return w.Checkbox(value=bool(first), description=label, indent=False)
    if field.look == "choice":
        options = [(text[:1].upper() + text[1:], value) for value, text in (field.choices or {}).items()]
        return w.Dropdown(options=options, value=first if first in (field.choices or {}) else options[0][1],
                          description=field.label)  # fmt: skip
    if field.look == "day":
        return w.DatePicker(value=first, description=field.label)
    return _text(field.label, field.hint, 120, "" if first is None else str(first))


def _text(label: str, hint: str, longest: int, value: str = "") -> w.Text:
    return w.Text(value=value[:longest], description=label, placeholder=hint)


def _button(text: str, classes: str, click: Callable[[Any], None]) -> w.Button:
    made = w.Button(description=text)
    made.on_click(click)
    for name in ("t3-action", *classes.split()):
        made.add_class(name)
    return made
