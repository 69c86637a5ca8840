"""Signs for streams that cannot hold all of them (ASCII, Latin-1): £ becomes GBP there, a dash a hyphen."""

import codecs
import sys
import unicodedata
from typing import IO, Any

PLAIN = "t3.plain"
_INSTEAD = {
    "£": "GBP ", "–": "-", "—": "-", "−": "-", "…": "...", "·": "-", "•": "*", "“": '"', "”": '"', "‘": "'", "’": "'",
    "‹": "<", "›": ">", "▲": "^", "▼": "v", "→": "->", "←": "<-", "×": "x", "✓": "+", "±": "+-", "\xa0": " ",
}  # fmt: skip


def soften() -> None:
    """From now on no sign that stdout or stderr cannot hold ends a command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=PLAIN)


def fit(text: str, stream: IO[Any]) -> str:
    """The text as that stream will hold it, so that its width is known before it is written."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text if text.isascii() else text.encode(encoding, PLAIN).decode(encoding)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_plain(sign) for sign in error.object[error.start : error.end]), error.end


def _plain(sign: str) -> str:
    """ASCII for one sign: its like, its letter without the accent, or a question mark."""
    bare = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    return _INSTEAD.get(sign) or bare or ("" if unicodedata.combining(sign) else "?")


codecs.register_error(PLAIN, _replace)
