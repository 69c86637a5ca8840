"""What a reader sees first: verdict, tiles, and what needs attention."""

from collections.abc import Callable
from dataclasses import dataclass

from t3lib.metrics import Attention, Totals, change_pct
from t3lib.metrics.trust.attention import FEWEST_WEEKS
from t3lib.report import links, words
from t3lib.report.block import Block, Tone, folded, section
from t3lib.report.compared_with import comparison_names
from t3lib.report.day import Day
from t3lib.report.verdict import verdict
from t3lib.settings import settings


def headline(day: Day) -> Block:
    """The date, the verdict and its reason."""
    found, kicker, before = verdict(day), f"{day.edition.title} · {day.period.dates}", corrected(day)
    text = "\n".join([kicker, "", *([folded(before), ""] if before else []), found.headline, folded(found.reason)])
    content = {"kicker": kicker, "corrected": before, "headline": found.headline, "reason": found.reason}
    return Block("verdict", text, content)


def corrected(day: Day) -> str:
    """What the sent report said, where the figures have changed since; empty otherwise."""
    before, now = day.sent, day.sales
    if before is None or (before.gross_sales_pence, before.transactions) == (now.gross_sales_pence, now.transactions):
        return ""
    made = before.made_at.astimezone(settings().zone)
    sales = f"{before.transactions:,} {'sale' if before.transactions == 1 else 'sales'}"
    return (
        f"Corrected: the report made at {made:%H:%M} on {made:%A} {made.day} {made:%B} said "
        f"{words.pounds(before.gross_sales_pence)} from {sales}; files or rows have changed since."
    )


@section
def tiles(day: Day) -> Block:
    """Up to four figures, each beside what it is compared with."""
    shown = [_TILES[name](day) for name in day.edition.tiles]
    return Block("tiles", "\n".join(tile.text for tile in shown), {"tiles": shown})


@section
def attention(day: Day) -> Block:
    """At most three things that need a person."""
    items = [_item(item, day) for item in day.attention[:3]]
    title, calm = "Needs attention", _calm(day)
    lines = [folded(f"* {item['name']}{item['rest']}", indent="  ") for item in items] or [calm]
    return Block("attention", "\n".join([title.upper(), "", *lines]), {"title": title, "items": items, "calm": calm})


@dataclass(frozen=True)
class Line:
    """One comparison below a tile's figure."""

    change: str
    against: str
    tone: Tone = ""


@dataclass(frozen=True)
class Tile:
    """A figure with its name and what it is compared with."""

    label: str
    figure: str
    lines: tuple[Line, ...] = ()

    @property
    def text(self) -> str:
        """One line of the plain part."""
        against = "; ".join(f"{line.change} {line.against}".strip() for line in self.lines)
        return f"{self.label + ':':<17}{self.figure}" + (f"  ({against})" if against else "")


def _total(label: str, name: str) -> Callable[[Day], Tile]:
    """A tile of a figure of `Totals`."""

    def tile(day: Day) -> Tile:
        now = getattr(day.sales, name)
        return Tile(label, words.amount(now, name), _compared(day, lambda t: change_pct(now, getattr(t, name))))

    return tile


def _card_share(day: Day) -> Tile:
    now = day.sales.card_share_pct
    known = [(name, other) for name, other in _others(day) if None not in (now, other.card_share_pct)]
    lines = (Line(words.points(now, other.card_share_pct), name) for name, other in known)
    return Tile("Paid by card", words.share(now), tuple(lines))


def _busiest_hour(day: Day) -> Tile:
    if not day.sales.transactions:
        return Tile("Busiest hour", "–")
    top = day.hours.loc[day.hours["transactions"].idxmax()]
    return Tile("Busiest hour", words.hour(int(top.local_hour)), (Line(f"{int(top.transactions):,}", "sales in it"),))


def _most_paid_price(day: Day) -> Tile:
    sold = day.prices[day.prices["transactions"] > 0]
    if sold.empty:
        return Tile("Most paid price", "–")
    top = sold.iloc[0]
    return Tile(
        "Most paid price",
        words.pounds(int(top.price_pence)),
        (Line(words.share(top.transactions_share_pct), "of sales"),),
    )


_TILES: dict[str, Callable[[Day], Tile]] = {
    "gross_sales": _total("Sales", "gross_sales_pence"),
    "transactions": _total("Number of sales", "transactions"),
    "average_ticket": _total("Average ticket", "average_ticket_pence"),
    "card_share": _card_share,
    "busiest_hour": _busiest_hour,
    "most_paid_price": _most_paid_price,
}


def _compared(day: Day, change: Callable[[Totals], float | None]) -> tuple[Line, ...]:
    lines = []
    for name, other in _others(day):
        pct = change(other)
        if pct is None:
            continue
        tone: Tone = "" if not words.half_away(pct) else "up" if pct > 0 else "down"
        lines.append(Line(words.change(pct), name, tone))
    return tuple(lines)


def _others(day: Day) -> list[tuple[str, Totals]]:
    names = comparison_names(day)
    found = [] if names.only_before and day.period.kind == "month" else [(f"vs {names.before_short}", day.before)]
    found.append((f"vs {names.usual_short}", day.usual))
    return [(name, other) for name, other in found if other is not None]


def _calm(day: Day) -> str:
    """The sentence for a day without attention items, and why there may be none."""
    if not day.sales.transactions:
        return "No truck has a sale."
    if day.usual is None or day.usual.weeks < FEWEST_WEEKS:
        return f"Too few {day.business_date:%A}s are known yet to tell what is out of the ordinary."
    return "Nothing out of the ordinary."


def _item(item: Attention, day: Day) -> dict[str, str | None]:
    """The truck's name, the rest of the sentence, and a link to the truck in the dashboard."""
    truck, text = words.line(item.truck or ""), words.line(_sentence(item, day))
    name = truck if truck and text.startswith(truck) else ""
    return {"name": name, "rest": text[len(name) :], "href": links.dashboard(day.period, item.truck_id)}


def _sentence(item: Attention, day: Day) -> str:
    """An item with the report's own figures, so that the mail shows only one `usual`."""
    rows = day.trucks[day.trucks["truck_id"] == item.truck_id]
    if rows.empty or day.usual is None:
        return f"{item.text.removesuffix('.')}. {item.reason}"
    now, usual = (int(rows.iloc[0][name]) for name in ("gross_sales_pence", "gross_sales_pence_usual"))
    if item.kind == "silent":
        reason = item.reason or "Was it out, or are its files missing?"
        return f"{item.truck} has no sales; usually {words.pounds(usual)}. {reason}"
    if item.kind in ("sales_low", "sales_high") and usual:
        pct = words.change(abs(change_pct(now, usual) or 0)).removeprefix("+")
        side = "above" if now > usual else "below"
        return f"{item.truck} took {words.pounds(now)}, {pct} {side} its usual {words.pounds(usual)}. {item.reason}"
    return f"{item.text.removesuffix('.')}. {item.reason}"
