"""The verdict: sentences of the notebook, filled in from the figures, so that they cannot contradict them.

The notebook says which sentence stands when; `parts.verdict_fields` knows what its {fields} are."""

from dataclasses import dataclass, field
from string import Formatter

from t3lib.report import words
from t3lib.report.block import Block, folded
from t3lib.report.day import Day
from t3lib.report.parts.units import filled, unknown
from t3lib.report.parts.verdict_fields import Facts, Fields
from t3lib.report.sent_figures import correction


@dataclass
class Verdict:
    """Headline, sentences and subject of a report. Of the headlines and subjects the first that applies stands, of the
    sentences all that apply and are not empty."""

    day: Day
    facts: Facts
    _said: dict[str, list[str]] = field(default_factory=lambda: {"headline": [], "sentence": [], "subject": []})

    def __post_init__(self) -> None:
        self._fields = Fields(self.facts)

    def headline(self, sentence: str, *, when: bool = True) -> None:
        """The headline, unless an earlier one applies."""
        self._say("headline", sentence, when)

    def sentence(self, sentence: str, *, when: bool = True) -> None:
        """A sentence below the headline."""
        self._say("sentence", sentence, when)

    def subject(self, figure: str, *, when: bool = True) -> None:
        """What the mail's subject says after edition and date, unless an earlier one applies."""
        self._say("subject", figure, when)

    @property
    def headline_text(self) -> str:
        """The headline that stands."""
        return "".join(self._said["headline"][:1])

    @property
    def sentences_text(self) -> str:
        """The sentences in one line."""
        return " ".join(filter(None, self._said["sentence"]))

    @property
    def subject_text(self) -> str:
        """One line for the list of mails: the edition, the date, the figure and its change."""
        figure = "".join(self._said["subject"][:1])
        return words.line(f"T3 {self.day.edition.title}, {self.day.period.short}: {figure}")

    @property
    def block(self) -> Block:
        """The date, what a corrected report said before, headline and sentences."""
        kicker, before = (
            f"{self.day.edition.title} · {self.day.period.dates}",
            correction(self.day.sent, self.day.sales, self.day.contribution_shown),
        )
        text = [kicker, "", *([folded(before), ""] if before else []), self.headline_text, folded(self.sentences_text)]
        content = {"kicker": kicker, "corrected": before, "headline": self.headline_text, "reason": self.sentences_text}
        return Block("verdict", "\n".join(text), content)

    def _say(self, kind: str, sentence: str, when: bool) -> None:
        for _, name, _, _ in Formatter().parse(sentence):  # a wrong field is told on every day, not when it is needed
            if name is not None and name not in self._fields.known:
                raise unknown(sentence, name, self._fields.known)
        if when:
            self._said[kind].append(filled(sentence, self._fields))


def verdict(day: Day) -> Verdict:
    """A verdict without a sentence yet; its `facts` say what is so."""
    return Verdict(day, Facts(day))
