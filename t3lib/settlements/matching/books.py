"""What is matched, and what comes out."""

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import pandas as pd

from t3lib.settlements.layouts import Layouts

FLEET = 0  # stands for trucks that no row of terminals.csv names
SETTLED, ON_ITS_WAY, SHORT, OVER, NOT_EXPLAINED = "settled", "on_its_way", "short", "over", "not_explained"
OPEN = (SHORT, OVER, NOT_EXPLAINED)


class Decision(NamedTuple):
    """What a person decided about an item: 'explain' or 'write_off', for how many pence of it."""

    action: str
    pence: int


@dataclass(frozen=True)
class Books:
    """Everything that is matched; frames with the columns of the tables.

    sales: tender, truck_id, business_date, pence. lines: core.settlement. bank: core.bank_line. terminals:
    core.terminal. banking: core.banking. Only lines that count. decisions: by item."""

    sales: pd.DataFrame
    lines: pd.DataFrame
    bank: pd.DataFrame
    terminals: pd.DataFrame
    banking: pd.DataFrame
    rules: Layouts
    today: date
    decisions: dict[str, Decision] = field(default_factory=dict)


class Row(NamedTuple):
    """One row of mart.settled_daily."""

    tender: str
    truck_id: int
    business_date: date
    state: str
    cause: str
    item: str
    provider: str
    expected_on: date
    pence: int


@dataclass
class Payout:
    """One row of mart.payout. Pence with sign; refunds and chargebacks are positive when they take from us."""

    item: str
    provider: str
    account: str
    payout_id: str
    first_day: date
    last_day: date
    expected_on: date
    gross_pence: int = 0
    fee_pence: int = 0
    refund_pence: int = 0
    chargeback_pence: int = 0
    adjustment_pence: int = 0
    amount_pence: int = 0
    banked_pence: int = 0
    banked_on: date | None = None
    state: str = ON_ITS_WAY
    cause: str = "paid_out"

    @property
    def missing_pence(self) -> int:
        """How much less than its sales it brought, beyond fees, refunds and chargebacks."""
        if self.cause == "paid_less":
            return min(self.amount_pence - self.banked_pence, self.gross_pence)
        return 0 if self.state == SETTLED else self.gross_pence


@dataclass(frozen=True)
class Proof:
    """What came out: the pence of each day by state, and the payouts."""

    rows: list[Row]
    payouts: list[Payout]
