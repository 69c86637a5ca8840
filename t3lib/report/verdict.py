"""The verdict: sentences made from the figures, so that they cannot contradict them."""

from dataclasses import dataclass

import pandas as pd

from t3lib.metrics import Totals, change_pct
from t3lib.report import calendar, words
from t3lib.report.compared_with import ComparisonNames, comparison_names
from t3lib.report.day import Day


@dataclass(frozen=True)
class Verdict:
    """What a reader takes away: a headline, and the reason in one or two sentences."""

    headline: str
    reason: str


def verdict(day: Day) -> Verdict:
    """Headline and reason of a day."""
    names, measure = comparison_names(day), day.edition.measure
    if not day.sales.transactions:
        return Verdict(f"No sales are recorded for {_dates(day)}.", _no_sales_reason(day, names))
    now = getattr(day.sales, measure)
    took = f"{words.pounds(now)} taken" if measure == "gross_sales_pence" else f"{_sales(now)}"
    if not day.usual or not getattr(day.usual, measure):
        no_earlier = "" if day.usual else names.no_earlier
        sentences = [_totals_sentence(day.sales), no_earlier, calendar.holiday_sentence(day)]
        return Verdict(f"{took} {names.when}.", " ".join(filter(None, sentences)))
    usual, flat = getattr(day.usual, measure), day.edition.flat_pct
    sentences = [
        calendar.holiday_sentence(day),
        "" if names.only_before else _against_before(day, measure, names),
        _cause(day.sales, day.usual, flat, names),
        _mover(day.trucks, measure, usual, flat, names),
    ]
    return Verdict(f"{took}, {_moved(now, usual, flat)} {names.usual}.", " ".join(filter(None, sentences)))


def subject(day: Day) -> str:
    """One line for the list of mails: the edition, the date, the figure and its change."""
    measure = day.edition.measure
    now = getattr(day.sales, measure)
    if not day.sales.transactions:
        figure = "no sales"
    else:
        figure = words.amount(now, measure) + ("" if measure.endswith("_pence") else " sales")
        if day.usual and getattr(day.usual, measure):
            moved = _moved(now, getattr(day.usual, measure), day.edition.flat_pct)
            figure += f", {moved} {comparison_names(day).usual_short}"
    return words.line(f"T3 {day.edition.title}, {day.period.short}: {figure}")


def _moved(now: int, before: int, flat_pct: float) -> str:
    """'12% above', '3% below' or 'in line with'."""
    side = _direction(now, before, flat_pct)
    if not side:
        return "in line with"
    return f"{abs(words.half_away(change_pct(now, before) or 0)):,}% {'above' if side > 0 else 'below'}"


def _no_sales_reason(day: Day, names: ComparisonNames) -> str:
    known = calendar.holiday_sentence(day)
    if not day.usual:
        return f"{known} {names.no_earlier}".strip()
    if not day.usual.transactions:
        return f"{known} There were none {names.before_when} either.".strip()
    usual = f"{names.usual[:1].upper()}{names.usual[1:]} took {words.pounds(day.usual.gross_sales_pence)}"
    if names.usual.startswith("a usual"):
        usual = usual.replace(" took ", " takes ", 1)
    return f"{known} {usual}. If trucks were out, their files have not arrived.".strip()


def _totals_sentence(sales: Totals) -> str:
    ticket, gross = words.pounds(sales.average_ticket_pence), words.pounds(sales.gross_sales_pence)
    return f"{_sales(sales.transactions)}, {ticket} each on average, {gross} together."


def _against_before(day: Day, measure: str, names: ComparisonNames) -> str:
    if day.before is None:
        return ""
    before = getattr(day.before, measure)
    if not before:
        return f"Nothing was sold {names.before_when}."
    moved = _moved(getattr(day.sales, measure), before, day.edition.flat_pct)
    absent = _absent_then(day.trucks, measure, before * day.edition.flat_pct / 100)
    return f"That is {moved} {names.before_amount(words.amount(before, measure))}{absent}."


def _absent_then(trucks: pd.DataFrame, measure: str, least: float) -> str:
    """Trucks that had no sales in the period before though they usually have: the comparison lacks them."""
    usual = trucks[f"{measure}_usual"].fillna(0)
    absent = trucks[(trucks[f"{measure}_before"] == 0) & (usual > least) & (trucks[measure] > least)]
    if absent.empty:
        return ""
    who = words.line(absent["truck"].iloc[0]) if len(absent) == 1 else f"{len(absent)} of its trucks"
    return f", when {who} had no sales"


def _cause(sales: Totals, usual: Totals, flat_pct: float, names: ComparisonNames) -> str:
    """Whether the number of sales or the average ticket differs from the usual."""
    number = _direction(sales.transactions, usual.transactions, flat_pct)
    ticket = _direction(sales.average_ticket_pence, usual.average_ticket_pence, flat_pct)
    is_usual = names.usual_short == "usual"
    than, as_ = (" than usual", "as usual") if is_usual else (f" than in {names.usual}", "unchanged")
    if not number and not ticket:
        return f"The number of sales and the average ticket are both {as_}."
    size = f"({words.pounds(sales.average_ticket_pence)}, {_pct(sales, usual, 'average_ticket_pence')})"
    count = f"({sales.transactions:,}, {_pct(sales, usual, 'transactions')})"
    made = {1: f"More sales{than} were made {count}", -1: f"Fewer sales{than} were made {count}"}
    average = {1: f"higher {size}", -1: f"lower {size}", 0: as_}[ticket]
    conjunction = "and" if number * ticket >= 0 and (number or ticket > 0) else "but"
    return f"{made.get(number, f'The number of sales was {as_}')}, {conjunction} the average ticket was {average}."


def _mover(trucks: pd.DataFrame, measure: str, usual: int, flat_pct: float, names: ComparisonNames) -> str:
    """The truck with the largest change, where there are several and it is large enough for the total."""
    if len(trucks) < 2:
        return ""
    moves = trucks[measure] - trucks[f"{measure}_usual"]
    largest = moves.abs().idxmax()
    move, name = int(moves[largest]), words.line(trucks["truck"][largest])
    if abs(move) * 100 < max(flat_pct, 1) * usual:
        return ""
    size = words.amount(abs(move), measure) + ("" if measure.endswith("_pence") else " sales")
    its = "its usual" if names.usual_short == "usual" else f"its {names.usual}"
    return f"The largest change is {name}, {size} {'above' if move > 0 else 'below'} {its}."


def _direction(now: int | None, before: int | None, flat_pct: float) -> int:
    """1 up, -1 down, 0 for a change that rounds to less than flat_pct."""
    pct = words.half_away(change_pct(now, before) or 0.0)
    return 0 if abs(pct) < max(flat_pct, 1) else 1 if pct > 0 else -1


def _pct(sales: Totals, usual: Totals, name: str) -> str:
    return words.change(change_pct(getattr(sales, name), getattr(usual, name)))


def _dates(day: Day) -> str:
    value = day.period.last
    return f"{value:%A} {value.day} {value:%B}" if day.period.kind == "day" else day.period.dates


def _sales(count: int) -> str:
    return f"{count:,} {'sale' if count == 1 else 'sales'}"
