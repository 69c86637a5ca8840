"""The documents of a pack, made from the executed report; and whether they show the figures that are sealed."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from t3lib.report import words

TEXT, PAGE, PDF = "documents/pack.txt", "documents/pack.html", "documents/pack.pdf"


def write(executed: Path, folder: Path, *, corrected: bool) -> dict[str, Any]:
    """Write the report as PDF, page, text and CSV; the envelope of the executed notebook comes back."""
    from t3lib.report.output import delivery, exporter, message, pdf  # verifying needs none of them

    rendered = exporter.render(executed)
    (folder / "documents").mkdir()
    page = delivery.browser_copy(message.compose(rendered, revision=2 if corrected else 1))
    (folder / PAGE).write_text(page, encoding="utf-8", newline="\n")
    (folder / TEXT).write_text(rendered.text, encoding="utf-8", newline="\n")
    (folder / PDF).write_bytes(pdf.document(rendered.notebook, rendered.envelope, corrected=corrected))
    for name, rows in rendered.envelope["csv"].items():
        (folder / "documents" / Path(name).name).write_text(rows, encoding="utf-8-sig", newline="")
    return rendered.envelope


def missing(folder: Path, figures: list[dict[str, Any]], sections: list[str], first: str) -> list[str]:
    """One line for each figure that the text or the page does not show as it is sealed."""
    shown = {TEXT: _flat((folder / TEXT).read_text(encoding="utf-8")), PAGE: _page_text(folder / PAGE)}
    return [f"{path} does not show {name} as {text}" for name, text in _expected(figures, sections, first)
            for path, content in shown.items() if _flat(text) not in content]  # fmt: skip


def _expected(figures: list[dict[str, Any]], sections: list[str], first: str) -> Iterator[tuple[str, str]]:
    """(name, text) of the figures that stand in the documents."""
    known = {(one["name"], one["first"], *one["about"]): one["values"] for one in figures}
    month = known["totals", first]
    if "tiles" in sections and month["transactions"]:
        yield "the month's gross sales", words.pounds(month["gross_sales_pence"])
        yield "the month's number of sales", f"{month['transactions']:,}"
        yield "the month's average ticket", words.pounds(month["average_ticket_pence"])
        yield "the month's card share", words.share(month["card_share_pct"])
    quality = known["data_quality", first]
    yield "the rows read", f"{quality['rows_read']:,} rows read, {quality['rows_loaded']:,} loaded"
    made = known["contribution", first]
    if "contribution" in sections and made:
        yield "the contribution", words.pounds(made["contribution_pence"])
        costs = {name: pence for name, pence in made.items() if name.startswith("costs/")}
        yield from ((f"the cost {name[6:]}", words.pounds(-pence)) for name, pence in costs.items())
    if "reconciliation" in sections:
        found = known["reconciliation", first]
        yield "the rows of the files", f"Rows of the files {found['ledger_rows_read']:,}"
        yield "the rows read", f"Rows read {found['rows_read']:,}"
        yield "the sales in the figures", f"Sales in the figures {found['transactions']:,}"


def _page_text(path: Path) -> str:
    reader = _Text()
    reader.feed(path.read_text(encoding="utf-8"))
    return _flat(" ".join(reader.texts))


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


class _Text(HTMLParser):
    """The text of a page, without its style."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"

    def handle_data(self, data: str) -> None:
        if not self._in_style:
            self.texts.append(data)
