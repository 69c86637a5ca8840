"""The pages behind the first one. What lacks its input says which file it needs."""

import logging

import sqlalchemy as sa

from t3lib.dashboard.html.cards import said
from t3lib.dashboard.tabs import data, menus, money, month_pack, single_sales
from t3lib.dashboard.tabs.context import Asked

_CARDS = {
    "money": money.CARDS,
    "pack": month_pack.CARDS,
    "menus": menus.CARDS,
    "rows": single_sales.CARDS,
    "data": data.CARDS,
}
_log = logging.getLogger(__name__)

__all__ = ["Asked", "sheet"]


def sheet(db: sa.Connection, asked: Asked) -> str:
    """The cards of the state's tab as HTML; nothing for the first tab, which has parts of its own.

    A card whose figures cannot be read says so and leaves the others as they are."""
    cards = _CARDS.get(asked.state.tab)
    if cards is None:
        return ""
    inside = "".join(f'<section class="t3-card {size}">{_read(db, name, card, asked)}</section>'
                     for size, name, card in cards)  # fmt: skip
    return f'<div class="t3-grid">{inside}</div>'


def _read(db: sa.Connection, name: str, card: object, asked: Asked) -> str:
    try:
        with db.begin_nested():
            return card(db, asked)
    except sa.exc.SQLAlchemyError as error:
        if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
            raise
        _log.error("the card %r could not read its figures", name, exc_info=error)
        slow = "statement timeout" in str(error).lower()
        return said(name, "This took too long to read: choose fewer days." if slow else "This could not be read.")
