"""A request of an operator, and how it ended."""

from t3lib import operator_requests, warehouse
from tests.support.feeding import rows

ANN = {"asked_by": "Ann", "why": "The till lost its point."}
ROW = {"file": 2, "row": 2}


def ask(kind: str, **parameters) -> int:
    """The id of a request of Ann's."""
    with warehouse.connect() as db:
        return operator_requests.enter(db, kind, parameters, **ANN)


def done(kind: str, **parameters) -> tuple[str, str]:
    """Ask and have it done: how it ended."""
    request_id = ask(kind, **parameters)
    assert operator_requests.carry_out() == 1
    return ended(request_id)


def ended(request_id: int) -> tuple[str, str]:
    """(state, outcome) of a request."""
    ((state, outcome),) = rows("SELECT state, outcome FROM ops.request WHERE request_id = :id", id=request_id)
    return state, outcome
