"""The cards of the page; each is a function of a connection and the choices that returns HTML."""

from collections.abc import Callable

import sqlalchemy as sa

from t3lib.dashboard.operations.cards import (
    bank,
    decisions,
    failed,
    files,
    journals,
    mails,
    rejects,
    requests,
    restated,
    runs,
    work,
)
from t3lib.dashboard.operations.choices import Choices

Card = Callable[[sa.Connection, Choices], str]

# name, CSS classes, function; in the order of the page
CARDS: tuple[tuple[str, str, Card], ...] = (
    ("under_way", "t3-half", work.under_way),
    ("failed", "t3-half", failed.card),
    ("requests", "t3-whole", requests.card),
    ("grid", "t3-whole", files.grid),
    ("files", "t3-whole", files.card),
    ("rejects", "t3-whole", rejects.card),
    ("bank", "t3-whole", bank.card),
    ("decisions", "t3-whole", decisions.card),
    ("mails", "t3-whole", mails.card),
    ("restated", "t3-whole", restated.card),
    ("journals", "t3-whole", journals.card),
    ("runs", "t3-whole", runs.card),
)
