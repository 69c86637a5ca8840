"""The lines of the providers: card sales, refunds and chargebacks by account and business day, and their payouts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np

from t3lib.settlements.working_days import after
from t3lib.simulate.chance import draws
from t3lib.simulate.dirt import ACCEPTED, Rows
from t3lib.simulate.files import BATCH_HOURS, BATCHES, utc_minute
from t3lib.simulate.fleet import truck
from t3lib.simulate.plan import Plan
from t3lib.simulate.uploads import day_rows, day_uploads, empty_batches

PROVIDERS = ("sumup", "sumup", "square", "zettle", "stripe", "")
FEES = {"sumup": 169, "square": 175, "zettle": 175, "stripe": 150}  # hundredths of a percent
DELAYS = {"sumup": 2, "square": 1, "stripe": 3}  # working days; zettle: the day after its payout row
REFUNDED, DISPUTED = 1 / 500, 1 / 6000  # of the sales
DISPUTE_DAYS, DISPUTE_FEE = 18, 1000
_MONEY = 8  # purpose of draws; chance.py has the numbers before
OPENS, CLOSES = (BATCHES[0] - BATCH_HOURS) * 60, BATCHES[-1] * 60


@dataclass(frozen=True)
class Line:
    """One line of a provider's file. Pence with the sign that they have for us; the fee is positive."""

    kind: str
    at: datetime
    truck_id: int
    gross: int
    fee: int
    id: str
    day: date


@dataclass(frozen=True)
class Account:
    """An account with a provider, and its trucks."""

    provider: str
    name: str
    trucks: tuple[int, ...]

    def arrives(self, day: date) -> date:
        """When the bank has the payout of a business day."""
        if self.provider == "zettle":
            return after(day + timedelta(days=1), 1)
        return after(day, DELAYS[self.provider])

    def payout_id(self, day: date) -> str:
        """The id of the payout of a business day."""
        return f"{'po_' if self.provider == 'stripe' else 'P'}{self.name.upper()}{day:%y%m%d}"


def accounts(trucks: int) -> list[Account]:
    """The accounts of a fleet: two neighbours share one with SumUp."""
    found = []
    for first in range(1, trucks + 1, len(PROVIDERS)):
        fleet = range(first, min(first + len(PROVIDERS), trucks + 1))
        shared = tuple(number for number in fleet if PROVIDERS[number - first] == "sumup")
        found.append(Account("sumup", f"sumup-{first}", shared))
        found += [Account(PROVIDERS[number - first], f"{PROVIDERS[number - first]}-{number}", (number,))
                  for number in fleet if PROVIDERS[number - first] not in ("sumup", "")]  # fmt: skip
    return found


@lru_cache(4096)
def terminal_sales(number: int, day: date, plan: Plan) -> list[tuple[int, int]]:
    """(local minute, pence) of what customers paid by card on a business day: also where the file never came."""
    if not truck(number, plan.feed.seed).has_card_reader:
        return []
    rows = day_rows(number, day, plan.feed)
    return [(minute, pence) for minute, card, pence in _accepted(rows) if card and _is_fed(minute, day, plan)]


def till_sales(number: int, day: date, plan: Plan) -> tuple[int, int]:
    """Card and cash pence that the truck's files hold of a business day; a card sale without a reader is cash."""
    reader = truck(number, plan.feed.seed).has_card_reader
    if day < plan.live_days[0] if plan.live_days else True:
        parts = [day_rows(number, day, plan.feed)]
    else:
        empty = empty_batches(number, plan.live_days, plan.feed).get(day)
        parts = [upload.rows for upload in day_uploads(number, day, plan.feed, plan.now, empty)]
    found = [(card and reader, pence) for rows in parts for _, card, pence in _accepted(rows)]
    return sum(pence for card, pence in found if card), sum(pence for card, pence in found if not card)


def of_account(account: Account, days: list[date], plan: Plan) -> dict[date, list[Line]]:
    """Every line of an account by the business day whose payout holds it."""
    found: dict[date, list[Line]] = {day: [] for day in days}
    for day in days:
        for line in _of_day(account, day, plan):
            if line.day in found:
                found[line.day].append(line)
    return {day: sorted(lines, key=lambda line: (line.at, line.id)) for day, lines in found.items() if lines}


def _of_day(account: Account, day: date, plan: Plan) -> Iterator[Line]:
    """A day's sales, and the refunds and chargebacks that follow from them on later days."""
    for number in account.trucks:
        sales = terminal_sales(number, day, plan)
        luck = draws(plan.feed.seed, _MONEY, number, day.toordinal()).random(len(sales))
        for place, ((minute, pence), chance) in enumerate(zip(sales, luck.tolist(), strict=True)):
            at = datetime.fromtimestamp(utc_minute(day, minute) * 60, UTC)
            name = f"{account.provider[:2].upper()}{number:02d}{day:%y%m%d}{place:04d}"
            fee = (pence * FEES[account.provider] + 5000) // 10000
            yield Line("sale", at, number, pence, fee, name, day)
            if chance < REFUNDED:
                later = day + timedelta(days=1)
                yield Line("refund", at + timedelta(days=1), number, -pence, 0, f"R{name}", later)
            elif chance > 1 - DISPUTED:
                later = day + timedelta(days=DISPUTE_DAYS)
                at += timedelta(days=DISPUTE_DAYS)
                yield Line("chargeback", at, number, -pence, 0, f"C{name}", later)
                yield Line("fee", at, number, 0, DISPUTE_FEE, f"F{name}", later)


def _accepted(rows: Rows) -> Iterator[tuple[int, bool, int]]:
    for place in np.flatnonzero(rows.reason == ACCEPTED).tolist():
        yield int(rows.minute[place]), rows.types[place].strip().lower() == "card", int(rows.pence[place])


def _is_fed(minute: int, day: date, plan: Plan) -> bool:
    """Whether a file would bring a sale of this minute: live batches close at 21:00, and not in the future."""
    if not plan.live_days or day < plan.live_days[0]:
        return True
    moment = datetime.fromtimestamp(utc_minute(day, minute) * 60, UTC)
    closes = next((hour for hour in BATCHES if minute < hour * 60), 24)
    last = datetime.fromtimestamp(utc_minute(day, closes * 60) * 60, UTC)
    return OPENS <= minute < CLOSES and moment < plan.now and last <= plan.now
