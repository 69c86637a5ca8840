"""Card sales of a truck and day, compared with the provider's lines and their payouts."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pandas as pd

from t3lib.settlements.matching.books import (
    FLEET,
    NOT_EXPLAINED,
    ON_ITS_WAY,
    OVER,
    SETTLED,
    SHORT,
    Books,
    Payout,
    Row,
)
from t3lib.settlements.matching.owners import Owners
from t3lib.settlements.matching.payouts import Key, banked, deadline, due, gathered, joined, waited_for
from t3lib.settlements.matching.shares import share

Place = tuple[int, date]  # whose lines (a truck, or FLEET), business day
TWICE_DAYS = 14  # apart, for a second bank line of the same payout
_ORDER = (SETTLED, ON_ITS_WAY, NOT_EXPLAINED, SHORT)


def matched(books: Books) -> tuple[list[Row], list[Payout]]:
    """Rows of the card sales and of money without sales, and the payouts."""
    owners, lines = Owners(books.terminals), joined(books)
    if lines.empty:
        return [], []
    owned = _owned(lines, owners)
    payouts = gathered(owned, books)
    left = banked(payouts, books)
    sold = _sold(books, owners)
    parts, reports = _parts(owned, payouts, books), _reports(owned)
    rows: list[Row] = []
    for place in sorted(parts.keys() | {place for place in sold if _is_proven(place, reports)}):
        rows += _place(place, sold.get(place, {}), parts.get(place, []), reports, books)
    rows += _extra(payouts, owned)
    rows += _left(left, payouts, owned, books)
    return rows, list(payouts.values())


def _owned(lines: pd.DataFrame, owners: Owners) -> pd.DataFrame:
    """The lines with their truck, or FLEET."""
    names = ["provider", "account", "terminal", "business_date"]
    known = lines[names].drop_duplicates()
    trucks = [owners.of_line(*row) for row in known.itertuples(index=False)]
    return lines.merge(known.assign(pool=trucks), on=names, how="left")


def _sold(books: Books, owners: Owners) -> dict[Place, dict[int, int]]:
    """Card pence by place and truck."""
    found: dict[Place, dict[int, int]] = defaultdict(dict)
    card = books.sales[books.sales["tender"] == "card"].sort_values(["business_date", "truck_id"])
    for row in card.itertuples():
        found[owners.pool(row.truck_id, row.business_date), row.business_date][int(row.truck_id)] = int(row.pence)
    return found


def _reports(owned: pd.DataFrame) -> dict[int, tuple[date, date, str]]:
    """First and last day of the reports of each pool, and its provider (the last one)."""
    sums = owned.groupby("pool").agg(first=("business_date", "min"), last=("business_date", "max"),
                                     provider=("provider", "last"))  # fmt: skip
    return {int(row.Index): (row.first, row.last, row.provider) for row in sums.itertuples()}


def _is_proven(place: Place, reports: dict[int, tuple[date, date, str]]) -> bool:
    """Whether a day is one that the proof is about: not before the first report of its pool, or of any."""
    first = reports[place[0]][0] if place[0] in reports else min(report[0] for report in reports.values())
    return place[1] >= first


def _parts(owned: pd.DataFrame, payouts: dict[Key, Payout], books: Books) -> dict[Place, list[Row]]:
    """The provider's sales by place, each with what became of their payout; the place stands for the truck."""
    sales = owned[owned["line_kind"] == "sale"]
    sums = sales.groupby(["provider", "account", "payout_id", "business_date", "pool"], sort=True)["gross_pence"].sum()
    of_payout: dict[Key, dict[Place, int]] = defaultdict(dict)
    for (provider, account, payout_id, day, pool), pence in sums.items():
        if pence > 0:
            of_payout[provider, account, payout_id][int(pool), day] = int(pence)
    found: dict[Place, list[Row]] = defaultdict(list)
    last = owned.groupby(["provider", "account"])["business_date"].max().to_dict()
    for key, places in of_payout.items():
        if not key[2]:
            for place, pence in places.items():
                found[place].append(_pending(key, place, pence, last[key[:2]], books))
            continue
        for part in _of_payout(payouts[key], places):
            found[part.truck_id, part.business_date].append(part)
    return found


def _of_payout(payout: Payout, places: dict[Place, int]) -> Iterator[Row]:
    missing = share(min(payout.missing_pence, sum(places.values())), places)
    known = (payout.item, payout.provider, payout.expected_on)
    paid = "paid" if payout.state == SHORT else payout.cause
    for (truck, day), pence in places.items():
        lost = missing[truck, day]
        if pence > lost:
            yield Row("card", truck, day, SETTLED, paid, *known, pence - lost)
        if lost:
            yield Row("card", truck, day, payout.state, payout.cause, *known, lost)


def _pending(key: Key, place: Place, pence: int, last: date, books: Books) -> Row:
    """Sales of a report that names no payout of them yet."""
    expected = due(books, place[1], key[0])
    late = deadline(books, expected)
    state, cause = SHORT, "not_paid_out"
    if books.today <= late:
        state = ON_ITS_WAY
    elif last <= late:
        state, cause = waited_for(books, late), "no_report"
    return Row("card", *place, state, cause, f"payout/{key[0]}/{key[1]}/of {place[1]}", key[0], expected, pence)


def _place(
    place: Place, sold: dict[int, int], parts: list[Row], reports: dict[int, tuple[date, date, str]], books: Books
) -> list[Row]:
    """The rows of one place: the till's pence fill the provider's sales, first those that arrived."""
    pool, day = place
    left, filled = sum(sold.values()), []
    reported = sum(part.pence for part in parts)
    for part in sorted(parts, key=lambda part: (_ORDER.index(part.state), part.item)):
        if taken := min(part.pence, left):
            filled.append(part._replace(pence=taken))
            left -= taken
    if left:
        filled.append(_unreported(place, left, reports, books))
    rows = _by_truck(filled, sold)
    # A truck's file may come after the provider's.
    if reported > (total := sum(sold.values())) and books.today > deadline(books, day):
        provider = parts[0].provider
        item = f"card/{pool or 'fleet'}/{day}"
        rows.append(Row("card", pool, day, OVER, "not_in_till", item, provider, day, reported - total))
    return rows


def _unreported(place: Place, pence: int, reports: dict[int, tuple[date, date, str]], books: Books) -> Row:
    """Sales of the till that no provider's line tells of."""
    pool, day = place
    _, last, provider = reports.get(pool, (day, date.min, ""))
    expected = due(books, day, provider)
    late, item = deadline(books, expected), f"card/{pool or 'fleet'}/{day}"
    cause = "no_report" if last <= day or pool not in reports else "not_in_report"
    if pool not in reports and pool == FLEET:
        cause = "no_account"
    if books.today <= late:
        state, cause = ON_ITS_WAY, cause if cause == "no_account" else "no_report"
    else:
        state = waited_for(books, late) if cause == "no_report" else NOT_EXPLAINED
    return Row("card", *place, state, cause, item, provider, expected, pence)


def _by_truck(parts: list[Row], sold: dict[int, int]) -> list[Row]:
    """The parts shared out among the trucks by their sales; each truck's add up to its own."""
    left, rows = dict(sold), []
    for part in parts:
        for truck, pence in share(part.pence, left).items():
            left[truck] -= pence
            if pence:
                rows.append(part._replace(truck_id=truck, pence=pence))
    return rows


def _extra(payouts: dict[Key, Payout], owned: pd.DataFrame) -> Iterator[Row]:
    """What the bank got beyond the amount of a payout."""
    trucks = _trucks(owned)
    for payout in payouts.values():
        if payout.banked_on and payout.banked_pence > payout.amount_pence:
            more = payout.banked_pence - payout.amount_pence
            truck = trucks.get((payout.provider, payout.account), FLEET)
            yield Row("card", truck, payout.banked_on, OVER, "paid_more", payout.item, payout.provider,
                      payout.expected_on, more)  # fmt: skip


def _left(left: list[Any], payouts: dict[Key, Payout], owned: pd.DataFrame, books: Books) -> Iterator[Row]:
    """The bank lines of providers that belong to no payout."""
    paid = defaultdict(list)
    for payout in payouts.values():
        if payout.banked_on:
            paid[payout.provider, payout.banked_pence].append(payout)
    first = owned.groupby("provider")["business_date"].min().to_dict()
    trucks = _trucks(owned)
    for line in left:
        same = [one for one in paid[line.provider, line.amount_pence] if one.banked_on
                and abs((line.booked_on - one.banked_on).days) <= TWICE_DAYS]  # fmt: skip
        begins = first.get(line.provider)
        if not same and (begins is None or line.booked_on < due(books, begins, line.provider)):
            continue  # a payout of days before the first report
        cause = "paid_twice" if same else "taken" if line.amount_pence < 0 else "no_payout"
        if not same and books.today <= line.booked_on + timedelta(days=books.rules.alert_days):
            continue  # the provider's file may come after the bank's
        truck = trucks.get((line.provider, same[0].account), FLEET) if same else FLEET
        yield Row("card", truck, line.booked_on, OVER, cause, f"bank/{line.identity[:12]}", line.provider,
                  line.booked_on, abs(int(line.amount_pence)))  # fmt: skip


def _trucks(owned: pd.DataFrame) -> dict[tuple[str, str], int]:
    """The truck of each account that belongs to one."""
    pools = owned.groupby(["provider", "account"])["pool"].agg(["min", "max"])
    return {key: int(one) for key, (one, other) in zip(pools.index, pools.values.tolist(), strict=True)
            if one == other}  # fmt: skip
