"""The layouts of `notebooks/settlements.toml`: what a column means in each provider's and bank's file."""

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, model_validator

from t3lib.settings import ROOT, read_tables

FILE = ROOT / "notebooks" / "settlements.toml"
KINDS = ("sale", "fee", "refund", "chargeback", "adjustment", "payout")
NEXT = "next"
Kind = Literal["sale", "fee", "refund", "chargeback", "adjustment", "payout"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
Column = Annotated[str, Field(min_length=1, max_length=80)]
Columns = Annotated[tuple[Column, ...], Field(min_length=1, max_length=5)]
Formats = Annotated[tuple[Annotated[str, Field(min_length=2, max_length=40)], ...], Field(min_length=1)]
Texts = Annotated[tuple[Annotated[str, Field(min_length=3, max_length=60)], ...], Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Layout(_Table):
    """The columns of a provider's file. `payout = "next"`: a line belongs to the payout row that follows it.

    `no_money`: by column the texts of lines that moved none, such as failed payments; they are counted, not loaded."""

    at: Columns
    at_formats: Formats
    zone: str = "Europe/London"
    id: Column
    kind: Column
    kinds: Annotated[dict[str, Kind], Field(min_length=1)]
    gross: Column
    fee: Column | None = None
    fee_sign: Literal["positive", "negative"] = "positive"
    net: Column | None = None
    unit: Literal["pounds", "pence"] = "pounds"
    currency: Column | None = None
    account: Column | None = None
    terminal: Column | None = None
    payout: Column
    payout_on: Column | None = None
    payout_on_formats: tuple[str, ...] = ()
    negative_sale: Literal["refund", "sale"] = "sale"
    no_money: dict[Column, tuple[str, ...]] = {}

    @property
    def columns(self) -> set[str]:
        """Every column that it needs."""
        named = (self.id, self.kind, self.gross, self.fee, self.net, self.currency, self.account, self.terminal,
                 None if self.payout == NEXT else self.payout, self.payout_on, *self.no_money)  # fmt: skip
        return {*self.at, *(name for name in named if name)}

    @model_validator(mode="after")
    def _complete(self) -> "Layout":
        if self.zone not in available_timezones():
            raise ValueError(f"zone {self.zone!r} is not known: write one like Europe/London")
        if self.payout_on and not self.payout_on_formats:
            raise ValueError("payout_on needs payout_on_formats")
        return self


class Provider(_Table):
    """A card provider: by which texts bank lines are its payouts, and its layouts."""

    title: Annotated[str, Field(min_length=1, max_length=40)]
    bank_text: Texts
    delay_days: Annotated[int, Field(ge=0, le=30)]
    layouts: Annotated[tuple[Layout, ...], Field(min_length=1)]


class Bank(_Table):
    """The columns of a bank's CSV: one amount with its sign, or a credit and a debit column."""

    on: Column
    on_formats: Formats
    amount: Column | None = None
    credit: Column | None = None
    debit: Column | None = None
    text: Columns
    id: Column | None = None
    account: Column | None = None
    currency: Column | None = None

    @property
    def columns(self) -> set[str]:
        """Every column that it needs."""
        named = (self.amount, self.credit, self.debit, self.id, self.account, self.currency)
        return {self.on, *self.text, *(name for name in named if name)}

    @model_validator(mode="after")
    def _one_way_to_say_the_amount(self) -> "Bank":
        if (self.amount is None) == (self.credit is None or self.debit is None):
            raise ValueError("name the column amount, or credit and debit")
        return self


class Cash(_Table):
    """By which texts bank lines are cash that was paid in."""

    bank_text: Texts


class Layouts(_Table):
    """The whole file."""

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "GBP"
    holidays: Literal["England", "Wales", "Scotland", "Northern Ireland"] = "England"
    grace_days: Annotated[int, Field(ge=0, le=30)] = 2
    alert_days: Annotated[int, Field(ge=0, le=365)] = 5
    alert_pounds: Annotated[int, Field(ge=0, le=100_000)] = 5
    cash: Cash
    providers: Annotated[dict[Name, Provider], Field(min_length=1)]
    banks: dict[Name, Bank] = {}

    def title(self, provider: str) -> str:
        """What people call a provider."""
        known = self.providers.get(provider)
        return known.title if known else provider


def layouts(file: Path = FILE) -> Layouts:
    """The layouts in force. Raises SettingsError, which names the table and key that is wrong."""
    return _read(file, file.stat().st_mtime_ns if file.exists() else 0)


def schema() -> dict[str, Any]:
    """The JSON schema of the file, as `notebooks/settlements.schema.json` holds it."""
    return {"$schema": "http://json-schema.org/draft-07/schema#", **Layouts.model_json_schema()}


def zone(layout: Layout) -> ZoneInfo:
    """The zone of a layout's moments without an offset."""
    return ZoneInfo(layout.zone)


@cache
def _read(file: Path, _changed: int) -> Layouts:
    return read_tables(file, Layouts)
