"""Who may see a page: everybody on this machine, people with its token, or users whom a trusted proxy names.

A page that other machines can reach needs a token or a proxy. A proxy's headers count only from the addresses in
T3_TRUSTED_PROXIES; the operations page then also requires the operators' group."""

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
    """How one page identifies its visitors; with no field set, only this machine may reach it."""

    token: str = ""
    user_header: str = ""
    groups_header: str = ""
    group: str = ""
    proxies: tuple[str, ...] = ()
    key: bytes = b""

    @classmethod
    def from_environment(cls) -> "Rules":
        """The rules of this process. Removes token and key from the environment, as kernels inherit it."""
        chosen = settings()
        token, group, key = (os.environ.pop(name, "") for name in (TOKEN, GROUP, KEY))
        header, groups = chosen.proxy_user_header or "", chosen.proxy_groups_header
        return cls(token, header, groups, group, chosen.trusted_proxies, bytes.fromhex(key))

    @property
    def any(self) -> bool:
        """Whether visitors must sign in."""
        return bool(self.token or self.user_header)

    def is_token(self, text: str) -> bool:
        """Whether this text is the token."""
        return bool(self.token) and hmac.compare_digest(text.encode(), self.token.encode())

    def sign(self, headers: Any, user: User | None) -> None:
        """Set the header that names the signed-in user to the kernel; replaces whatever the browser sent in it."""
        headers.pop(HEADER, None)
        if self.key:
            headers[HEADER] = signature.statement(self.key, user.username if user and self.user_header else "")

    def user_of(self, headers: Any, address: str) -> str | None:
        """The user whom the proxy at this address names; None when there is none or they are not in the group."""
        if not self.user_header or address not in self.proxies:
            return None
        groups = {group.strip() for group in headers.get(self.groups_header, "").split(",")}
        return headers.get(self.user_header) if not self.group or self.group in groups else None


def environment(page: str) -> dict[str, str]:
    """The variables from which the server of 'dashboard' or 'operations' makes its `Rules`."""
    chosen = settings()
    token = getattr(chosen, f"{page}_token")
    group = chosen.operators_group if page == "operations" and chosen.proxy_user_header else ""
    key = _visitor_key() if page == "operations" else ""
    return {TOKEN: token.get_secret_value() if token else "", GROUP: group, KEY: key}


def _visitor_key() -> str:
    """The key that signs operator requests, in hex; empty without the owner's database role, then none can be made."""
    if settings().database_url is None:
        return ""
    with suppress(sa.exc.ProgrammingError), warehouse.connect() as db:
        return signature.key(db).hex()
    return ""


def require_guard(page: str) -> None:
    """Raise ServiceError when a page would be open to the network without sign-in."""
    chosen = settings()
    host = chosen.pages_host
    if ipaddress.ip_address(host).is_loopback or getattr(chosen, f"{page}_token") or chosen.proxy_user_header:
        return
    raise ServiceError(
        f"The {page} page would be open to everybody who can reach {host}: set T3_{page.upper()}_TOKEN, or "
        f"T3_PROXY_USER_HEADER if a proxy signs people in, or set T3_PAGES_HOST to 127.0.0.1."
    )


class Visitors(IdentityProvider):
    """Identifies visitors by the rules. A token in a URL is ignored, as histories and logs record URLs."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given | {"token": "", "login_handler_class": LoginHandler})
        server: Server = given["parent"]
        self.rules = server.rules
        self.token = self.rules.token
        self.cookie_options, self.get_secure_cookie_kwargs = sessions.cookie_options()
        self.attempts = Attempts()
        signed_out = settings().home / SESSIONS / f"{server.page_name}.json"
        self.signed_out = sessions.SignedOut(signed_out, settings().session_hours * 3600)

    @property
    def auth_enabled(self) -> bool:
        return self.rules.any

    @property
    def login_available(self) -> bool:
        return bool(self.rules.token) and not self.rules.user_header

    def get_handlers(self) -> list[tuple[str, object]]:
        """The addresses to sign in and out; visitors without access are sent to the first, also without a token."""
        return [(r"/login", LoginHandler), (r"/logout", LogoutHandler)]

    async def get_user(self, handler: tornado.web.RequestHandler) -> User | None:
        """The visitor of a request; None when they may not see the page."""
        if self.rules.user_header:
            # The server ignores X-Forwarded-For, so remote_ip is the address that really connected.
            name = self.rules.user_of(handler.request.headers, handler.request.remote_ip or "")
            return User(name) if name else None
        return await self._get_user(handler)

    def get_user_cookie(self, handler: tornado.web.RequestHandler) -> User | None:
        """The visitor who signed in with this browser and has not signed out."""
        user = super().get_user_cookie(handler)
        return user if isinstance(user, User) and user.username not in self.signed_out else None

    def get_token(self, handler: tornado.web.RequestHandler) -> str | None:
        found = self.auth_header_pat.match(handler.request.headers.get("Authorization", ""))
        return found[2] if found else None

    async def get_user_token(self, handler: tornado.web.RequestHandler) -> User | None:
        """A program that sends the token; with the cookie that it got it stays the same visitor."""
        token, known = self.get_token(handler), self.get_user_cookie(handler)
        if not self.rules.token or token is None or (known and not self.rules.is_token(token)):
            return None
        try:
            if not await self._check_token(handler, token):
                raise Refused(401, "The token is wrong.")
        except TooManyError as error:
            raise Refused(429, str(error), error.seconds) from None
        return known or self.generate_anonymous_user(handler)

    async def sign_in(self, handler: tornado.web.RequestHandler) -> User | None:
        """A new visitor when the form holds the token, else None. Raises TooManyError."""
        token = handler.get_argument("password", default="", strip=False)
        return self.generate_anonymous_user(handler) if await self._check_token(handler, token) else None

    async def _check_token(self, handler: tornado.web.RequestHandler, token: str) -> bool:
        address = sender.address(handler.request, self.rules.proxies)
        return await self.attempts.check(address, self.rules.is_token(token))
