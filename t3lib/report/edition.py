"""Editions: who reads a daily report and what stands in it, as data (`editions.toml`)."""

import tomllib
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from t3lib.report.block import Block
from t3lib.settings import SettingsError, settings

FILE = Path(__file__).with_name("editions.toml")

Measure = Literal["gross_sales_pence", "transactions"]
Section = Literal[
    "tiles", "attention", "hours", "trucks", "payments", "contribution", "prices", "menus", "places", "rejects"
]
Tile = Literal["gross_sales", "transactions", "average_ticket", "card_share", "busiest_hour", "most_paid_price"]


class Edition(BaseModel):
    """One table of editions.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    recipients: str
    measure: Measure
    sections: tuple[Section, ...]
    tiles: Annotated[tuple[Tile, ...], Field(max_length=4)]
    flat_pct: Annotated[float, Field(ge=0)]
    rows: Annotated[int, Field(ge=1, le=20)]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Who gets it."""
        return getattr(settings(), self.recipients)


def edition(name: str) -> Edition:
    """The edition of that name. Raises SettingsError naming those there are."""
    try:
        return editions()[name]
    except KeyError:
        known = ", ".join(editions())
        raise SettingsError(f"There is no edition {name!r}: use one of {known}.") from None


@cache
def editions(file: Path = FILE) -> dict[str, Edition]:
    """Every edition by name. Raises SettingsError naming the table and the key that is wrong."""
    tables = tomllib.loads(file.read_text())
    try:
        found = {name: Edition(name=name, **table) for name, table in tables.items()}
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SettingsError(f"{file.name}: {wrong}") from None
    for name, one in found.items():
        if one.recipients not in type(settings()).model_fields:
            raise SettingsError(f"{file.name}: {name}.recipients: there is no setting {one.recipients!r}")
    return found


def section(function: Callable[[Any], Block]) -> Callable[[Any], Block | None]:
    """A section of that name: nothing for a day of an edition that does not have it."""

    @wraps(function)
    def shown(day: Any) -> Block | None:
        return function(day) if function.__name__ in day.edition.sections else None

    return shown
