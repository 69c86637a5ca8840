"""Pages that need no kernel: waiting for room, signing in, being refused."""

from functools import cache
from html import escape
from string import Template

from t3lib.settings import ROOT

FOLDER = ROOT / "t3lib" / "dashboard" / "template" / "voila" / "templates" / "t3" / "plain"
TITLES = {"waiting": "one moment", "login": "sign in", "refused": "not open to you", "left": "signed out",
          "error": "no page"}  # fmt: skip


def page(name: str, again_after: int = 0, **given: str) -> str:
    """The page of that name as HTML; texts are escaped. It comes again by itself after so many seconds, if any."""
    head = f'  <meta http-equiv="refresh" content="{again_after}">\n' if again_after else ""
    body = _template(name).substitute({key: escape(text) for key, text in given.items()})
    return _template("frame").substitute(title=TITLES[name], head=head, body=body)


@cache
def _template(name: str) -> Template:
    return Template((FOLDER / f"{name}.html").read_text())
