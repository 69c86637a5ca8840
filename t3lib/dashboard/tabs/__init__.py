"""The tabs other than the first. A card without its input names the file that it needs."""

import logging

import sqlalchemy as sa

from t3lib.dashboard.html.cards import message_card
from t3lib.dashboard.tabs import bank, breakdowns, data, matrix, menus, money, month_pack, single_sales
from t3lib.dashboard.tabs.context import Card, TabContext
from t3lib.dashboard.tabs.matrix import chart

_CARDS = {
    "money": (*money.CARDS, *bank.CARDS),
    "pack": month_pack.CARDS,
    "menus": (*matrix.CARDS, *menus.CARDS, *matrix.LAST_CARDS),
    "rows": single_sales.CARDS,
    "data": data.CARDS,
}
NAMES = tuple(_CARDS)
_TOO_SLOW = "This took too long to read: choose fewer days."
_log = logging.getLogger(__name__)

__all__ = ["NAMES", "TabContext", "chart", "sheet"]


def sheet(db: sa.Connection, context: TabContext) -> str:
    """The cards of the state's tab as HTML; empty for the first tab, which has its own parts.

    A card whose figures cannot be read shows an error; the others are not affected."""
    cards = _CARDS.get(context.state.tab)
    if cards is None:
        return ""
    inside = "".join(f'<section class="t3-card {size}">{_read(db, name, card, context)}</section>'
                     for size, name, card in (*cards, *breakdowns.of_tab(context.state.tab)))  # fmt: skip
    return f'<div class="t3-grid">{inside}</div>'


def _read(db: sa.Connection, name: str, card: Card, context: TabContext) -> str:
    try:
        with db.begin_nested():
            return card(db, context)
    except sa.exc.SQLAlchemyError as error:
        if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
            raise
        _log.error("card %r could not read its figures", name, exc_info=error)
        slow = "statement timeout" in str(error).lower()
        return message_card(name, _TOO_SLOW if slow else "This could not be read.")
