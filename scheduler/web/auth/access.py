"""Who may see a page: everybody on this machine, those who know its token, or those whom a trusted proxy names.

A page that others than this machine can reach needs one of the last two. What a proxy says is only believed of the
addresses in T3_TRUSTED_PROXIES; the operations page then also wants the operators' group."""

import hmac
import ipaddress
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import tornado.web
from jupyter_server.auth.identity import IdentityProvider, User

from scheduler.web.auth import sender, sessions
from scheduler.web.auth.attempts import Attempts, TooManyError
from scheduler.web.auth.login import LoginHandler, LogoutHandler, Refused
from t3lib import warehouse
from t3lib.dashboard.visitor import HEADER
from t3lib.operator_requests import signature
from t3lib.problems import ServiceError
from t3lib.settings import settings

if TYPE_CHECKING:
    from scheduler.web.handlers import Server

TOKEN, GROUP, KEY = "T3_PAGE_TOKEN", "T3_PAGE_GROUP", "T3_PAGE_KEY"
SESSIONS = "sessions"


@dataclass(frozen=True)
class Rules:
    """How one page's visitors are told apart; nothing at all means that only this machine may reach it."""

    token: str = ""
    user_header: str = ""
    groups_header: str = ""
    group: str = ""
    proxies: tuple[str, ...] = ()
    key: bytes = b""

    @classmethod
    def taken(cls) -> "Rules":
        """The rules of this process; token and key leave the environment, which kernels get too."""
        chosen = settings()
        token, group, key = (os.environ.pop(name, "") for name in (TOKEN, GROUP, KEY))
        header, groups = chosen.proxy_user_header or "", chosen.proxy_groups_header
        return cls(token, header, groups, group, chosen.trusted_proxies, bytes.fromhex(key))

    @property
    def any(self) -> bool:
        """Whether visitors are told apart."""
        return bool(self.token or self.user_header)

    def knows(self, typed: str) -> bool:
        """Whether this is the token."""
        return bool(self.token) and hmac.compare_digest(typed.encode(), self.token.encode())

    def sign(self, headers: Any, user: User | None) -> None:
        """Tell the visitor's kernel in a header who signed in, whatever the browser sent there."""
        headers.pop(HEADER, None)
        if self.key:
            headers[HEADER] = signature.statement(self.key, user.username if user and self.user_header else "")

    def named(self, headers: Any, address: str) -> str | None:
        """The visitor whom the proxy at this address names; None when it names none or not one of the group."""
        if not self.user_header or address not in self.proxies:
            return None
        groups = {group.strip() for group in headers.get(self.groups_header, "").split(",")}
        return headers.get(self.user_header) if not self.group or self.group in groups else None


def environment(page: str) -> dict[str, str]:
    """What the server of 'dashboard' or 'operations' is told of its visitors."""
    chosen = settings()
    token = getattr(chosen, f"{page}_token")
    group = chosen.operators_group if page == "operations" and chosen.proxy_user_header else ""
    key = _visitor_key() if page == "operations" else ""
    return {TOKEN: token.get_secret_value() if token else "", GROUP: group, KEY: key}


def _visitor_key() -> str:
    """What signs for visitors, in hex; empty where this process is not the owner's: then nobody can ask."""
    if settings().database_url is None:
        return ""
    with suppress(sa.exc.ProgrammingError), warehouse.connect() as db:
        return signature.key(db).hex()
    return ""


def require_guard(page: str) -> None:
    """Raise ServiceError when a page would be open to the network."""
    chosen = settings()
    host = chosen.pages_host
    if ipaddress.ip_address(host).is_loopback or getattr(chosen, f"{page}_token") or chosen.proxy_user_header:
        return
    raise ServiceError(
        f"The {page} page would be open to everybody who reaches {host}: set T3_{page.upper()}_TOKEN, or "
        f"T3_PROXY_USER_HEADER where a proxy signs people in, or leave T3_PAGES_HOST at 127.0.0.1."
    )


class Visitors(IdentityProvider):
    """Tells visitors apart by the rules. A token is never taken from an address, where histories and logs keep it."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given | {"token": "", "login_handler_class": LoginHandler})
        server: Server = given["parent"]
        self.rules = server.rules
        self.token = self.rules.token
        days = settings().session_hours / 24
        self.cookie_options = {"samesite": "Lax", "expires_days": days}
        self.get_secure_cookie_kwargs = {"max_age_days": days}
        self.attempts = Attempts()
        ended = settings().home / SESSIONS / f"{server.page_name}.json"
        self.ended = sessions.Ended(ended, days * 86400)

    @property
    def auth_enabled(self) -> bool:
        return self.rules.any

    @property
    def login_available(self) -> bool:
        return bool(self.rules.token) and not self.rules.user_header

    def get_handlers(self) -> list[tuple[str, object]]:
        """Where visitors without leave are sent, also when there is no token to type."""
        return [(r"/login", LoginHandler), (r"/logout", LogoutHandler)]

    async def get_user(self, handler: tornado.web.RequestHandler) -> User | None:
        """The visitor of a request; None when the page is not for them."""
        if self.rules.user_header:
            # The server takes no X-Forwarded-For, so this is who is really at the other end.
            name = self.rules.named(handler.request.headers, handler.request.remote_ip or "")
            return User(name) if name else None
        return await self._get_user(handler)

    def get_user_cookie(self, handler: tornado.web.RequestHandler) -> User | None:
        """Who signed in with this browser, and has not signed out."""
        user = super().get_user_cookie(handler)
        return user if isinstance(user, User) and user.username not in self.ended else None

    def get_token(self, handler: tornado.web.RequestHandler) -> str | None:
        found = self.auth_header_pat.match(handler.request.headers.get("Authorization", ""))
        return found[2] if found else None

    async def get_user_token(self, handler: tornado.web.RequestHandler) -> User | None:
        """A program that sends the token; it is the same visitor for as long as it keeps the cookie."""
        typed, known = self.get_token(handler), self.get_user_cookie(handler)
        if not self.rules.token or typed is None or (known and not self.rules.knows(typed)):
            return None
        try:
            if not await self._judged(handler, typed):
                raise Refused(401, "That is not the token.")
        except TooManyError as error:
            raise Refused(429, str(error), error.seconds) from None
        return known or self.generate_anonymous_user(handler)

    async def sign_in(self, handler: tornado.web.RequestHandler) -> User | None:
        """Whoever typed the token. Raises TooManyError."""
        typed = handler.get_argument("password", default="", strip=False)
        return self.generate_anonymous_user(handler) if await self._judged(handler, typed) else None

    async def _judged(self, handler: tornado.web.RequestHandler, typed: str) -> bool:
        where = sender.address(handler.request, self.rules.proxies)
        return await self.attempts.judged(where, self.rules.knows(typed))
