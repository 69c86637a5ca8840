"""Sessions last for T3_SESSION_HOURS, over restarts too, until the visitor signs out or the token changes."""

import hashlib
import json
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from t3lib.settings import settings

# 2**15 rounds over 8 blocks: guessing a token from a stolen cookie costs 32 MB and 0.05 s a guess.
_COST = {"n": 2**15, "r": 8, "p": 1, "maxmem": 2**26, "dklen": 32}


def cookie_options() -> tuple[dict[str, Any], dict[str, Any]]:
    """How a page's cookie is written and read: it lasts for T3_SESSION_HOURS."""
    days = settings().session_hours / 24
    return {"samesite": "Lax", "expires_days": days}, {"max_age_days": days}


def cookie_key(token: str, page: str, folder: Path) -> bytes:
    """The key that signs a page's cookies, from its token and T3_HOME's salt; without a token, a random one."""
    if not token:
        return os.urandom(32)
    return hashlib.scrypt(token.encode(), salt=_salt(folder) + page.encode(), **_COST)


def _salt(folder: Path) -> bytes:
    """A random salt, made once for each T3_HOME; pages that start together use the same one."""
    path = folder / "salt"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        fresh = folder / f".salt.{secrets.token_hex(8)}"
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.urandom(32))
        with suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    return path.read_bytes()


class SignedOut:
    """Sessions that were signed out before they expired, in a file, as a signed cookie cannot be revoked."""

    def __init__(self, path: Path, seconds: float) -> None:
        self._path, self._seconds = path, seconds
        try:
            self._until: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self._until = {}

    def __contains__(self, session: str) -> bool:
        return session in self._until

    def add(self, session: str) -> None:
        """Sign a session out for good."""
        now = time.time()
        self._until = {one: until for one, until in self._until.items() if until > now}
        self._until[session] = now + self._seconds
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._path.with_suffix(f".{secrets.token_hex(8)}")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(self._until, file)
        fresh.replace(self._path)
