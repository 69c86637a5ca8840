"""Cash that was paid in at the bank, compared with the cash sales of a truck.

The proof of a truck's cash begins with its first deposit, which settles what was before. A deposit belongs to the days
in a row whose sales it equals, the oldest first; where there are none, it fills the days since the deposit before."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from t3lib.settlements.matching.books import FLEET, ON_ITS_WAY, OVER, SETTLED, SHORT, Books, Row
from t3lib.settlements.matching.payouts import deadline, waited_for
from t3lib.settlements.working_days import after


@dataclass
class _Till:
    """One truck: its open cash pence by day, in order; its deposits; the rows found so far."""

    truck: int
    days: dict[date, int]
    deposits: list[Any]
    terms: list[Any]
    rows: list[Row] = field(default_factory=list)
    touched: set[date] = field(default_factory=set)
    covered: date = date.min

    def settle(self, day: date, pence: int, cause: str, item: str, on: date) -> None:
        """Take pence of a day out of what is open."""
        self.days[day] -= pence
        self.touched.add(day)
        self.rows.append(Row("cash", self.truck, day, SETTLED, cause, item, "", on, pence))

    def terms_of(self, day: date) -> Any:
        """The row of banking.csv that held on a day; the last one before, where none did."""
        begun = [row for row in self.terms if row.from_date <= day]
        return (begun or self.terms)[-1 if begun else 0]


def matched(books: Books) -> list[Row]:
    """Rows of the cash sales of every truck in banking.csv, and of cash that is on the bank account without sales."""
    if books.banking.empty or books.bank.empty:
        return []
    deposits, unknown = _deposits(books)
    sold: dict[int, dict[date, int]] = defaultdict(dict)
    for row in books.sales[books.sales["tender"] == "cash"].sort_values("business_date").itertuples():
        sold[int(row.truck_id)][row.business_date] = int(row.pence)
    rows = []
    for truck, terms in books.banking.sort_values("from_date").groupby("truck_id"):
        own = deposits.get(int(truck), [])
        if own:
            begin = own[0].booked_on
            days = {day: pence for day, pence in sold[int(truck)].items() if day >= begin}
            rows += _proven(_Till(int(truck), days, own[1:], list(terms.itertuples())), begin, books)
    begin = min((own[0].booked_on for own in deposits.values()), default=date.max)
    rows += [Row("cash", FLEET, line.booked_on, OVER, "cash_of_nobody", _item(line), "", line.booked_on,
                 int(line.amount_pence)) for line in unknown if line.booked_on >= begin]  # fmt: skip
    return rows


def _deposits(books: Books) -> tuple[dict[int, list[Any]], list[Any]]:
    """The bank's cash lines by truck, and those whose text names no truck."""
    found: dict[int, list[Any]] = defaultdict(list)
    unknown = []
    cash = books.bank[books.bank["line_kind"] == "cash"].sort_values(["booked_on", "identity"])
    for line in cash.itertuples():
        named = {int(row.truck_id) for row in books.banking.itertuples()
                 if row.from_date <= line.booked_on < row.to_date and _names(line.text, row.reference)}  # fmt: skip
        if len(named) == 1:
            found[named.pop()].append(line)
        else:
            unknown.append(line)
    return found, unknown


def _names(text: str, reference: str) -> bool:
    """Whether a text has a reference as words of their own: T3 TRUCK 1 is not in T3 TRUCK 12."""
    return f" {' '.join(reference.upper().split())} " in f" {' '.join(text.upper().split())} "


def _proven(till: _Till, begin: date, books: Books) -> list[Row]:
    _keep_float(till, begin)
    for number, deposit in enumerate(till.deposits):
        _deposit(till, deposit, begin if number == 0 else None)
    until = max(books.bank["booked_on"])
    for day, pence in till.days.items():
        if pence:
            till.rows.append(_open(till, day, pence, until, books))
    return till.rows


def _keep_float(till: _Till, begin: date) -> None:
    """Where the float rises, takings from that day on stay in the till until it is reached."""
    for before, now in zip(till.terms, till.terms[1:], strict=False):
        left = max(int(now.float_pence - before.float_pence), 0) if now.from_date >= begin else 0
        for day in till.days:
            if left and day >= now.from_date:
                kept = min(left, till.days[day])
                till.settle(day, kept, "float", "", day)
                left -= kept


def _deposit(till: _Till, deposit: Any, opened: date | None) -> None:
    """Settle days with a deposit. opened: the day of the first one, where this is the next."""
    pence = int(deposit.amount_pence) - _float_paid_in(till, deposit)
    waiting = [day for day in till.days if till.days[day] and day <= deposit.booked_on]
    run = _run(till, waiting, pence)
    if run:
        if opened in waiting and run[0] > opened:  # the takings of that day were in the first deposit
            till.days.pop(opened)
        for day in run:
            till.settle(day, till.days[day], "banked", _item(deposit), deposit.booked_on)
        till.covered = max(till.covered, run[-1])
        return
    since = [day for day in waiting if day > till.covered]
    for day in (*since, *(day for day in waiting if day <= till.covered)):
        if taken := min(pence, till.days[day]):
            till.settle(day, taken, "banked", _item(deposit), deposit.booked_on)
            pence -= taken
    till.covered = max([till.covered, *since])
    if pence > 0:
        till.rows.append(Row("cash", till.truck, deposit.booked_on, OVER, "banked_more", _item(deposit), "",
                             deposit.booked_on, pence))  # fmt: skip


def _float_paid_in(till: _Till, deposit: Any) -> int:
    """How much less float there is since the deposit before: it is in this one."""
    index = till.deposits.index(deposit)
    last = till.deposits[index - 1].booked_on if index else date.min
    fell = [int(before.float_pence - now.float_pence) for before, now in zip(till.terms, till.terms[1:], strict=False)
            if last < now.from_date <= deposit.booked_on]  # fmt: skip
    return min(sum(max(pence, 0) for pence in fell), int(deposit.amount_pence))


def _run(till: _Till, waiting: list[date], pence: int) -> list[date]:
    """The first days in a row whose open pence are exactly these."""
    for start in range(len(waiting)):
        total = 0
        for end in range(start, len(waiting)):
            total += till.days[waiting[end]]
            if total == pence:
                return waiting[start : end + 1]
            if total > pence:
                break
    return []


def _open(till: _Till, day: date, pence: int, until: date, books: Books) -> Row:
    within = timedelta(days=int(till.terms_of(day).within_days))
    expected = after(day + within, 0, books.rules.holidays)
    late, item = deadline(books, expected), f"cash/{till.truck}/{day}"
    if books.today <= late:
        state, cause = ON_ITS_WAY, "not_banked_yet"
    elif until <= late:
        state, cause = waited_for(books, late), "no_statement"
    else:
        state, cause = SHORT, "banked_less" if day in till.touched else "not_banked"
    return Row("cash", till.truck, day, state, cause, item, "", expected, pence)


def _item(line: Any) -> str:
    return f"bank/{line.identity[:12]}"
