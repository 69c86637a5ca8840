"""The rules of matching, each with a few rows that can be checked by head. Monday is 2 November 2026."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from t3lib.settlements import working_days
from t3lib.settlements.layouts import layouts
from t3lib.settlements.matching import Books, Decision, match
from t3lib.settlements.matching.shares import share

COLUMNS = {
    "sales": ["tender", "truck_id", "business_date", "pence"],
    "lines": ["provider", "account", "terminal", "line_kind", "occurred_at", "business_date", "gross_pence",
              "fee_pence", "payout_id", "payout_on", "identity"],
    "bank": ["account", "line_kind", "provider", "booked_on", "amount_pence", "text", "identity"],
    "terminals": ["provider", "account", "terminal", "truck_id", "from_date", "to_date"],
    "banking": ["truck_id", "reference", "float_pence", "within_days", "from_date", "to_date"],
}  # fmt: skip
EVER = (date(1900, 1, 1), date(3000, 1, 1))
MUCH_LATER = date(2026, 12, 20)


def november(day: int) -> date:
    return date(2026, 11, day)


def sale(pence: int, day: int = 2, truck: int = 1, tender: str = "card") -> tuple:
    return (tender, truck, november(day), pence)


def line(gross: int, fee: int = 0, *, day: int = 2, kind: str = "sale", payout: str = "PAY-1", on: int | None = 5,
         provider: str = "stripe", account: str = "a", terminal: str = "") -> tuple:  # fmt: skip
    return (provider, account, terminal, kind, f"2026-11-{day:02d}T12:00:00+00:00", november(day), gross, fee, payout,
            on and november(on), f"{payout} {kind} {gross} {day} {terminal}")  # fmt: skip


def paid(pence: int, day: int = 5, text: str = "STRIPE", provider: str = "stripe", number: int = 1) -> tuple:
    return ("bank", "payout", provider, november(day), pence, text, f"{day:02d} {number} {pence}")


def cash(pence: int, day: int, truck: int = 1) -> tuple:
    return ("bank", "cash", "", november(day), pence, f"CASH PAID IN T3 TRUCK {truck}", f"{day:02d} cash {pence}")


def other(day: int) -> tuple:
    return ("bank", "other", "", november(day), -100, "", f"{day:02d} other")


def found(*, today: date = MUCH_LATER, decisions: dict | None = None, **rows: Iterable[tuple]) -> dict[tuple, int]:
    """Pence by (tender, truck, day of the month, state, cause)."""
    frames = {name: pd.DataFrame(list(rows.get(name, ())), columns=columns, dtype=object)
              for name, columns in COLUMNS.items()}  # fmt: skip
    proof = match(Books(**frames, rules=layouts(), today=today, decisions=decisions or {}))
    sums: dict[tuple, int] = {}
    for row in proof.rows:
        key = (row.tender, row.truck_id, row.business_date.day, row.state, row.cause)
        sums[key] = sums.get(key, 0) + row.pence
    return sums


def test_a_payout_less_fees_refunds_and_chargebacks_settles_its_sales():
    lines = [line(10_000, 200), line(-1_000, kind="refund"), line(-500, kind="chargeback"), line(0, 1_000, kind="fee")]
    assert found(sales=[sale(10_000)], lines=lines, bank=[paid(7_300)]) == {("card", 1, 2, "settled", "paid"): 10_000}


def test_what_is_not_due_is_on_its_way_also_over_a_bank_holiday():
    christmas = date(2026, 12, 25)
    assert working_days.after(date(2026, 12, 24), 1) == date(2026, 12, 29)  # Friday, a weekend, Boxing Day on Monday
    assert not working_days.is_working_day(christmas)
    assert working_days.after(date(2026, 11, 30), 0, "Scotland") == date(2026, 12, 1)  # St Andrew's Day
    sales, lines = [sale(10_000)], [line(10_000, 200)]
    assert found(sales=sales, lines=lines, today=november(5)) == {("card", 1, 2, "on_its_way", "paid_out"): 10_000}
    assert found(sales=sales, lines=lines, today=november(9)) == {("card", 1, 2, "on_its_way", "paid_out"): 10_000}


def test_a_payout_that_never_came_is_short_once_a_later_statement_shows_it():
    sales, lines = [sale(10_000)], [line(10_000, 200)]
    assert found(sales=sales, lines=lines, bank=[other(20)]) == {("card", 1, 2, "short", "payout_missing"): 10_000}
    late = found(sales=sales, lines=lines, bank=[other(5)], today=november(12))
    assert late == {("card", 1, 2, "on_its_way", "no_statement"): 10_000}
    assert found(sales=sales, lines=lines, bank=[other(5)]) == {("card", 1, 2, "not_explained", "no_statement"): 10_000}


def test_a_payout_that_came_twice_is_over_on_top_of_the_sales():
    bank = [paid(9_800), paid(9_800, 9, number=2)]
    assert found(sales=[sale(10_000)], lines=[line(10_000, 200)], bank=bank) == {
        ("card", 1, 2, "settled", "paid"): 10_000, ("card", 0, 9, "over", "paid_twice"): 9_800}  # fmt: skip


def test_a_payout_of_less_is_short_by_the_difference_and_shared_by_its_days():
    lines = [line(6_000, 100), line(3_000, 100, day=3)]
    rows = found(sales=[sale(6_000), sale(3_000, 3)], lines=lines, bank=[paid(8_500, text="STRIPE PAY-1")])
    assert rows == {
        ("card", 1, 2, "settled", "paid"): 5_800, ("card", 1, 2, "short", "paid_less"): 200,
        ("card", 1, 3, "settled", "paid"): 2_900, ("card", 1, 3, "short", "paid_less"): 100,
    }  # fmt: skip


def test_two_payouts_of_the_same_amount_each_get_the_nearest_line():
    lines = [line(5_000), line(5_000, day=9, payout="PAY-2", on=12)]
    rows = found(sales=[sale(5_000), sale(5_000, 9)], lines=lines, bank=[paid(5_000, 12), other(30)])
    assert rows == {("card", 1, 2, "short", "payout_missing"): 5_000, ("card", 1, 9, "settled", "paid"): 5_000}


def test_one_bank_line_may_be_the_sum_of_the_payouts_of_a_day():
    lines = [line(4_000), line(2_000, payout="PAY-2", account="b")]
    rows = found(sales=[sale(6_000)], lines=lines, bank=[paid(6_000)])
    assert rows == {("card", 1, 2, "settled", "paid"): 6_000}


@pytest.mark.parametrize("text", ["STRIPE", "STRIPE PAY-1"])
def test_a_payout_may_come_as_two_bank_lines(text: str):
    bank = [paid(6_000, text=text), paid(3_800, 6, text=text, number=2), other(20)]
    rows = found(sales=[sale(10_000)], lines=[line(10_000, 200)], bank=bank)
    assert rows == {("card", 1, 2, "settled", "paid"): 10_000}


def test_two_lines_that_are_less_than_a_payout_leave_it_missing():
    rows = found(sales=[sale(10_000)], lines=[line(10_000, 200)], bank=[paid(6_000), paid(3_000, 6), other(20)])
    assert rows[("card", 1, 2, "short", "payout_missing")] == 10_000


def test_a_payout_that_went_back_and_came_again_is_settled_and_not_over():
    bank = [paid(9_800, text="STRIPE PAY-1"), paid(-9_800, 6, text="STRIPE PAY-1"), paid(9_800, 9, text="STRIPE PAY-1")]
    rows = found(sales=[sale(10_000)], lines=[line(10_000, 200)], bank=[*bank, other(20)])
    assert rows == {("card", 1, 2, "settled", "paid"): 10_000}


def test_a_payout_that_came_twice_under_its_id_is_over_once():
    bank = [paid(9_800, text="STRIPE PAY-1"), paid(9_800, 6, text="STRIPE PAY-1", number=2)]
    assert found(sales=[sale(10_000)], lines=[line(10_000, 200)], bank=bank) == {
        ("card", 1, 2, "settled", "paid"): 10_000, ("card", 0, 6, "over", "paid_twice"): 9_800}  # fmt: skip


def test_sales_that_the_provider_does_not_have_are_not_explained_and_its_own_are_over():
    lines = [line(4_000), line(3_000, day=3), line(100, day=20, on=23, payout="PAY-3")]
    rows = found(sales=[sale(5_000), sale(2_500, 3)], lines=lines, bank=[paid(7_000), other(20)], today=november(24))
    assert rows == {
        ("card", 1, 2, "settled", "paid"): 4_000, ("card", 1, 2, "not_explained", "not_in_report"): 1_000,
        ("card", 1, 3, "settled", "paid"): 2_500, ("card", 0, 3, "over", "not_in_till"): 500,
    }  # fmt: skip


def test_days_before_the_first_report_are_not_part_of_the_proof():
    rows = found(sales=[sale(9_999, 1), sale(4_000)], lines=[line(4_000)], bank=[paid(4_000), paid(777, 3)])
    assert rows == {("card", 1, 2, "settled", "paid"): 4_000}


def test_a_terminal_belongs_to_the_truck_that_had_it_on_the_day():
    until, after = (date(1900, 1, 1), november(3)), (november(3), date(3000, 1, 1))
    terminals = [("stripe", "a", "T9", 1, *until), ("stripe", "a", "T9", 2, *after)]
    lines = [line(4_000, terminal="T9"), line(3_000, day=3, terminal="T9")]
    rows = found(sales=[sale(4_000), sale(3_000, 3, truck=2)], lines=lines, terminals=terminals, bank=[paid(7_000)])
    assert rows == {("card", 1, 2, "settled", "paid"): 4_000, ("card", 2, 3, "settled", "paid"): 3_000}


def test_an_account_of_the_whole_fleet_is_shared_by_the_trucks_without_one_of_their_own():
    terminals = [("stripe", "a", "", None, *EVER), ("sumup", "s", "", 3, *EVER)]
    sales = [sale(2_000), sale(1_000, truck=2), sale(500, truck=3)]
    lines = [
        line(2_700),
        line(500, provider="sumup", account="s", payout="S-1"),
        line(1, day=20, on=23, payout="PAY-3"),
    ]
    rows = found(sales=sales, lines=lines, terminals=terminals, today=november(20),
                 bank=[paid(2_700), paid(500, provider="sumup", text="SUMUP")])  # fmt: skip
    assert rows == {
        ("card", 1, 2, "settled", "paid"): 1_800, ("card", 1, 2, "not_explained", "not_in_report"): 200,
        ("card", 2, 2, "settled", "paid"): 900, ("card", 2, 2, "not_explained", "not_in_report"): 100,
        ("card", 3, 2, "settled", "paid"): 500,
    }  # fmt: skip


def test_a_running_account_pays_the_lines_before_each_payout_also_from_an_earlier_file():
    lines = [line(4_000, provider="zettle", payout="", on=None), line(0, 70, provider="zettle", payout="", kind="fee"),
             line(-3_930, day=3, provider="zettle", payout="Z-1", kind="payout", on=None),
             line(900, day=4, provider="zettle", payout="", on=None)]  # fmt: skip
    rows = found(sales=[sale(4_000), sale(900, 4)], lines=lines, today=november(5),
                 bank=[paid(3_930, 4, provider="zettle", text="ZETTLE")])  # fmt: skip
    assert rows == {("card", 1, 2, "settled", "paid"): 4_000, ("card", 1, 4, "on_its_way", "not_paid_out"): 900}


BANKING = [(1, "T3 TRUCK 1", 10_000, 7, *EVER)]


def test_a_deposit_settles_the_days_in_a_row_that_it_equals():
    sales = [sale(1_000, day, tender="cash") for day in (2, 3, 4, 9, 10)]
    bank = [cash(4_711, 2), cash(3_000, 5), cash(1_900, 12), other(27)]
    rows = found(sales=sales, bank=bank, banking=BANKING)
    assert rows == {
        **{("cash", 1, day, "settled", "banked"): 1_000 for day in (2, 3, 4, 9)},
        ("cash", 1, 10, "settled", "banked"): 900, ("cash", 1, 10, "short", "banked_less"): 100,
    }  # fmt: skip


def test_a_float_that_rises_stays_in_the_till():
    banking = [(1, "T3 TRUCK 1", 10_000, 7, date(1900, 1, 1), november(4)),
               (1, "T3 TRUCK 1", 10_300, 7, november(4), date(3000, 1, 1))]  # fmt: skip
    sales = [sale(1_000, day, tender="cash") for day in (3, 4)]
    rows = found(sales=sales, bank=[cash(5, 2), cash(1_700, 5)], banking=banking)
    assert rows == {("cash", 1, 3, "settled", "banked"): 1_000, ("cash", 1, 4, "settled", "banked"): 700,
                    ("cash", 1, 4, "settled", "float"): 300}  # fmt: skip


def test_cash_of_another_truck_or_of_nobody_is_not_this_trucks():
    bank = [cash(5, 2), cash(1_000, 5, truck=12), other(27)]
    assert found(sales=[sale(1_000, 3, tender="cash")], bank=bank, banking=BANKING) == {
        ("cash", 1, 3, "short", "not_banked"): 1_000, ("cash", 0, 5, "over", "cash_of_nobody"): 1_000}  # fmt: skip


def test_a_decision_covers_the_pence_that_were_open_and_what_comes_on_top_stays_open():
    lost: dict[str, Any] = {"sales": [sale(10_000)], "lines": [line(10_000)], "bank": [other(20)]}
    item = "payout/stripe/a/PAY-1"
    assert found(**lost, decisions={item: Decision("write_off", 10_000)}) == {
        ("card", 1, 2, "short", "written_off"): 10_000}  # fmt: skip
    assert found(**lost, decisions={item: Decision("explain", 4_000)}) == {
        ("card", 1, 2, "settled", "explained"): 4_000, ("card", 1, 2, "short", "payout_missing"): 6_000}  # fmt: skip


@given(pence=st.integers(0, 10_000), weights=st.dictionaries(st.integers(), st.integers(0, 5_000), min_size=1))
def test_shares_add_up_and_none_is_more_than_its_weight(pence, weights):
    pence = min(pence, sum(weights.values()))
    parts = share(pence, weights)
    assert sum(parts.values()) == pence
    assert all(0 <= parts[key] <= weights[key] for key in weights)


@pytest.mark.parametrize("seed", range(3))
def test_every_penny_of_random_books_is_in_exactly_one_state(seed):
    import random

    chance = random.Random(seed)
    sales = [sale(chance.randrange(1, 9_000), day, truck) for day in range(2, 28) for truck in (1, 2, 3)]
    lines = [line(chance.choice((own[3], own[3] - 1, own[3] + 5)), chance.randrange(20), day=own[2].day,
                  payout=f"P-{own[1]}-{own[2].day}", on=min(own[2].day + 2, 30), terminal=f"T{own[1]}")
             for own in sales if chance.random() < 0.9]  # fmt: skip
    bank = [paid(row[6] - row[7], row[9].day, number=n) for n, row in enumerate(lines) if chance.random() < 0.9]
    terminals = [("stripe", "a", f"T{truck}", truck, *EVER) for truck in (1, 2)]
    rows = found(sales=sales, lines=lines, bank=bank, terminals=terminals, today=november(24))
    sums: dict[tuple, int] = {}
    for (tender, truck, day, state, _), pence in rows.items():
        if state != "over":
            sums[tender, truck, day] = sums.get((tender, truck, day), 0) + pence
    first = {truck: min(row[5] for row in lines if (row[2] == f"T{truck}")) for truck in (1, 2, 3)}
    assert sums == {(tender, truck, day.day): pence for tender, truck, day, pence in sales if day >= first[truck]}
