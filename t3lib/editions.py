"""Editions: who reads a report, of which days, when, and what is in it, as data (`notebooks/editions.toml`)."""

import tomllib
from datetime import date, time
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from t3lib import addresses
from t3lib.period import Kind, Period, latest, of
from t3lib.settings import RECIPIENTS, SettingsError, settings

Measure = Literal["gross_sales_pence", "transactions"]
Section = Literal[
    "tiles", "attention", "hours", "days", "trucks", "payments", "contribution", "prices", "menus", "places", "rejects",
    "months", "like_for_like", "trailing", "concentration", "seasonality", "weekdays", "ramp", "clean_rate",
    "reconciliation",
]  # fmt: skip
Tile = Literal["gross_sales", "transactions", "average_ticket", "card_share", "busiest_hour", "most_paid_price"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Correction(_Table):
    """What happens when figures change after they were sent: by more than `above_pct` percent, within `days` days."""

    above_pct: Annotated[float, Field(gt=0)] = 1.0
    then: Literal["ask", "send", "nothing"] = "ask"
    days: Annotated[int, Field(ge=1, le=400)] = 14


class Edition(_Table):
    """One table of editions.toml."""

    title: Annotated[str, Field(min_length=1, max_length=40)]
    recipients: tuple[str, ...]
    period: Kind = "day"
    at: time | None = None
    measure: Measure
    sections: tuple[Section, ...]
    tiles: Annotated[tuple[Tile, ...], Field(max_length=4)]
    flat_pct: Annotated[float, Field(ge=0)]
    rows: Annotated[int, Field(ge=1, le=20)]
    pdf: bool = False
    correction: Correction = Correction()
    name: Annotated[str, Field(exclude=True)] = ""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its recipients."""
        return settings().recipients.get(self.name, self.recipients)

    @property
    def variable(self) -> str:
        """The setting that replaces its recipients."""
        return RECIPIENTS + self.name.upper()

    @property
    def report(self) -> str:
        """daily, weekly or monthly: the word under which the outbox keeps its mails."""
        return {"day": "daily", "week": "weekly", "month": "monthly"}[self.period]

    def latest(self, today: date) -> Period:
        """The period that it reports on, on a business day."""
        return latest(self.period, today)

    def finished_period(self, day: date, today: date) -> Period:
        """The period that a day lies in. Raises SettingsError while it is not over."""
        found = of(self.period, day)
        if found.last >= today:
            raise SettingsError(f"{found.dates} is not over: the {self.name} edition reports complete {self.period}s.")
        return found


class _Editions(RootModel[dict[Name, Edition]]):
    """The whole file."""


def edition(name: str) -> Edition:
    """The edition of that name. Raises SettingsError, which names the known ones."""
    try:
        return editions()[name]
    except KeyError:
        known = ", ".join(editions())
        raise SettingsError(f"There is no edition {name!r}: use one of {known}.") from None


def editions() -> dict[str, Edition]:
    """Every edition by name. Raises SettingsError naming the table and the key that is wrong."""
    return _read(settings().editions)


def wrong_addresses() -> list[str]:
    """One line for each address that no mail can reach: where it is set, and why it is wrong."""
    chosen = settings()
    given = {f"{RECIPIENTS}{name.upper()}": found for name, found in chosen.recipients.items()}
    given |= {f"{RECIPIENTS}OPERATIONS": chosen.recipients_operations, "T3_MAIL_TRIALS": chosen.mail_trials}
    for name, one in editions().items():
        if name not in chosen.recipients:
            given[f"{name} in {chosen.editions.name}"] = one.recipients
    return [f"{where}: {found.why}" for where, texts in given.items() for found in map(addresses.parse, texts)
            if found.wrong]  # fmt: skip


def schema() -> dict[str, Any]:
    """The JSON schema of the file, as `notebooks/editions.schema.json` holds it."""
    made = _Editions.model_json_schema()
    table = made["$defs"]["Edition"]["properties"]
    del table["name"]
    table["at"] = {"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$", "title": "At", "description": "local time"}
    return {"$schema": "http://json-schema.org/draft-07/schema#", **made, "title": "Editions of the report"}


@cache
def _read(file: Path) -> dict[str, Edition]:
    try:
        tables = tomllib.loads(file.read_text())
        found = _Editions.model_validate(tables).root
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SettingsError(f"{file.name}: {wrong}") from None
    return {name: one.model_copy(update={"name": name}) for name, one in found.items()}
