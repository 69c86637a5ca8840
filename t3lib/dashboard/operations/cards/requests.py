"""What operators asked for, and what became of it."""

import sqlalchemy as sa

from t3lib import desk
from t3lib.dashboard.operations import cells
from t3lib.dashboard.operations.choices import STATES, Choices
from t3lib.desk import Request

MOST = 12
_HEAD = ("State", "Asked", "By", "What", "Why", "Outcome", "")


def card(db: sa.Connection, choices: Choices) -> str:
    """The newest requests, each with who, why and its outcome."""
    wanted = STATES[choices.state][1]
    found = [one for one in desk.newest(db, MOST) if not wanted or one.state in wanted]
    return cells.card(
        "Requests of operators",
        _HEAD,
        [_row(choices, one) for one in found],
        nothing="Nobody asked for anything yet.",
        aside="a worker carries them out within seconds",
    )


def _row(choices: Choices, one: Request) -> tuple[object, ...]:
    state = "running" if one.state == "waiting" and one.started_at else one.state
    back = one.kind in ("repair", "dismiss") and one.state == "done"
    about = {name: one.parameters.get(name) for name in ("file", "row")}
    offer = cells.asking(choices, ("undo", "Take back", about)) if back else ""
    outcome = cells.shorter(one.outcome or ("being done" if one.started_at else "waits for a worker"))
    return (
        state,
        one.asked_at,
        cells.shorter(one.asked_by, 30),
        cells.shorter(one.words, 120),
        cells.shorter(one.why, 80),
        outcome,
        offer,
    )
