"""The files of a simulation, what goes wrong on the way to the bank, and the truth of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from t3lib.business_day import business_date
from t3lib.settlements.working_days import after
from t3lib.simulate.chance import draw
from t3lib.simulate.files import csv_file
from t3lib.simulate.plan import Plan
from t3lib.simulate.settled.exports import Booked, net, provider_file, statement
from t3lib.simulate.settled.lines import Account, Line, accounts, of_account, terminal_sales, till_sales

HALF_YEAR, QUIET_DAYS = 182, 14  # a lost and a doubled payout in each half year, none in the last days
SHORT_PENCE, FLOAT, WITHIN_DAYS = 2000, "100.00", 10
_LUCK = 9  # purpose of draws; lines.py has the number before
LATE = 0.02  # of the payouts come a working day later than said


@dataclass
class Settled:
    """Files by key, the till's sales by tender, truck and day, and the truth.

    truth: pence by what they are (sales, fees, refunds, chargebacks, banked); payouts lost and doubled; what the
    providers have and the tills do not, by truck and day; what was banked too little, by truck and day of banking."""

    files: dict[str, bytes] = field(default_factory=dict)
    sales: dict[tuple[str, int, date], int] = field(default_factory=dict)
    truth: dict[str, Any] = field(default_factory=dict)


def settled(plan: Plan) -> Settled:
    """Everything under settlements/ and the two lists in metadata/ for a simulation."""
    days = [plan.first + timedelta(days=n) for n in range(plan.days)]
    today, made, booked = business_date(plan.now), Settled(), []
    known = accounts(plan.trucks)
    sums: Counter[str] = Counter()
    mishaps: dict[str, list[dict[str, Any]]] = {"lost": [], "doubled": []}
    unlucky = _unlucky(known, days, plan.feed.seed)
    for account in known:
        by_day = of_account(account, days, plan)
        _count(sums, by_day)
        booked += _paid(account, by_day, unlucky, today, mishaps)
        for month, part in _months(by_day):
            made.files[f"settlements/{account.name}/{month}.csv"] = provider_file(account, part)
    _tills(made, days, plan)
    shortfall, cash = _cash(made, days, today, plan.trucks)
    booked += cash + _wages(days, today)
    made.files |= _statements(booked) | _lists(known, plan.trucks)
    made.truth = dict(sorted(sums.items())) | mishaps | {
        "banked": sum(line.pence for line in booked if line.pence > 0),
        "not_in_till": _not_in_till(made, days, plan), "cash_short": shortfall,
    }  # fmt: skip
    return made


def _count(sums: Counter[str], by_day: dict[date, list[Line]]) -> None:
    for lines in by_day.values():
        for line in lines:
            sums[f"{line.kind}s" if line.kind != "fee" else "fees"] += abs(line.gross)
            sums["fees"] += line.fee


def _unlucky(known: list[Account], days: list[date], seed: int) -> dict[tuple[str, date], str]:
    """(account, day) of the payouts that are lost or come twice; of accounts of one truck."""
    small = [account for account in known if len(account.trucks) == 1]
    found: dict[tuple[str, date], str] = {}
    for start in range(0, len(days) - QUIET_DAYS, HALF_YEAR):
        part = days[start : min(start + HALF_YEAR, len(days) - QUIET_DAYS)]
        for number, what in enumerate(("lost", "doubled")):
            if small and len(part) > 2:
                place = int(draw(seed, _LUCK, start, number) * (len(part) - 1)) + 1
                found[small[(start // HALF_YEAR + number) % len(small)].name, part[place]] = what
    return found


def _paid(
    account: Account, by_day: dict[date, list[Line]], unlucky: dict[tuple[str, date], str], today: date,
    mishaps: dict[str, list[dict[str, Any]]],
) -> list[Booked]:  # fmt: skip
    """The bank lines of an account's payouts. A payout without a sale is never the unlucky one."""
    booked, days = [], sorted(day for name, day in unlucky if name == account.name)
    waiting = ""
    for day, lines in by_day.items():
        while days and days[0] <= day:
            waiting = unlucky[account.name, days.pop(0)]
        on, pence = account.arrives(day), net(lines)
        if draw(1, _LUCK, day.toordinal(), *account.trucks) < LATE:
            on = after(on + timedelta(days=1), 0)
        if pence <= 0 or on > today:
            continue
        name = {"sumup": "SUMUP PAYMENTS", "stripe": "STRIPE PAYMENTS UK", "zettle": "ZETTLE BY PAYPAL",
                "square": "SQUAREUP INTERNATIONAL"}[account.provider]  # fmt: skip
        line = Booked(on, pence, name, account.payout_id(day) if account.provider == "sumup" else "")
        copies = {"lost": [], "doubled": [line, Booked(after(on, 2), pence, name, line.memo)]}.get(waiting, [line])
        if waiting:
            gross = sum(one.gross for one in lines if one.kind == "sale")
            mishaps[waiting].append({"provider": account.provider, "account": account.name, "gross": gross,
                                     "payout_id": account.payout_id(day), "net": pence})  # fmt: skip
            waiting = ""
        booked += [one for one in copies if one.on <= today]
    return booked


def _tills(made: Settled, days: list[date], plan: Plan) -> None:
    for number in range(1, plan.trucks + 1):
        for day in days:
            for tender, pence in zip(("card", "cash"), till_sales(number, day, plan), strict=True):
                if pence:
                    made.sales[tender, number, day] = pence


def _not_in_till(made: Settled, days: list[date], plan: Plan) -> list[dict[str, Any]]:
    found = []
    for number in range(1, plan.trucks + 1):
        for day in days:
            paid = sum(pence for _, pence in terminal_sales(number, day, plan))
            if (more := paid - made.sales.get(("card", number, day), 0)) > 0:
                found.append({"truck_id": number, "business_date": day.isoformat(), "pence": more})
    return found


def _cash(made: Settled, days: list[date], today: date, trucks: int) -> tuple[list[dict[str, Any]], list[Booked]]:
    """Each Monday the cash of the seven days before; once in half a year one truck is 20 pounds short."""
    short, booked = [], []
    until = [days[0] + timedelta(days=n) for n in range((today - days[0]).days + 1)]
    for monday in (day for day in until if day.weekday() == 0):
        for number in range(1, trucks + 1):
            pence = sum(made.sales.get(("cash", number, monday - timedelta(days=n)), 0) for n in range(1, 8))
            week = (monday - days[0]).days // 7
            if pence > SHORT_PENCE and week % 26 == 5 and number == 1 + week // 26 % trucks:
                pence -= SHORT_PENCE
                short.append({"truck_id": number, "banked_on": monday.isoformat(), "pence": SHORT_PENCE})
            if pence:
                on = after(monday, 0)
                booked.append(Booked(on, pence, "CASH PAID IN AT LICHFIELD", f"T3 TRUCK {number}"))
    return short, [line for line in booked if line.on <= today]


def _wages(days: list[date], today: date) -> list[Booked]:
    """What else happens on the account."""
    return [Booked(day, -842_150, "WAGES") for day in days if day.day == 28 and day <= today]


def _months(by_day: dict[date, list[Line]]) -> Iterable[tuple[str, dict[date, list[Line]]]]:
    for month, part in groupby(by_day.items(), key=lambda item: f"{item[0]:%Y-%m}"):
        yield month, dict(part)


def _statements(booked: list[Booked]) -> dict[str, bytes]:
    months: dict[str, list[Booked]] = defaultdict(list)
    for line in sorted(booked, key=lambda line: (line.on, line.name, line.memo, line.pence)):
        months[f"{line.on:%Y-%m}"].append(line)
    return {f"settlements/bank/{month}.ofx": statement(lines, lines[0].on, lines[-1].on)
            for month, lines in months.items()}  # fmt: skip


def _lists(known: list[Account], trucks: int) -> dict[str, bytes]:
    terminals = [
        (account.provider, account.name, f"truck{number}@t3.example" if account.provider == "sumup" else "", number)
        for account in known
        for number in account.trucks
    ]
    banking = [(number, f"T3 TRUCK {number}", FLOAT, WITHIN_DAYS) for number in range(1, trucks + 1)]
    return {
        "metadata/terminals.csv": csv_file(("provider", "account", "terminal", "truck_id"), terminals),
        "metadata/banking.csv": csv_file(("truck_id", "reference", "float", "within_days"), banking),
    }
