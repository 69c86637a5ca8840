"""The kinds of requests: the fields of each, what it does, and its sentence."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from t3lib.operator_requests import fields, sentences
from t3lib.operator_requests.fields import Field
from t3lib.operator_requests.sentences import LISTS, MODES, Given
from t3lib.problems import RefusedError

LONGEST_DAYS = 400


@dataclass(frozen=True)
class Kind:
    """One kind of request. `check` looks at all fields together and raises RefusedError."""

    title: str
    does: str
    fields: tuple[Field, ...]
    words: Callable[[Given], str]
    check: Callable[[Given], Given] = field(default=lambda given: given)

    def checked(self, given: Given) -> Given:
        """The parameters as they are stored; stored ones come out unchanged. Raises RefusedError."""
        if unknown := sorted(given.keys() - {known.name for known in self.fields}):
            raise RefusedError(f"{self.title}: there is no field {unknown[0][:40]!r}.")
        read = {known.name: known.value(given.get(known.name)) for known in self.fields}
        return self.check({name: value for name, value in read.items() if value not in (None, False)})


def _total(given: Given) -> Given:
    """A typed total replaces the suggested one."""
    return {name: value for name, value in given.items() if name != "accept" or "total" not in given}


def _days(given: Given) -> Given:
    first, last = (date.fromisoformat(given[name]) if name in given else None for name in ("first", "last"))
    if first and last and not 0 <= (last - first).days < LONGEST_DAYS:
        late = "The first day is after the last one: write the earlier one first."
        raise RefusedError(late if first > last else f"These are more than {LONGEST_DAYS} days: choose fewer at once.")
    return given


def _batch_or_report(given: Given) -> Given:
    """A batch, or a report by its day and edition."""
    if ("batch" in given) == ("day" in given) or ("day" in given) != ("edition" in given):
        raise RefusedError("Name the batch, or the day and the edition of a report.")
    return given


_ROW = (
    Field("file", "File", fields.number, "fixed", needed=True),
    Field("row", "Row", fields.number, "fixed", needed=True),
)
_KEY = (Field("key", "File", fields.words, "fixed", needed=True),)
_ITEM = (Field("item", "Item", fields.words, "fixed", needed=True),)
_FIRST = Field("first", "From", fields.day, "day", needed=True)
_LAST = Field("last", "To", fields.day, "day", needed=True)
_PAYMENTS = {"": "as the row says", "card": "card", "cash": "cash"}

KINDS: dict[str, Kind] = {
    "repair": Kind(
        "Repair a rejected row",
        "The row joins the sales, with your name and reason. It can be taken back.",
        (
            *_ROW,
            Field("accept", "Accept the suggested total", fields.tick, "tick"),
            Field("total", "Total in pounds", fields.amount, hint="4.99"),
            Field("at", "Time, if the row's is wrong", fields.moment, hint="2026-11-05 12:30"),
            Field("payment", "Payment", fields.words, "choice", choices=_PAYMENTS),
            Field("force", "Also outside this truck's price limits", fields.tick, "tick"),
        ),
        sentences.repair,
        _total,
    ),
    "dismiss": Kind(
        "Dismiss a rejected row",
        "The row is no sale and leaves the list of open rejects. It can be taken back.",
        _ROW,
        lambda given: f"Dismiss {sentences.row(given)}",
    ),
    "undo": Kind(
        "Take a decision back",
        "The row becomes what it was before the latest decision on it.",
        _ROW,
        lambda given: f"Take back what was decided on {sentences.row(given)}",
    ),
    "replay": Kind(
        "Validate open rejects again",
        "Rows that the present rules accept become sales; people's decisions stay.",
        (
            Field("reason", "Reason", fields.code, hint="every reason; or one, such as zero"),
            Field("truck", "Truck", fields.number, hint="every truck"),
            Field("first", "From", fields.day, "day"),
            Field("last", "To", fields.day, "day"),
        ),
        sentences.replay,
        _days,
    ),
    "hold": Kind(
        "Hold a file",
        "Its sales and rejects leave the figures, and newer versions wait, until somebody releases it.",
        _KEY,
        lambda given: f"Hold {sentences.file_name(given)}",
    ),
    "release": Kind(
        "Release a held file",
        "It is read and loaded like a new file; the reason for holding it is overruled.",
        _KEY,
        lambda given: f"Release {sentences.file_name(given)}",
    ),
    "resend": Kind(
        "Send a mail again",
        "The same message is sent once more, with the same Message-ID.",
        (Field("mail", "Mail", fields.number, "fixed", needed=True),),
        lambda given: f"Send mail {given['mail']} again",
    ),
    "rerun": Kind(
        "Run it again",
        "A failed batch gets another attempt; a report is made again and its mails are queued.",
        (
            Field("batch", "Batch", fields.words, "fixed"),
            Field("day", "Business day", fields.day, "fixed"),
            Field("edition", "Edition", fields.words, "fixed"),
        ),
        sentences.rerun,
        _batch_or_report,
    ),
    "backfill": Kind(
        "Catch up on past days",
        "Queued behind today's work. It can be requested again and continues where it stopped.",
        (
            _FIRST,
            _LAST,
            Field("mode", "What", fields.words, "choice", needed=True, choices=MODES),
            Field("reports", "Make (and mail) the days' missing reports too", fields.tick, "tick"),
        ),
        sentences.backfill,
        _days,
    ),
    "reclean": Kind(
        "Reprocess days",
        "The loaded files of these days go through the notebooks under the present rules; figures may change.",
        (_FIRST, _LAST),
        lambda given: f"Reprocess the files{sentences.days_of(given)}",
        _days,
    ),
    "explain": Kind(
        "Explain an open item",
        "Where its money is, in your words: it counts as settled then, and stays so when files are replaced.",
        _ITEM,
        lambda given: f"Explain {given['item']}",
    ),
    "write_off": Kind(
        "Write an open item off",
        "It stays short but is open no longer; it can be taken back.",
        _ITEM,
        lambda given: f"Write off {given['item']}",
    ),
    "undo_item": Kind(
        "Take back what was decided about an item",
        "What is open of it is open again.",
        _ITEM,
        lambda given: f"Take back what was decided about {given['item']}",
    ),
    "apply": Kind(
        "Apply a list of today to the past",
        "What the list says today counts from that day on; each day whose contribution or places change is restated.",
        (Field("list", "List", fields.words, "choice", needed=True, choices=LISTS), _FIRST),
        lambda given: f"Apply {LISTS[given['list']]} from {given['first']} on",
    ),
}
