"""What the sentences of a verdict can say: facts that decide which one stands, and the {fields} in them."""

from collections.abc import Callable
from functools import cached_property

import pandas as pd

from t3lib import metrics
from t3lib.metrics import Totals, change_pct
from t3lib.report import words
from t3lib.report.calendar import holiday_sentence
from t3lib.report.compared_with import comparison_names
from t3lib.report.day import Day


class Facts:
    """What is so on a day. A change below the edition's `flat_pct` (at least 1%) counts as none."""

    def __init__(self, day: Day):
        self.day, self.names, self.flat_pct = day, comparison_names(day), day.edition.flat_pct

    @property
    def nothing_sold(self) -> bool:
        """The period has no sale."""
        return not self.day.sales.transactions

    @property
    def has_usual(self) -> bool:
        """There are sales, and a usual that is not zero."""
        return not self.nothing_sold and bool(self.day.usual and self.usual)

    @property
    def has_no_usual(self) -> bool:
        """There are sales, but nothing usual to compare them with."""
        return not self.nothing_sold and not self.has_usual

    @property
    def usually_sold(self) -> bool:
        """The usual has sales."""
        return bool(self.day.usual and self.day.usual.transactions)

    @property
    def had_before(self) -> bool:
        """There is a usual, and sales in the period before, unless that is the usual itself."""
        return self.has_usual and not self.names.only_before and bool(self.day.before and self.before)

    @property
    def nothing_before(self) -> bool:
        """There is a usual, and the period before had no sale."""
        return self.has_usual and not self.names.only_before and bool(self.day.before and not self.before)

    @property
    def more_sales(self) -> bool:
        """More sales than usual."""
        return self.has_usual and self.number > 0

    @property
    def fewer_sales(self) -> bool:
        """Fewer sales than usual."""
        return self.has_usual and self.number < 0

    @property
    def as_many_sales(self) -> bool:
        """As many sales as usual."""
        return self.has_usual and not self.number

    @property
    def other_ticket(self) -> bool:
        """The average ticket is not as usual."""
        return self.has_usual and bool(self.ticket)

    @property
    def has_mover(self) -> bool:
        """One truck of several changed so much that the total shows it."""
        return self.has_usual and self.mover is not None

    @cached_property
    def now(self) -> int:
        """The edition's measure."""
        return int(getattr(self.day.sales, self.day.measure))

    @cached_property
    def usual(self) -> int:
        """Its usual."""
        return int(getattr(self.day.usual, self.day.measure)) if self.day.usual else 0

    @cached_property
    def before(self) -> int:
        """It in the period before."""
        return int(getattr(self.day.before, self.day.measure)) if self.day.before else 0

    @cached_property
    def number(self) -> int:
        """1 for more sales than usual, -1 for fewer, 0 for as many."""
        return self.direction(self.day.sales.transactions, self._usual.transactions)

    @cached_property
    def ticket(self) -> int:
        """The same of the average ticket."""
        return self.direction(self.day.sales.average_ticket_pence, self._usual.average_ticket_pence)

    @cached_property
    def absent(self) -> pd.DataFrame:
        """Trucks that had no sales in the period before though they usually have: the comparison lacks them."""
        trucks, measure = self.day.compared(metrics.by_truck), self.day.measure
        least, usual = self.before * self.flat_pct / 100, trucks[f"{measure}_usual"].fillna(0)
        return trucks[(trucks[f"{measure}_before"] == 0) & (usual > least) & (trucks[measure] > least)]

    @cached_property
    def mover(self) -> tuple[str, int] | None:
        """The truck with the largest change, where there are several and it is large enough for the total."""
        trucks, measure = self.day.compared(metrics.by_truck), self.day.measure
        if len(trucks) < 2:
            return None
        moves = trucks[measure] - trucks[f"{measure}_usual"]
        largest = moves.abs().idxmax()
        move = int(moves[largest])
        if abs(move) * 100 < max(self.flat_pct, 1) * self.usual:
            return None
        return words.line(trucks["truck"][largest]), move

    def direction(self, now: int | None, before: int | None) -> int:
        """1 up, -1 down, 0 for a change that rounds to less than flat_pct."""
        pct = words.half_away(change_pct(now, before) or 0.0)
        return 0 if abs(pct) < max(self.flat_pct, 1) else 1 if pct > 0 else -1

    @property
    def _usual(self) -> Totals:
        if self.day.usual is None:
            raise ValueError("There is nothing usual to compare with: ask `facts.has_usual` first.")
        return self.day.usual


class Fields(dict[str, str]):
    """The {fields} of a verdict's sentences; each is written when a sentence that applies names it."""

    def __init__(self, facts: Facts):
        super().__init__()
        self.facts, self.known = facts, _KNOWN

    def __missing__(self, name: str) -> str:
        return self.known[name](self.facts)


def _took(facts: Facts) -> str:
    return f"{words.pounds(facts.now)} taken" if facts.day.measure.endswith("_pence") else _sales(facts.now)


def _figure(facts: Facts) -> str:
    return _sized(facts.now, facts.day.measure)


def _sized(value: int, measure: str) -> str:
    return words.amount(value, measure) + ("" if measure.endswith("_pence") else " sales")


def _sales(count: int) -> str:
    return f"{count:,} {'sale' if count == 1 else 'sales'}"


def _moved(facts: Facts, before: int) -> str:
    """'12% above', '3% below' or 'in line with'."""
    side = facts.direction(facts.now, before)
    if not side:
        return "in line with"
    return f"{abs(words.half_away(change_pct(facts.now, before) or 0)):,}% {'above' if side > 0 else 'below'}"


def _absent(facts: Facts) -> str:
    """, when Burrito Madness had no sales; empty without such a truck."""
    if facts.absent.empty:
        return ""
    count = len(facts.absent)
    who = words.line(facts.absent["truck"].iloc[0]) if count == 1 else f"{count} of its trucks"
    return f", when {who} had no sales"


def _dates(facts: Facts) -> str:
    last = facts.day.period.last
    return f"{last:%A} {last.day} {last:%B}" if facts.day.period.kind == "day" else facts.day.period.dates


def _change(facts: Facts, name: str) -> str:
    return words.change(change_pct(getattr(facts.day.sales, name), getattr(facts.day.usual, name)))


def _ticket_was(facts: Facts) -> str:
    if not facts.ticket:
        return _as_usual(facts)
    size = f"({words.pounds(facts.day.sales.average_ticket_pence)}, {_change(facts, 'average_ticket_pence')})"
    return f"{'higher' if facts.ticket > 0 else 'lower'} {size}"


def _and_but(facts: Facts) -> str:
    return "and" if facts.number * facts.ticket >= 0 and (facts.number or facts.ticket > 0) else "but"


def _as_usual(facts: Facts) -> str:
    return "as usual" if facts.names.usual_short == "usual" else "unchanged"


def _than_usual(facts: Facts) -> str:
    return "than usual" if facts.names.usual_short == "usual" else f"than in {facts.names.usual}"


def _mover(facts: Facts) -> str:
    """Burrito Madness, £300.00 above its usual."""
    if facts.mover is None:
        return ""
    truck, move = facts.mover
    its = "its usual" if facts.names.usual_short == "usual" else f"its {facts.names.usual}"
    return f"{truck}, {_sized(abs(move), facts.day.measure)} {'above' if move > 0 else 'below'} {its}"


def _usual_took(facts: Facts) -> str:
    """A usual Friday takes £480.00; last Friday took £480.00."""
    usual, gross = facts.names.usual, facts.day.usual.gross_sales_pence if facts.day.usual else None
    took = "takes" if usual.startswith("a usual") else "took"
    return f"{usual[:1].upper()}{usual[1:]} {took} {words.pounds(gross)}"


_KNOWN: dict[str, Callable[[Facts], str]] = {
    "dates": _dates,
    "took": _took,
    "on_day": lambda facts: facts.names.when,
    "moved": lambda facts: _moved(facts, facts.usual),
    "usual": lambda facts: facts.names.usual,
    "usual_short": lambda facts: facts.names.usual_short,
    "figure": _figure,
    "sales": lambda facts: _sales(facts.day.sales.transactions),
    "ticket": lambda facts: words.pounds(facts.day.sales.average_ticket_pence),
    "gross": lambda facts: words.pounds(facts.day.sales.gross_sales_pence),
    "holiday": lambda facts: holiday_sentence(facts.day),
    "no_earlier": lambda facts: "" if facts.day.usual else facts.names.no_earlier,
    "usual_took": _usual_took,
    "before_when": lambda facts: facts.names.before_when,
    "moved_before": lambda facts: _moved(facts, facts.before),
    "before": lambda facts: facts.names.before_amount(words.amount(facts.before, facts.day.measure)),
    "absent": _absent,
    "number": lambda facts: f"{facts.day.sales.transactions:,}",
    "number_change": lambda facts: _change(facts, "transactions"),
    "ticket_was": _ticket_was,
    "and_but": _and_but,
    "as_usual": _as_usual,
    "than_usual": _than_usual,
    "mover": _mover,
}
