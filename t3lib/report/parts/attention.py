"""What needs a person: the items of `metrics.attention`, worded by the notebook."""

from dataclasses import dataclass, field

from t3lib import metrics
from t3lib.editions import Limits, attention_limits
from t3lib.metrics import Attention, change_pct
from t3lib.report import links, words
from t3lib.report.block import Block, folded
from t3lib.report.day import Day
from t3lib.report.parts.units import filled

KINDS = ("silent", "card_reader", "sales_low", "sales_high", "rejects_up")
_ITEM = ("truck", "now", "usual", "change", "side", "reason")


@dataclass
class Items:
    """The items of a day, each with the sentence for its kind; without any, the first calm sentence that applies."""

    day: Day
    title: str
    items: list[Attention]
    limits: Limits
    _sentences: dict[str, tuple[str, str]] = field(default_factory=dict)
    _calm: str = ""

    @property
    def too_few_weeks(self) -> bool:
        """Whether too few weeks are known to tell what is out of the ordinary."""
        return self.day.usual is None or self.day.usual.weeks < self.limits.fewest_weeks

    def say(self, *kinds: str, sentence: str, reason: str = "") -> None:
        """Word items of these kinds (of other kinds the text of `metrics.attention` stands). `reason` where the data
        show none. Raises ValueError for a kind or {field} that there is not."""
        for kind in kinds:
            if kind not in KINDS:
                raise ValueError(f"There is no item {kind!r}; there are {', '.join(KINDS)}.")
            self._sentences[kind] = (sentence, reason)
        filled(sentence, dict.fromkeys(_ITEM, ""))

    def calm(self, sentence: str, *, when: bool = True) -> None:
        """What is said without any item; the first that applies."""
        self._calm = self._calm or (sentence if when else "")

    @property
    def block(self) -> Block:
        """Title and items, or the calm sentence."""
        items = [self._item(one) for one in self.items]
        lines = [folded(f"* {item['name']}{item['rest']}", indent="  ") for item in items] or [self._calm]
        content = {"title": self.title, "items": items, "calm": self._calm}
        return Block("attention", "\n".join([self.title.upper(), "", *lines]), content)

    def _item(self, item: Attention) -> dict[str, str | None]:
        """The truck's name, the rest of the sentence, and a link to the truck in the dashboard."""
        truck, text = words.line(item.truck or ""), words.line(self._sentence(item))
        name = truck if truck and text.startswith(truck) else ""
        return {"name": name, "rest": text[len(name) :], "href": links.dashboard(self.day.period, item.truck_id)}

    def _sentence(self, item: Attention) -> str:
        """An item with the report's own figures, so that the mail shows only one `usual`."""
        said = f"{item.text.removesuffix('.')}. {item.reason}"
        trucks = self.day.compared(metrics.by_truck)
        rows = trucks[trucks["truck_id"] == item.truck_id]
        if rows.empty or self.day.usual is None or item.kind not in self._sentences:
            return said
        now, usual = (int(rows.iloc[0][name]) for name in ("gross_sales_pence", "gross_sales_pence_usual"))
        if not usual and item.kind != "silent":
            return said
        sentence, reason = self._sentences[item.kind]
        change = words.change(abs(change_pct(now, usual) or 0)).removeprefix("+")
        values = (item.truck or "", words.pounds(now), words.pounds(usual), change, "above" if now > usual else "below",
                  item.reason or reason)  # fmt: skip
        return filled(sentence, dict(zip(_ITEM, values, strict=True)))


def attention(day: Day, title: str = "Needs attention") -> Items:
    """What needs attention on the last day of the period, by the limits of editions.toml."""
    return Items(day, title, day.figures.attention(), attention_limits())
