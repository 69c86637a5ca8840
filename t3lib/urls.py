"""URLs of services: accepted only if they can be read in one way; no message shows their logins."""

import logging
import os
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

HIDDEN = "***"
_typed: list[str] = []
_PLACE = re.compile(r"(?:[\w.%-]*|\[[0-9A-Fa-f:.]+(?:%\w+)?\])(?::[0-9]{1,5})?")
_LOGIN = re.compile(r"[^@/?#\[\]]*")
# A URL that may have a login, to the last @ of its line; another one, or none, to the last @ of its word.
_WITH_LOGIN = re.compile(r"\b((?:postgres(?:ql)?(?:\+\w+)?|smtps?|s3|gs|az)://)[^\n]*@")
_ANY = re.compile(r"(\w://)\S*@")
_KEY = re.compile("TOKEN|PASSWORD|SECRET|KEY_ID")
_BARE = re.compile(r"(?<![^\s'\"(<=])(?!mailto:)[^\s'\"<>:/]+:(?!//)[^\s'\"<>]*@(?=[\w.\[-])")
_ASKED = re.compile(r"([?&;](?:user|password|sslpassword|passfile)=)[^&;\s'\"<>]+", re.IGNORECASE)
_NAMED = re.compile(r"""\b((?:user|role|username)(?: name)?[ =:]+\\?["'])[^"'\\\n]*""", re.IGNORECASE)


def scheme(text: str) -> str:
    """The scheme of a URL, in lower case and without a driver; empty where there is none."""
    return text.partition("://")[0].partition("+")[0].lower() if "://" in text else ""


def parsed(text: str, login: bool = True) -> SplitResult:
    """The parts of a URL that no two programs could read differently. Raises ValueError, which never repeats it.

    Where a character of user or password is not escaped, one program's password is part of another's host, and shows
    in its messages."""
    try:
        parts = urlsplit(text)
        in_range = parts.port is None or parts.port < 65536
    except ValueError:
        raise ValueError(_advice(login)) from None
    if parts.scheme == "file" and (parts.netloc not in ("", "localhost") or parts.query or parts.fragment):
        raise ValueError("write a folder as file:///folder, with # as %23 and ? as %3F")
    name, mark, place = parts.netloc.rpartition("@")
    rest = parts.path + parts.query + parts.fragment
    doubtful = (
        bool(re.search(r"[\x00-\x1f\x7f]", text)) or text != text.strip() or not in_range
        or bool(mark and not login) or not _LOGIN.fullmatch(name) or not _PLACE.fullmatch(place)
        or ("@" in rest and parts.scheme != "file")
    )  # fmt: skip
    if doubtful:
        raise ValueError(_advice(login))
    return parts


def is_unambiguous(text: str) -> bool:
    """Whether a URL of any kind can be read in one way only."""
    try:
        return bool(parsed(text))
    except ValueError:
        return False


def remember_typed(words: Sequence[str]) -> None:
    """Keep what a person typed, so that no message of this process shows a part of a login in it, cut short or not."""
    _typed[:] = words


def scrubbed(text: str, environment: Mapping[str, str] = os.environ, words: Sequence[str] = ()) -> str:
    """A message without any part of a login: of a URL in it, of the settings of this process, or of a URL among other
    known words, such as those that a person typed."""
    words = (*words, *_typed)
    for word in (word for word in words if "://" in word and "@" in word):
        text = _without_start(_without_start(text, repr(word)[1:-1]), word)
    for pattern, instead in ((_WITH_LOGIN, rf"\1{HIDDEN}@"), (_ANY, rf"\1{HIDDEN}@"), (_BARE, f"{HIDDEN}@"),
                             (_ASKED, rf"\1{HIDDEN}"), (_NAMED, rf"\1{HIDDEN}")):  # fmt: skip
        text = pattern.sub(instead, text)
    for secret in sorted({*_secrets(environment), *_of_addresses(words)}, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)" if len(secret) < 8 else re.escape(secret), HIDDEN, text)
    return text


def scrub_record(record: logging.LogRecord) -> bool:
    """A filter for a log handler; it formats the message itself, so that arguments and tracebacks are covered too."""
    record.msg, record.args = scrubbed(record.getMessage()), ()
    if record.exc_info and record.exc_info[0]:
        record.exc_text = scrubbed("".join(traceback.format_exception(*record.exc_info)).rstrip())
    return True


class Scrubbed:
    """A stream that writes what it is given without logins."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text; returns its length."""
        self._stream.write(scrubbed(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _without_start(text: str, word: str) -> str:
    """A text without the login of this URL, which may be cut short in it."""
    shortest = word.index("://") + 4
    start = next((word[:end] for end in range(len(word), shortest - 1, -1) if word[:end] in text), None)
    return text.replace(start, f"{word[: shortest - 1]}{HIDDEN}") if start else text


def _secrets(environment: Mapping[str, str]) -> Iterator[str]:
    """Passwords, keys, tokens and logins among the variables."""
    settings = {name: value for name, value in environment.items() if name.startswith(("T3_", "AWS_"))}
    yield from (value for name, value in settings.items() if _KEY.search(name) and len(value) > 3)
    yield from _of_addresses(settings.values())


def _of_addresses(texts: Iterable[str]) -> Iterator[str]:
    """Passwords as written and as decoded, and user names that are long enough not to hide ordinary words.

    Of a wrongly written URL every part: a program may take any of them for the password."""
    for text in (text for text in texts if "://" in text and "@" in text):
        login, _, rest = text.partition("://")[2].rpartition("@")
        user, _, password = login.partition(":")
        asked = parse_qs(rest.partition("?")[2])
        found = [password, *asked.get("password", []), *asked.get("sslpassword", []), user if len(user) > 7 else ""]
        if not is_unambiguous(text):
            found += [piece for piece in re.split(r"[\W_]+", login) if len(piece) > 2]
        yield from (shown for part in found for shown in (part, unquote(part)) if shown)


def _advice(login: bool) -> str:
    if not login:
        return "the address is not written correctly: it takes no user and no password"
    return (
        "the address is not written correctly: in user and password write / as %2F, @ as %40, : as %3A, # as %23, "
        "? as %3F and % as %25; the port is a number"
    )
