"""Characters for streams that cannot encode all of them (ASCII, Latin-1): £ becomes GBP there, a dash a hyphen."""

import codecs
import sys
import unicodedata
from typing import IO, Any

SUBSTITUTING = "t3.substituting"
_SUBSTITUTES = {
    "£": "GBP ", "–": "-", "—": "-", "−": "-", "…": "...", "·": "-", "•": "*", "“": '"', "”": '"', "‘": "'", "’": "'",
    "‹": "<", "›": ">", "▲": "^", "▼": "v", "→": "->", "←": "<-", "×": "x", "✓": "+", "±": "+-", "\xa0": " ",
}  # fmt: skip


def replace_unencodable() -> None:
    """Let stdout and stderr replace characters that they cannot encode, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=SUBSTITUTING)


def fit(text: str, stream: IO[Any]) -> str:
    """The text as the stream will write it, so that its width is known before."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text if text.isascii() else text.encode(encoding, SUBSTITUTING).decode(encoding)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_to_ascii(character) for character in error.object[error.start : error.end]), error.end


def _to_ascii(character: str) -> str:
    """ASCII for one character: a substitute, the letter without its accent, or a question mark."""
    unaccented = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return _SUBSTITUTES.get(character) or unaccented or ("" if unicodedata.combining(character) else "?")


codecs.register_error(SUBSTITUTING, _replace)
