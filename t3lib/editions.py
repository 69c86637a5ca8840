"""Editions: who reads a report, of which days, when, and what is in it, as data (`notebooks/editions.toml`)."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import date, time
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from t3lib import addresses
from t3lib.period import Kind, Period, latest, of
from t3lib.settings import RECIPIENTS, ROOT, SettingsError, read_tables, settings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Measure = Literal["gross_sales_pence", "transactions"]
Tile = Literal["gross_sales", "transactions", "average_ticket", "card_share", "busiest_hour", "most_paid_price"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
NOTEBOOK = ROOT / "notebooks" / "4_report.ipynb"
_SECTION = re.compile(r"""^if day\.includes\(["'](\w+)["']((?:, *["']\w+["'])*)\)""", re.MULTILINE)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Correction(_Table):
    """What happens when figures change after they were sent: by more than `above_pct` percent, within `days` days."""

    above_pct: Annotated[float, Field(gt=0, le=100)] = 1.0
    then: Literal["ask", "send", "nothing"] = "ask"
    days: Annotated[int, Field(ge=1, le=400)] = 14


class Limits(_Table):
    """What is out of the ordinary, in every report and on the dashboard: sales or rejected rows outside of the median
    of so many same weekdays +- `deviations` median absolute deviations, or +- `least_pct` of it if that is more; once
    `fewest_weeks` are known. A card reader is told after `fewest_sales`, rejected rows from `fewest_rejects` on; at
    most `most` things are told."""

    weeks: Annotated[int, Field(ge=3, le=52)] = 8
    fewest_weeks: Annotated[int, Field(ge=1, le=4)] = 3
    deviations: Annotated[float, Field(gt=0, le=20)] = 3.0
    least_pct: Annotated[float, Field(ge=0, le=100)] = 10.0
    fewest_sales: Annotated[int, Field(ge=1, le=10_000)] = 10
    fewest_rejects: Annotated[int, Field(ge=1, le=10_000)] = 10
    most: Annotated[int, Field(ge=1, le=5)] = 3

    @model_validator(mode="after")
    def _reachable(self) -> "Limits":
        if self.fewest_weeks > self.weeks:
            raise ValueError(
                f"fewest_weeks is {self.fewest_weeks}, more than weeks ({self.weeks}): nothing is ever told"
            )
        return self


class Menus(_Table):
    """How menus are judged, in every report and on the dashboard: a dish is popular from `popular_pct` percent of an
    equal share on; the effect of a price change is told from `fewest_days` pairs of days on, up to `weeks` weeks before
    and after it."""

    popular_pct: Annotated[float, Field(gt=0, le=100)] = 70.0
    weeks: Annotated[int, Field(ge=1, le=13)] = 4
    fewest_days: Annotated[int, Field(ge=5, le=60)] = 10


_TABLES_OF_THEIR_OWN: dict[str, type[_Table]] = {"attention": Limits, "menus": Menus}
_SCHEMA_NAME = f"^(?!({'|'.join(_TABLES_OF_THEIR_OWN)})$)[a-z][a-z0-9_]{{0,30}}$"


class Edition(_Table):
    """One table of editions.toml."""

    title: Annotated[str, Field(min_length=1, max_length=40)]
    recipients: tuple[str, ...]
    period: Kind = "day"
    at: time | None = None
    measure: Measure
    sections: tuple[Name, ...]
    tiles: Annotated[tuple[Tile, ...], Field(max_length=4)]
    flat_pct: Annotated[float, Field(ge=0, le=100)]
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


class _File(_Table):
    """The whole file: `[attention]`, `[menus]`, and a table per edition."""

    attention: Limits = Limits()
    menus: Menus = Menus()
    editions: dict[Name, Edition]

    @model_validator(mode="before")
    @classmethod
    def _sorted(cls, tables: dict[str, Any]) -> dict[str, Any]:
        own = {name: table for name, table in tables.items() if name in _TABLES_OF_THEIR_OWN}
        return {**own, "editions": {name: table for name, table in tables.items() if name not in own}}


def edition(name: str) -> Edition:
    """The edition of that name. Raises SettingsError, which names the known ones."""
    try:
        return editions()[name]
    except KeyError:
        known = ", ".join(editions())
        raise SettingsError(f"There is no edition {name!r}: use one of {known}.") from None


def editions() -> dict[str, Edition]:
    """Every edition by name. Raises SettingsError naming the table and the key that is wrong."""
    return _read(settings().editions).editions


def attention_limits() -> Limits:
    """`[attention]` of the file: what is out of the ordinary. Raises SettingsError as `editions`."""
    return _read(settings().editions).attention


def menus() -> Menus:
    """`[menus]` of the file: how dishes and changes of prices are judged. Raises SettingsError as `editions`."""
    return _read(settings().editions).menus


def sections(cells: Iterable[str] | None = None) -> list[str]:
    """The sections of a report by their names, in the order of the notebook's cells (by default the folder's
    4_report): what a cell that begins with `if day.includes("trucks"):` shows."""
    return [name for name, _ in _sections(cells)]


def without_readers(cells: Iterable[str]) -> list[str]:
    """The sections that no edition has: editions.toml does not name them, and their cells name no edition."""
    return [name for name, of in _sections(cells) if not of and name not in placed()]


def placed() -> frozenset[str]:
    """The sections that editions.toml names; it alone says which editions have these."""
    return frozenset(section for one in editions().values() for section in one.sections)


def _sections(cells: Iterable[str] | None) -> list[tuple[str, str]]:
    """The sections with the editions that their cells name."""
    if cells is None:
        try:
            cells = ["".join(cell["source"]) for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]]
        except (OSError, ValueError) as error:
            raise SettingsError(f"{NOTEBOOK} cannot be read: {error}") from None
    return [found for source in cells for found in _SECTION.findall(source)]


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
    made = _File.model_json_schema()
    table = made["$defs"]["Edition"]["properties"]
    del table["name"]
    table["at"] = {"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$", "title": "At", "description": "local time"}
    table["sections"]["description"] = "sections of 4_report.ipynb: the names in `if day.includes(...)`"
    editions = made["properties"].pop("editions")
    made = {name: one for name, one in made.items() if name != "required"}
    (edition,) = editions["patternProperties"].values()
    made |= {"patternProperties": {_SCHEMA_NAME: edition}, "title": "Editions of the report"}
    return {"$schema": "http://json-schema.org/draft-07/schema#", **made}


@cache
def _read(file: Path) -> _File:
    found = read_tables(file, _File, _told)
    if wrong := "; ".join(_unknown_sections(found.editions)):
        raise SettingsError(f"{file.name}: {wrong}")
    named = {name: one.model_copy(update={"name": name}) for name, one in found.editions.items()}
    return found.model_copy(update={"editions": named})


def _told(error: "ErrorDetails") -> str:
    """What is wrong with which key, and what to write instead."""
    keys = error["loc"][1:] if error["loc"][:1] == ("editions",) else error["loc"]
    place, kind, key = ".".join(map(str, keys)), error["type"], str(keys[-1])
    near_tables = get_close_matches(str(keys[0]), _TABLES_OF_THEIR_OWN, n=1, cutoff=0.8)
    if error["loc"] != keys and near_tables:
        return f"[{keys[0]}] is read as an edition: did you mean [{near_tables[0]}]?"
    known = _table(keys, is_edition=error["loc"] != keys).model_json_schema()["properties"]
    if kind == "extra_forbidden":
        near = get_close_matches(key, known, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        return (
            f"{place}: there is no key {key}: {meant}There are {', '.join(name for name in known if name != 'name')}."
        )
    if kind == "missing":
        return f"{place} is missing"
    bounds = known.get(key, {})
    if bounds.get("type") not in ("number", "integer") or "maximum" not in bounds:
        return f"{place}: {error['msg'].removeprefix('Value error, ')}"
    above = bounds.get("exclusiveMinimum")
    least = f"above {above:g} and at most" if above is not None else f"from {bounds['minimum']:g} to"
    number = "a whole number" if bounds["type"] == "integer" else "a number"
    return f"{place} is {error['input']!r}: write {number} {least} {bounds['maximum']:g}"


def _table(keys: Sequence[int | str], *, is_edition: bool) -> type[_Table]:
    """The table in which a key stands."""
    if not is_edition:
        return _TABLES_OF_THEIR_OWN[str(keys[0])]
    return Correction if "correction" in keys[1:-1] else Edition


def _unknown_sections(found: dict[str, Edition]) -> list[str]:
    known = sections()
    return [
        f"{name}.sections: {NOTEBOOK.name} has no section {section!r}; it has {', '.join(known)}"
        for name, one in found.items()
        for section in one.sections
        if section not in known
    ]
