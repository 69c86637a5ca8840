"""What people decide about open items, and what operators are told of."""

from datetime import date

import pytest
import sqlalchemy as sa

from scheduler.worker import proof_of_cash
from t3lib import metrics, warehouse
from t3lib.dashboard.operations.cards import bank as late
from t3lib.dashboard.operations.choices import Choices
from t3lib.dashboard.state import State
from t3lib.dashboard.tabs import TabContext, bank
from t3lib.problems import RefusedError
from t3lib.warehouse.decisions import quarantine
from t3lib.warehouse.settlements import decisions, items
from tests.integration.settlements.statements import BANK, STARLING, booked, sell_and_pay
from tests.support.feeding import assert_reconciles, put, rows, take_in

LOST = "payout/stripe/stripe-1/po_first"
NOVEMBER = metrics.Scope(date(2026, 11, 1), date(2026, 11, 30))


@pytest.fixture
def lost(bucket):
    """The payout of £98 never reached the bank; the statement reaches to the 27th."""
    sell_and_pay(bucket)
    put(bucket, BANK, booked(27, "-842.00", "WAGES"), header=STARLING)
    take_in()
    return bucket


def states() -> list[tuple]:
    return rows("SELECT state, cause, pence FROM mart.settled_daily WHERE tender = 'card' ORDER BY 1, 2")


def decide(item: str, action: str) -> int:
    with warehouse.connect() as db:
        return decisions.decide(db, item, action, actor="Ann", why="Asked the provider")


def test_a_decision_is_kept_when_files_are_replaced_and_can_be_undone(lost):
    assert states() == [("short", "payout_missing", 10000)]
    assert decide(LOST, "write_off") == 10000
    assert states() == [("short", "written_off", 10000)]
    put(lost, BANK, booked(26, "-1.00", "TEA"), booked(27, "-842.00", "WAGES"), header=STARLING)
    take_in()
    assert states() == [("short", "written_off", 10000)]
    decide(LOST, "undo")
    assert states() == [("short", "payout_missing", 10000)]
    decide(LOST, "explain")
    assert states() == [("settled", "explained", 10000)]
    with warehouse.connect() as db:
        found = items.show(db, LOST)
    assert [made["action"] for made in found["decisions"]] == ["explain", "undo", "write_off"]
    assert rows("SELECT action, subject, actor FROM ops.audit ORDER BY audit_id")[0] == ("write_off", LOST, "Ann")
    assert_reconciles()


def test_what_is_not_open_cannot_be_decided(lost):
    with pytest.raises(RefusedError, match="Nothing of card/9/2026-11-02 is open"):
        decide("card/9/2026-11-02", "explain")
    with pytest.raises(RefusedError, match="Nothing was decided"):
        decide(LOST, "undo")
    with pytest.raises(sa.exc.DBAPIError), warehouse.connect() as db:
        db.execute(sa.text("INSERT INTO ops.settlement_decision (item, action, pence, actor, why) "
                           "VALUES ('a', 'forget', 1, 'Ann', 'x')"))  # fmt: skip


def test_operators_are_told_once_of_each_item_that_is_late(lost, monkeypatch):
    monkeypatch.setenv("T3_RECIPIENTS_OPERATIONS", "ops@t3.example")
    with warehouse.connect() as db:
        db.execute(sa.text("UPDATE mart.watermark SET version = version + 1"))
    assert proof_of_cash.keep() == 1
    (text,) = rows("SELECT convert_from(message, 'UTF8') FROM ops.mail_outbox WHERE report = 'incident'")[0]
    assert "=C2=A3100.00 short" in text
    assert "never reached the bank" in text.replace("=\n", "")
    with warehouse.connect() as db:
        db.execute(sa.text("UPDATE mart.watermark SET version = version + 1"))
    assert proof_of_cash.keep() == 0
    assert len(rows("SELECT FROM ops.mail_outbox")) == 1


def test_pages_show_states_ageing_and_what_an_operator_can_do(lost):
    with warehouse.connect() as db:
        context = TabContext(State(tab="money"), NOVEMBER)
        agrees, still_open, card = bank.agrees(db, context), bank.still_open(db, context), late.card(db, Choices())
        fees = bank.fees(db, context)
    assert "£100.00" in agrees
    assert "never reached the bank" in still_open
    assert "£2.00" in fees
    assert "do=write_off" in card
    decide(LOST, "explain")
    with warehouse.connect() as db:
        assert "Nothing is open" in bank.still_open(db, context)
        assert "Nothing is more than" in late.card(db, Choices())


def test_without_a_file_the_cards_say_what_they_need(database):
    with warehouse.connect() as db:
        context = TabContext(State(tab="money"), NOVEMBER)
        assert all("settlements/" in make(db, context) for _, _, make in bank.CARDS)
        assert metrics.bank_agreement(db, NOVEMBER) is None


def test_a_held_bank_statement_leaves_the_proof(lost):
    put(lost, BANK, booked(5, "98.00"), booked(27, "-842.00", "WAGES"), header=STARLING)
    take_in()
    assert states() == [("settled", "paid", 10000)]
    quarantine.hold(BANK, actor="Ann", why="Wrong account")
    proof_of_cash.keep()
    assert states()[0][1] == "no_statement"
    put(lost, BANK, booked(5, "98.00"), booked(28, "-842.00", "WAGES"), header=STARLING)
    take_in()
    assert states()[0][1] == "no_statement"  # the newer version waits too
    quarantine.release(BANK, actor="Ann", why="It is the right one")
    take_in()
    assert states() == [("settled", "paid", 10000)]
    assert_reconciles()


def test_commands_ask_and_decide(lost, t3):
    assert "short" in t3("settlements")[1]
    assert LOST in t3("settlements", "--open", "--json")[1]
    assert "up to" in t3("settlements", "ageing")[1]
    assert "stripe" in t3("settlements", "fees", "--date", "2026-11-02")[1]
    assert "never reached" in t3("settlements", "show", LOST)[1].replace("\n", " ")
    assert t3("settlements", "write-off", LOST, "--why", "Gone")[0] == 0
    assert t3("settlements", "--open")[1].strip() == "Nothing is open."
    assert t3("settlements", "undo", LOST, "--why", "Found")[0] == 0
    assert t3("settlements", "explain", "card/9/2026-11-02", "--why", "?")[0] == 1
    assert t3("settlements", "match")[0] == 0
