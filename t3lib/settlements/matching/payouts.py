"""Payouts made of a provider's lines, and the bank lines that they reached."""

from collections import defaultdict
from datetime import date, timedelta
from itertools import combinations
from string import ascii_uppercase
from typing import Any

import pandas as pd

from t3lib.settlements.layouts import NEXT
from t3lib.settlements.matching.books import NOT_EXPLAINED, ON_ITS_WAY, SETTLED, SHORT, Books, Payout
from t3lib.settlements.working_days import after

Key = tuple[str, str, str]  # provider, account, payout id; an empty id: not paid out yet
SHORTEST_ID = 5  # of a payout, to be looked for in the text of a bank line
EARLY_DAYS, LATE_DAYS = 3, 45  # around the expected day, for a bank line of the same amount
HALVES_DAYS = 7  # after the expected day, for two bank lines that are a payout together


def joined(books: Books) -> pd.DataFrame:
    """The provider lines, each with its payout; where a provider writes a running account, the one that follows."""
    lines = books.lines
    running = [name for name, one in books.rules.providers.items() if any(o.payout == NEXT for o in one.layouts)]
    if lines.empty or not lines["provider"].isin(running).any():
        return lines
    ordered = lines.sort_values(["provider", "account", "occurred_at", "line_kind", "identity"], kind="stable")
    is_next = ordered["provider"].isin(running) & (ordered["line_kind"] != "payout")
    ids = ordered["payout_id"].mask(is_next).groupby([ordered["provider"], ordered["account"]], sort=False).bfill()
    return ordered.assign(payout_id=ids.fillna(""))


def gathered(lines: pd.DataFrame, books: Books) -> dict[Key, Payout]:
    """The payouts by key, in the order in which they are expected."""
    found: dict[Key, Payout] = {}
    sums = lines.groupby(["provider", "account", "payout_id", "line_kind"], sort=True).agg(
        gross=("gross_pence", "sum"), fee=("fee_pence", "sum"), first=("business_date", "min"),
        last=("business_date", "max"), on=("payout_on", lambda days: max(days.dropna(), default=None)),
    )  # fmt: skip
    parts: dict[Key, dict[str, Any]] = defaultdict(dict)
    for (provider, account, payout_id, kind), row in zip(sums.index, sums.itertuples(), strict=True):
        if payout_id:
            parts[provider, account, payout_id][kind] = row
    for key, kinds in parts.items():
        found[key] = _payout(key, kinds, books)
    return dict(sorted(found.items(), key=lambda item: (item[1].expected_on, item[0])))


def _payout(key: Key, kinds: dict[str, Any], books: Books) -> Payout:
    provider, account, payout_id = key
    first, last = min(row.first for row in kinds.values()), max(row.last for row in kinds.values())
    said = [row.on for row in kinds.values() if row.on]
    gross = {kind: int(row.gross) for kind, row in kinds.items()}
    fee = sum(int(row.fee) for row in kinds.values())
    made = Payout(
        f"payout/{provider}/{account}/{payout_id}", provider, account, payout_id, first, last,
        _expected(max(said) if said else None, kinds, last, provider, books), gross.get("sale", 0), fee,
        -gross.get("refund", 0), -gross.get("chargeback", 0), gross.get("adjustment", 0),
    )  # fmt: skip
    made.amount_pence = made.gross_pence - fee - made.refund_pence - made.chargeback_pence + made.adjustment_pence
    if "payout" in gross:  # what the provider says that it paid counts; the rest it kept or gave back
        made.adjustment_pence += -gross["payout"] - made.amount_pence
        made.amount_pence = -gross["payout"]
    return made


def _expected(said: date | None, kinds: dict[str, Any], last: date, provider: str, books: Books) -> date:
    part = books.rules.holidays
    if said:
        return after(said, 0, part)
    if "payout" in kinds:
        return after(kinds["payout"].last, 1, part)
    return after(last, _delay(books, provider), part)


def _delay(books: Books, provider: str) -> int:
    known = books.rules.providers.get(provider)
    return known.delay_days if known else 3


def due(books: Books, day: date, provider: str) -> date:
    """By when the bank should have a day's card sales, where no payout says."""
    delays = [_delay(books, provider)] if provider else [one.delay_days for one in books.rules.providers.values()]
    return after(day, max(delays), books.rules.holidays)


def deadline(books: Books, expected: date) -> date:
    """The last day on which money that was expected on a day is not late."""
    return after(expected, books.rules.grace_days, books.rules.holidays)


def banked(payouts: dict[Key, Payout], books: Books) -> list[Any]:
    """Match payouts with bank lines, one with one; returns the payout lines of the bank that are left.

    First by the payout's id in the text; then pairs of the same provider and amount, the nearest in time first; then a
    line that is the sum of the payouts of one day; then two lines that are a payout together."""
    lines = [row for row in books.bank.itertuples() if row.line_kind == "payout"]
    lines.sort(key=lambda row: (row.booked_on, row.identity))
    waiting = {key: payout for key, payout in payouts.items() if payout.amount_pence}
    taken: set[str] = set()
    _by_reference(waiting, lines, taken)
    _by_amount(waiting, lines, taken)
    _by_sum(waiting, lines, taken)
    _by_halves(waiting, lines, taken)
    until = _statements_until(books)
    for payout in payouts.values():
        _judge(payout, books, until.get(payout.provider, until.get("")))
    return [row for row in lines if row.identity not in taken]


def _statements_until(books: Books) -> dict[str, date]:
    """The last day of the statements by provider, of the bank accounts that it pays into; of any account under ''."""
    last: dict[str, date] = defaultdict(lambda: date.min)
    of_provider: dict[str, set[str]] = defaultdict(set)
    for row in books.bank.itertuples():
        last[row.account] = max(last[row.account], row.booked_on)
        of_provider[row.provider].add(row.account)
    of_provider[""] = set(last)
    return {name: max(last[account] for account in used) for name, used in of_provider.items() if used}


def _by_reference(waiting: dict[Key, Payout], lines: list[Any], taken: set[str]) -> None:
    """A word of a bank line, with or without letters before it (PID4711), may be the id of a payout."""
    words: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for line in lines:
        for word in set(line.text.upper().split()):
            for said in {word, word.lstrip(ascii_uppercase)}:
                words[line.provider, said].append(line)
    for choose in (_all_of_it, _one_of_it, _part_of_it):
        for key, payout in list(waiting.items()):
            found = words.get((payout.provider, payout.payout_id.upper()), ())
            named = {line.identity: line for line in found if line.identity not in taken}
            chosen = choose(payout, list(named.values())) if len(payout.payout_id) >= SHORTEST_ID else []
            if chosen:
                _pay(waiting.pop(key), chosen, taken)


def _all_of_it(payout: Payout, named: list[Any]) -> list[Any]:
    """The lines that name a payout, where they are it together: it came in parts, or came back and came again."""
    return named if sum(line.amount_pence for line in named) == payout.amount_pence else []


def _one_of_it(payout: Payout, named: list[Any]) -> list[Any]:
    return [line for line in named if line.amount_pence == payout.amount_pence][:1]


def _part_of_it(payout: Payout, named: list[Any]) -> list[Any]:
    return named[:1]


def _by_amount(waiting: dict[Key, Payout], lines: list[Any], taken: set[str]) -> None:
    by_amount: dict[tuple[str, int], list[tuple[Key, Payout]]] = defaultdict(list)
    for key, payout in waiting.items():
        by_amount[payout.provider, payout.amount_pence].append((key, payout))
    pairs = []
    for line in lines:
        if line.identity in taken:
            continue
        for key, payout in by_amount.get((line.provider, line.amount_pence), ()):
            apart = (line.booked_on - payout.expected_on).days
            if -EARLY_DAYS <= apart <= LATE_DAYS:
                pairs.append((abs(apart), payout.account not in line.text, payout.expected_on, key, line))
    for *_, key, line in sorted(pairs, key=lambda pair: (*pair[:4], pair[4].identity)):
        if key in waiting and line.identity not in taken:
            _pay(waiting.pop(key), [line], taken)


def _by_sum(waiting: dict[Key, Payout], lines: list[Any], taken: set[str]) -> None:
    days: dict[tuple[str, date], list[Key]] = defaultdict(list)
    for key, payout in waiting.items():
        days[payout.provider, payout.expected_on].append(key)
    by_amount: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for line in lines:
        by_amount[line.provider, line.amount_pence].append(line)
    for (provider, day), keys in days.items():
        same = by_amount.get((provider, sum(waiting[key].amount_pence for key in keys)), ())
        near = [line for line in same if line.identity not in taken and abs((line.booked_on - day).days) <= EARLY_DAYS]
        if len(keys) > 1 and near:
            for key in keys:
                payout = waiting.pop(key)
                payout.banked_pence, payout.banked_on = payout.amount_pence, near[0].booked_on
            taken.add(near[0].identity)


def _by_halves(waiting: dict[Key, Payout], lines: list[Any], taken: set[str]) -> None:
    left = [line for line in lines if line.identity not in taken and line.amount_pence > 0]
    for key, payout in list(waiting.items()):
        near = [line for line in left if line.identity not in taken and line.provider == payout.provider
                and -EARLY_DAYS <= (line.booked_on - payout.expected_on).days <= HALVES_DAYS]  # fmt: skip
        pairs = (pair for pair in combinations(near, 2)
                 if sum(line.amount_pence for line in pair) == payout.amount_pence)  # fmt: skip
        if pair := next(pairs, None):
            _pay(waiting.pop(key), list(pair), taken)


def _pay(payout: Payout, lines: list[Any], taken: set[str]) -> None:
    payout.banked_pence = int(sum(line.amount_pence for line in lines))
    payout.banked_on = max(line.booked_on for line in lines)
    taken.update(line.identity for line in lines)


def _judge(payout: Payout, books: Books, until: date | None) -> None:
    """State and cause of a payout. until: the last day of the bank statements."""
    late = deadline(books, payout.expected_on)
    if payout.banked_on:
        less = payout.banked_pence < payout.amount_pence
        payout.state = SHORT if less else SETTLED
        payout.cause = "paid_less" if less else "paid"
    elif payout.amount_pence <= 0:
        payout.state, payout.cause = SETTLED, "nothing_to_pay"
    elif books.today <= late:
        payout.state, payout.cause = ON_ITS_WAY, "paid_out"
    elif until is None or until <= late:
        payout.state, payout.cause = waited_for(books, late), "no_statement"
    else:
        payout.state, payout.cause = SHORT, "payout_missing"


def waited_for(books: Books, late: date) -> str:
    """The state of what cannot be judged before a newer file comes: on its way, until the limit for alerts is over."""
    return ON_ITS_WAY if books.today <= late + timedelta(days=books.rules.alert_days) else NOT_EXPLAINED
