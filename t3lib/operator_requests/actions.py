"""The action of a worker for each kind of request. Each returns the outcome as a sentence, or raises.

An action on the request's connection commits together with the request's end. Others commit on their own;
`already_done` finds their traces after a worker died."""

from collections.abc import Callable
from datetime import date, datetime

import sqlalchemy as sa

from t3lib import mail
from t3lib.mail.outbox import MailError
from t3lib.money import parse_pence, pounds
from t3lib.operator_requests.rows import Request
from t3lib.problems import RefusedError
from t3lib.settings import settings
from t3lib.warehouse.decisions import quarantine, repairs, replays
from t3lib.warehouse.files import batches, reprocessing
from t3lib.warehouse.load import applying

Action = Callable[[sa.Connection, Request], str]

_DECIDED = sa.text("""
    SELECT EXISTS (SELECT FROM ops.repair
                   WHERE (file_id, row_number, action, actor, why) = (:file, :row, :kind, :actor, :why)
                     AND made_at >= :since)
""")
_AUDITED = sa.text("""
    SELECT EXISTS (SELECT FROM ops.audit
                   WHERE (subject, action, actor, why) = (:key, :kind, :actor, :why) AND made_at >= :since)
""")


def already_done(db: sa.Connection, request: Request) -> bool:
    """Whether a worker did this request and died before it could record that."""
    query = _DECIDED if "file" in request.parameters else _AUDITED if "key" in request.parameters else None
    if query is None:
        return False
    known = {"kind": request.kind, "actor": request.asked_by, "why": request.why, "since": request.started_at}
    return bool(db.scalar(query, request.parameters | known))


def _by(request: Request) -> dict[str, str]:
    return {"actor": request.asked_by, "why": request.why}


def _repair(db: sa.Connection, request: Request) -> str:
    given = request.parameters
    sale = repairs.repair(
        given["file"],
        given["row"],
        pence=parse_pence(given["total"])[0] if "total" in given else None,
        accept="accept" in given,
        sold_at=datetime.fromisoformat(given["at"]) if "at" in given else None,
        payment_type=given.get("payment"),
        force="force" in given,
        **_by(request),
    )
    return f"{pounds(sale['total_pence'])} by {sale['payment_type']} at truck {sale['truck_id']} is a sale now."


def _dismiss(db: sa.Connection, request: Request) -> str:
    repairs.dismiss(request.parameters["file"], request.parameters["row"], **_by(request))
    return "Dismissed."


def _undo(db: sa.Connection, request: Request) -> str:
    return f"Taken back: {repairs.undo(request.parameters['file'], request.parameters['row'], **_by(request))}."


def _replay(db: sa.Connection, request: Request) -> str:
    given = request.parameters
    first, last = (date.fromisoformat(given[name]) if name in given else None for name in ("first", "last"))
    done = replays.replay(reason=given.get("reason"), truck=given.get("truck"), first=first, last=last, **_by(request))
    return f"{done.validated:,} open rejects validated: {done.accepted:,} are sales now, {pounds(done.pence)}."


def _hold(db: sa.Connection, request: Request) -> str:
    quarantine.hold(request.parameters["key"], **_by(request))
    return "Held: its rows are out of the figures."


def _release(db: sa.Connection, request: Request) -> str:
    quarantine.release(request.parameters["key"], **_by(request))
    return "Released: a worker loads it now."


def _resend(db: sa.Connection, request: Request) -> str:
    try:
        found = mail.resend(db, request.parameters["mail"])
    except MailError as error:
        raise RefusedError(str(error)) from error
    return f"Queued once more to {found.recipient}."


def _reclean(db: sa.Connection, request: Request) -> str:
    size = settings().batch_bytes
    first, last = (date.fromisoformat(request.parameters[name]) for name in ("first", "last"))
    made = reprocessing.claim_days(db, first, last, batch_bytes=size, **_by(request))
    batches.claim(db, size)
    return f"Queued: {len(made)} {'batch' if len(made) == 1 else 'batches'} to reprocess."


def _apply(db: sa.Connection, request: Request) -> str:
    from t3lib.metrics.money.margins import contributions  # pandas: half a second, only for this

    day = date.fromisoformat(request.parameters["first"])
    by = _by(request)
    done = applying.apply(db, request.parameters["list"], day, contributions, actor=by["actor"], why=by["why"])
    batches.claim(db, settings().batch_bytes)
    return str(done)


def _decide(action: str) -> Action:
    """The action of a decision about an item between sales and bank."""

    def decide(db: sa.Connection, request: Request) -> str:
        from t3lib.warehouse.settlements import decisions  # pandas, as above

        return f"Done: {pounds(decisions.decide(db, request.parameters['item'], action, **_by(request)))}."

    return decide


ACTIONS: dict[str, Action] = {
    "explain": _decide("explain"),
    "write_off": _decide("write_off"),
    "undo_item": _decide("undo"),
    "repair": _repair,
    "dismiss": _dismiss,
    "undo": _undo,
    "replay": _replay,
    "hold": _hold,
    "release": _release,
    "resend": _resend,
    "reclean": _reclean,
    "apply": _apply,
}
