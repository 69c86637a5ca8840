"""The lists of the page. Each query filters, counts all matching rows (`of_all`), and returns one page of them."""

from dataclasses import replace

import sqlalchemy as sa

from t3lib.dashboard.html import paging
from t3lib.dashboard.html.paging import Part
from t3lib.dashboard.operations import cells
from t3lib.dashboard.operations.choices import Choices

MOST = 15


def read(
    db: sa.Connection, query: sa.TextClause, choices: Choices, name: str, most: int = MOST, **more: object
) -> tuple[list[sa.Row], Part]:
    """The rows of the chosen page of a list, and their place in it; the first page if the chosen one does not exist."""
    number = dict(choices.pages).get(name, 1)
    bound = choices.bound | more | {"most": most}
    rows = list(db.execute(query, bound | {"skip": (number - 1) * most}))
    if not rows and number > 1:
        number, rows = 1, list(db.execute(query, bound | {"skip": 0}))
    return rows, Part(name, most, rows[0].of_all if rows else 0, number)


def foot(choices: Choices, shown: Part) -> str:
    """The links to the other pages of a list."""

    def link(number: int, text: str) -> str:
        return cells.link(replace(choices, pages=paging.with_page(choices.pages, shown.name, number)), text)

    return paging.links(shown, link)
