"""Money on its way to the bank: how far the sales have come, how long the rest has been open, and the fees."""

from html import escape

import pandas as pd
import sqlalchemy as sa

from t3lib import metrics
from t3lib.dashboard import formatting
from t3lib.dashboard.html.cards import Cell, Row, message_card, table
from t3lib.dashboard.tabs.context import Card, TabContext, card, heading, percent
from t3lib.money import pounds
from t3lib.settlements.causes import CAUSES, STATES
from t3lib.settlements.layouts import layouts

MOST_OPEN = 5
NAMES = {"settled": "Settled", "on_its_way": "On its way", "short": "Short", "not_explained": "Not explained",
         "over": "Over"}  # fmt: skip
NEEDS_FILES = "This needs payout files and bank statements in settlements/ of the bucket: docs/settlements.md."
WHOLE_DAYS = "Choose all places, menu types and payments: what reached the bank is known per truck and day."
AGREES, OPEN, FEES = "Does the bank agree?", "Open between sales and bank", "Fees of card providers"


def agrees(db: sa.Connection, context: TabContext) -> str:
    """The sales of each tender by state."""
    if _too_narrow(context):
        return message_card(AGREES, WHOLE_DAYS)
    found = metrics.proof_of_cash(db, context.scope)
    if found.empty:
        return message_card(AGREES, NEEDS_FILES)
    pence = {(row.tender, row.state): row.pence for row in found.itertuples()}
    sold = {tender: sum(value for (of, state), value in pence.items() if of == tender and state != "over")
            for tender in ("card", "cash")}  # fmt: skip
    rows: list[Row] = [
        (Cell(f'<span title="{escape(STATES[state])}">{name}</span>', _look(state, pence), html=True),
         *(_amount(pence.get((tender, state)), sold[tender]) for tender in ("card", "cash")))
        for state, name in NAMES.items()
        if state != "over"
    ]  # fmt: skip
    rows.append((Cell("Sales", "t3-total"), *(Cell(pounds(sold[tender]), "t3-total") for tender in sold)))
    if any(state == "over" for _, state in pence):
        over = Cell(f'<span title="{escape(STATES["over"])}">Over, on top</span>', html=True)
        rows.append((over, *(_amount(pence.get((tender, "over")), 0) for tender in sold)))
    return card(AGREES, ("State", "Card", "Cash"), rows, "pence", "each penny of sales in one state")


def still_open(db: sa.Connection, context: TabContext) -> str:
    """How long things have been open, and those that are latest."""
    if _too_narrow(context):
        return message_card(OPEN, WHOLE_DAYS)
    found = metrics.open_items(db, context.scope)
    if found.empty:
        nothing = metrics.proof_of_cash(db, context.scope).empty
        return message_card(OPEN, NEEDS_FILES if nothing else "Nothing is open: every sale is where it should be.")
    ages = metrics.ageing(db, context.scope)
    bands = [(row.age.capitalize(), f"{row.items:,}", pounds(row.pence)) for row in ages.itertuples() if row.items]
    top = heading(OPEN, "days_late", f"{found['item'].nunique():,} items, {pounds(int(found['pence'].sum()))}")
    shown = context.part("bank", MOST_OPEN, len(found))
    rows = [
        (
            f"{row.days_late:,}",
            pounds(row.pence),
            Cell(row.truck, "t3-text"),
            Cell(f"{escape(CAUSES[row.cause][0])} <small>{formatting.short_day(row.business_date)}</small>", "t3-long",
                 html=True),
        )
        for row in found[shown.rows].itertuples()
    ]  # fmt: skip
    return (
        top
        + table("How late", ("Late", "Items", "Amount"), bands, numbers=(1, 2))
        + table(OPEN, ("Days late", "Amount", "Truck", "What it is"), rows, numbers=(0, 1))
        + context.foot(shown)
    )


def fees(db: sa.Connection, context: TabContext) -> str:
    """What each provider kept, beside what costs.csv says."""
    if _too_narrow(context) or context.scope.trucks or context.scope.payments:
        return message_card(FEES, "Choose all trucks, places, menu types and payments: a payout holds several.")
    found = metrics.card_fees_by_provider(db, context.scope)
    rows: list[Row] = [
        (
            layouts().title(row.provider),
            Cell(pounds(row.gross_pence), "t3-wide"),
            pounds(row.fee_pence),
            Cell(f"{row.fee_pct:.2f}%", "t3-wide"),
            "–" if pd.isna(row.stated_fee_pence) else pounds(int(row.stated_fee_pence)),
            "–" if pd.isna(row.fee_difference_pence) else pounds(int(row.fee_difference_pence)),
        )
        for row in found.itertuples()
    ]
    if not rows:
        return message_card(FEES, "No payout's last day is in this choice." if _any(db) else NEEDS_FILES)
    head = (
        "Provider",
        Cell("Card sales", "t3-wide"),
        "Fees",
        Cell("Of sales", "t3-wide"),
        "By costs.csv",
        "Difference",
    )
    return card(FEES, head, rows, "fee_difference_pence", "of payouts that ended in these days")


CARDS: tuple[tuple[str, str, Card], ...] = (
    ("t3-half", AGREES, agrees),
    ("t3-half", OPEN, still_open),
    ("t3-whole", FEES, fees),
)


def _any(db: sa.Connection) -> bool:
    return bool(db.scalar(sa.text("SELECT EXISTS (SELECT FROM mart.payout)")))


def _too_narrow(context: TabContext) -> bool:
    return bool(context.scope.locations or context.scope.menus)


def _amount(pence: int | None, of: int) -> Cell:
    """An amount and its share; an en dash for none."""
    if not pence:
        return Cell("–")
    share = f' <small class="t3-wide">{percent(100 * pence / of)}</small>' if of else ""
    return Cell(f"{pounds(pence)}{share}", html=True)


def _look(state: str, pence: dict[tuple[str, str], int]) -> str:
    """Highlights a state of which there should be nothing."""
    is_bad = state in ("short", "not_explained") and any(of == state for _, of in pence)
    return "t3-loss" if is_bad else ""
