"""An operator's choices and unfinished request, kept in the address bar and in the widgets."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

from t3lib import business_day
from t3lib.dashboard.html import paging
from t3lib.metrics import Scope
from t3lib.operator_requests import KINDS
from t3lib.operator_requests.rows import LONGEST_NAME
from t3lib.warehouse.files.file_outcomes import HELD, REFUSED

RANGES = {1: "Today", 7: "7 days", 28: "4 weeks", 91: "13 weeks"}
# Each choice of a state: its text, and the states of files, batches, runs, mails and requests that it includes.
STATES: dict[str, tuple[str, tuple[str, ...]]] = {
    "": ("Every state", ()),
    "trouble": (
        "Needs a person",
        ("failed", "lost", "unknown", *REFUSED, *HELD),
    ),
    "waiting": ("Waits or runs", ("new", "claimed", "waiting", "running", "open", "prepared", "sending", "retry")),
    "good": ("Done", ("loaded", "succeeded", "sent", "done")),
}
LONGEST_QUERY, LONGEST_CODE = 6000, 41


@dataclass(frozen=True)
class Choices:
    """What an operator chose.

    The last so many days, or one day; a truck; one of STATES; a reason of rejected rows; the operator's name; the kind
    of request whose form is open (`do`) and its subject as (field, text) pairs (`about`); the pages of long lists."""

    days: int = 7
    truck: int | None = None
    state: str = ""
    reason: str = ""
    day: date | None = None
    by: str = ""
    do: str = ""
    about: tuple[tuple[str, str], ...] = ()
    pages: paging.Pages = ()

    @property
    def scope(self) -> Scope:
        """The business days and the truck."""
        last = self.day or business_day.today()
        first = self.day or last - timedelta(days=self.days - 1)
        return Scope(first, last, () if self.truck is None else (self.truck,))

    @property
    def bound(self) -> dict[str, Any]:
        """The choices as parameters of a query; since and until are the first and last moment of the days."""
        days, states = self.scope, STATES[self.state][1]
        since, until = business_day.bounds(days.first)[0], business_day.bounds(days.last)[1]
        return {"first": days.first, "last": days.last, "since": since, "until": until, "truck": self.truck,
                "every": not states, "states": list(states)}  # fmt: skip

    def query(self) -> str:
        """The query string that `parse` reads; empty for the defaults."""
        parts = [
            ("days", self.days if self.days != Choices.days else ""),
            ("truck", "" if self.truck is None else self.truck),
            ("state", self.state),
            ("reason", self.reason),
            ("day", self.day or ""),
            ("by", self.by),
            ("do", self.do),
            *((f"on.{name}", text) for name, text in self.about if self.do),
            *paging.parts(self.pages),
        ]
        return urlencode([(name, value) for name, value in parts if value != ""])


def parse(query: str, days: int = Choices.days) -> Choices:
    """The choices of a query string; missing or invalid values stay at the default."""
    given = {name: values[-1] for name, values in parse_qs(query[:LONGEST_QUERY].strip().lstrip("?")).items()}
    do, range_days = given.get("do", ""), _number(given.get("days"))
    return Choices(
        range_days if range_days in RANGES else days,
        _number(given.get("truck")),
        given["state"] if given.get("state") in STATES else "",
        _code(given.get("reason", "")),
        _day(given.get("day")),
        "".join(letter for letter in given.get("by", "") if letter.isprintable())[:LONGEST_NAME],
        do if do in KINDS else "",
        _about(do, given),
        paging.read(given),
    )


def _about(do: str, given: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """The subject of the request: the fixed fields of its kind."""
    known = [field.name for field in KINDS[do].fields if field.look == "fixed"] if do in KINDS else []
    return tuple((name, given[f"on.{name}"]) for name in known if f"on.{name}" in given)


def _code(text: str) -> str:
    return text if text.isascii() and text.replace("_", "a").isalnum() and len(text) <= LONGEST_CODE else ""


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def _day(text: str | None) -> date | None:
    try:
        return business_day.day_of(text or "")
    except ValueError:
        return None
