"""Pages without a kernel: waiting for room, signing in, access refused, errors."""

from functools import cache
from html import escape
from string import Template

from t3lib.settings import ROOT

FOLDER = ROOT / "t3lib" / "dashboard" / "template" / "voila" / "templates" / "t3" / "plain"
TITLES = {"waiting": "please wait", "login": "sign in", "refused": "no access", "signed_out": "signed out",
          "error": "error"}  # fmt: skip


def page(name: str, reload_seconds: int = 0, **texts: str) -> str:
    """The page of that name as HTML, texts escaped; with `reload_seconds` it reloads itself after that time."""
    head = f'  <meta http-equiv="refresh" content="{reload_seconds}">\n' if reload_seconds else ""
    body = _template(name).substitute({key: escape(text) for key, text in texts.items()})
    return _template("frame").substitute(title=TITLES[name], head=head, body=body)


@cache
def _template(name: str) -> Template:
    return Template((FOLDER / f"{name}.html").read_text(encoding="utf-8"))
