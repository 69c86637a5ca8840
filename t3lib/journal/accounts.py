"""Which part of a business day goes to which account, and what programs import (`notebooks/accounts.toml`)."""

from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from t3lib.problems import RefusedError
from t3lib.settings import read_tables, settings

Value = Literal["", "narration", "number", "date", "description", "account", "tax", "amount", "debit", "credit"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
Written = Annotated[str, Field(min_length=1, max_length=100)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Account(_Table):
    """An account by its code and by its name. `tax` replaces a layout's own, by name of the layout."""

    code: Written
    name: Written
    tax: dict[Name, str] = {}


class Pair(_Table):
    """The account that is debited, and the one that is credited."""

    account: Account
    against: Account


class Layout(_Table):
    """What a program imports: the value of each column, how dates and accounts are written, the tax of a line, and
    the most lines of a file. `source` is the maker's page."""

    title: Written
    source: Annotated[str, Field(min_length=1, max_length=300)]
    account: Literal["code", "name"]
    date: Written
    tax: str = ""
    most_lines: Annotated[int, Field(ge=50, le=100_000)]
    columns: dict[Written, Value]

    @field_validator("date")
    @classmethod
    def _whole_date(cls, value: str) -> str:
        days = ((2026, 11, 5), (2026, 11, 6), (2026, 12, 5), (2027, 11, 5))
        if len({date(*day).strftime(value) for day in days}) < len(days):
            raise ValueError(f"{value!r} leaves out the day, the month or the year: write it like %d/%m/%Y")
        return value

    @model_validator(mode="after")
    def _balances(self) -> "Layout":
        values = set(self.columns.values())
        if not ("amount" in values or {"debit", "credit"} <= values) or not {"date", "account"} <= values:
            raise ValueError("columns need a date, an account, and an amount or both debit and credit")
        if not values & {"narration", "number"}:
            raise ValueError("columns need a narration or a number: it holds the lines of a journal together")
        return self


class Accounts(_Table):
    """The whole file."""

    corrections: Literal["export", "day"] = "export"
    payments: dict[str, Account]
    sales: dict[str, Account]
    vat: Account
    goods: Pair | None = None
    costs: dict[str, Pair] = {}
    layouts: dict[Name, Layout]

    @field_validator("sales")
    @classmethod
    def _rates(cls, value: dict[str, Account]) -> dict[str, Account]:
        return {_rate(text): account for text, account in value.items()}

    @field_validator("costs", "payments")
    @classmethod
    def _lower(cls, value: dict[str, Any]) -> dict[str, Any]:
        return {name.lower(): pair for name, pair in value.items()}

    @property
    def posted(self) -> tuple[str, ...]:
        """The goods and costs that are in the journal, as parts of a day."""
        return (*(["goods"] if self.goods else []), *(f"cost {name}" for name in self.costs))

    def layout(self, name: str) -> Layout:
        """The layout of that name. Raises RefusedError, which names the known ones."""
        if name not in self.layouts:
            raise RefusedError(f"There is no layout {name!r}: choose one of {', '.join(self.layouts)}.")
        return self.layouts[name]

    def of_part(self, part: str) -> Account | None:
        """The account of a part of a day, such as `sales 20`, `cost wages` or `against goods`; None without one."""
        kind, _, of = part.partition(" ")
        if kind == "against":
            pair = self._pair(of)
            return pair.against if pair else None
        if kind in ("payment", "sales"):
            return (self.payments if kind == "payment" else self.sales).get(of)
        if kind == "vat":
            return self.vat
        pair = self._pair(part)
        return pair.account if pair else None

    def _pair(self, part: str) -> Pair | None:
        return self.goods if part == "goods" else self.costs.get(part.removeprefix("cost "))


def accounts() -> Accounts:
    """The file. Raises SettingsError, which names the table and the key that is wrong."""
    return _read(settings().accounts)


def schema() -> dict[str, Any]:
    """The JSON schema of the file, as `notebooks/accounts.schema.json` holds it."""
    return {"$schema": "http://json-schema.org/draft-07/schema#", **Accounts.model_json_schema()}


@cache
def _read(file: Path) -> Accounts:
    return read_tables(file, Accounts)


def _rate(text: str) -> str:
    """A rate as a part of a day names it: 20 for 20.0."""
    try:
        return f"{Decimal(text).normalize():f}"
    except InvalidOperation:
        raise ValueError(f'{text[:40]!r} is not a rate of VAT: write it like 20 or "12.5"') from None
