"""Twelve simulated months: what reached the bank is settled, the cause of the rest is named, no alarm is false."""

from collections import Counter, defaultdict
from datetime import date

import pytest

from t3lib.settlements.matching import OPEN, match
from tests.unit.settlements.year import made, plan

pytestmark = pytest.mark.slow
END = date(2026, 11, 20)


@pytest.fixture(scope="module")
def year():
    truth, books = made(plan(365, END, quiet_days=25))
    return truth, books, match(books)


def test_a_year_of_card_sales_is_settled_to_99_9_percent_and_every_penny_is_in_one_state(year):
    truth, _books, proof = year
    card = sum(pence for (tender, _, _), pence in truth.sales.items() if tender == "card")
    states: Counter[str] = Counter()
    for row in proof.rows:
        if row.tender == "card" and row.state != "over":
            states[row.state] += row.pence
    assert states.total() == card > 50_000_000
    assert states["settled"] >= 0.999 * card
    by_day: defaultdict[tuple, int] = defaultdict(int)
    for row in proof.rows:
        if row.state != "over":
            by_day[row.tender, row.truck_id, row.business_date] += row.pence
    begun = {truck: min(day for tender, of, day in by_day if tender == "cash" and of == truck) for truck in range(1, 7)}
    sold = {key: pence for key, pence in truth.sales.items() if key[0] == "card" or key[2] >= begun[key[1]]}
    assert dict(by_day) == sold


def test_the_cause_of_all_the_rest_is_the_one_in_the_truth(year):
    truth, _, proof = year
    found: defaultdict[tuple, Counter] = defaultdict(Counter)
    for row in proof.rows:
        if row.tender == "card" and row.state in OPEN:
            found[row.state, row.cause][row.truck_id, row.business_date] += row.pence
    lost, doubled = truth.truth["lost"], truth.truth["doubled"]
    assert len(lost) == len(doubled) == 2
    assert set(found) == {("short", "payout_missing"), ("over", "paid_twice"), ("over", "not_in_till")}
    assert sum(found["short", "payout_missing"].values()) == sum(one["gross"] for one in lost)
    assert sum(found["over", "paid_twice"].values()) == sum(one["net"] for one in doubled)
    unfed = {(one["truck_id"], date.fromisoformat(one["business_date"])): one["pence"]
             for one in truth.truth["not_in_till"]}  # fmt: skip
    assert dict(found["over", "not_in_till"]) == unfed
    missing = {row.item.rpartition("/")[2] for row in proof.rows if row.cause == "payout_missing"}
    assert missing == {one["payout_id"] for one in lost}


def test_what_the_bank_has_is_sales_less_fees_refunds_and_chargebacks(year):
    truth, _books, proof = year
    sums: Counter[str] = Counter()
    owed = sum(payout.amount_pence for payout in proof.payouts if payout.amount_pence < 0)  # refunds on a day of rest
    for payout in proof.payouts:
        for name in ("gross", "fee", "refund", "chargeback", "adjustment", "amount", "banked"):
            sums[name] += getattr(payout, f"{name}_pence")
    said = truth.truth
    # Zettle writes chargebacks as adjustments.
    assert sums["refund"] + sums["chargeback"] - sums["adjustment"] == said["refunds"] + said["chargebacks"]
    assert (sums["gross"], sums["fee"]) == (said["sales"], said["fees"])
    assert sums["amount"] - sums["banked"] - owed == sum(one["net"] for one in said["lost"])
    assert all(payout.state != "settled" or payout.banked_pence in (payout.amount_pence, 0) for payout in proof.payouts)


def test_cash_is_settled_but_for_what_was_not_banked(year):
    truth, _, proof = year
    left: Counter[tuple] = Counter()
    for row in proof.rows:
        if row.tender == "cash" and row.state in OPEN:
            left[row.state, row.cause] += row.pence
    short = list(truth.truth["cash_short"])
    assert left == {("short", "banked_less"): sum(one["pence"] for one in short)}


def test_the_same_books_give_the_same_proof_in_any_order_of_their_lines(year):
    _, books, proof = year
    from dataclasses import replace

    turned = replace(
        books, lines=books.lines[::-1].reset_index(drop=True), bank=books.bank[::-1].reset_index(drop=True)
    )
    assert match(turned).rows == proof.rows
