"""The rules of every report mail, checked before it is queued."""

import re
from email.message import EmailMessage
from html.parser import HTMLParser

from t3lib.report.output.exporter import ReportError

MOST_HTML_BYTES = 80 * 1024
_REMOTE = re.compile(r"url\s*\(|@import|data:", re.IGNORECASE)


def check(message: EmailMessage) -> None:
    """Raises ReportError with every rule that the mail breaks."""
    if broken := list(breaches(message)):
        raise ReportError("This mail must not be sent: " + "; ".join(broken))


def breaches(message: EmailMessage) -> list[str]:
    """The rules that a mail breaks: on its size, scripts, remote or embedded content, and pictures."""
    html = message.get_body(("html",))
    if html is None or message.get_body(("plain",)) is None:
        return ["it lacks its HTML or its plain text"]
    encoded = len(str(html.get_payload()).encode())
    seen = _Seen()
    seen.feed(html.get_content())
    carried = {part["Content-ID"].strip("<>") for part in message.walk() if part["Content-ID"]}
    found = [f"its HTML is {encoded:,} bytes, more than {MOST_HTML_BYTES:,}"] if encoded > MOST_HTML_BYTES else []
    found += [f"it shows cid:{cid} but does not carry it" for cid in sorted(seen.cids - carried)]
    found += [f"it carries {cid} but does not show it" for cid in sorted(carried - seen.cids)]
    return found + seen.broken


class _Seen(HTMLParser):
    """Collects the pictures that the HTML shows and the rules that it breaks."""

    def __init__(self) -> None:
        super().__init__()
        self.cids: set[str] = set()
        self.broken: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self._in_style = tag == "style"
        if tag in ("script", "iframe", "object", "embed", "form", "link", "base", "svg", "video", "audio"):
            self.broken.append(f"it has a <{tag}>")
        self.broken += [f"<{tag}> has {name}" for name in found if name.startswith("on") or name == "srcset"]
        if _REMOTE.search(found.get("style", "")):
            self.broken.append(f"the style of <{tag}> loads something")
        if tag == "img":
            self._image(found)
        elif "src" in found or "background" in found:
            self.broken.append(f"<{tag}> loads something")
        if tag == "a" and not re.match(r"https?://|mailto:", found.get("href", "")):
            self.broken.append("a link is neither https nor mailto")

    def handle_data(self, data: str) -> None:
        if self._in_style and _REMOTE.search(data):
            self.broken.append("a style block loads something")

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def _image(self, found: dict[str, str]) -> None:
        kind, _, name = found.get("src", "").partition(":")
        if kind != "cid":
            self.broken.append("a picture is not carried by the mail")
        else:
            self.cids.add(name)
        if not found.get("alt", "").strip() or not found.get("width", ""):
            self.broken.append(f"picture {name} lacks its alt text or width")
