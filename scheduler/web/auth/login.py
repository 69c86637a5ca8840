"""The pages to sign in with the token and to sign out."""

import re

import tornado.web
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.login import LoginFormHandler
from tornado.escape import url_escape

from scheduler.web import plain_pages
from scheduler.web.auth.attempts import TooManyError
from scheduler.web.page_handler import PageHandler

_OWN_ADDRESS = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,2000}")


class Refused(tornado.web.HTTPError):
    """An error with a message for the visitor, and the seconds after which to try again."""

    def __init__(self, status: int, message: str, seconds: int = 0) -> None:
        super().__init__(status)
        self.message, self.seconds = message, seconds


class LoginHandler(PageHandler, LoginFormHandler):
    """The page for visitors without access: a form for the token, or a refusal where a proxy signs people in."""

    def set_default_headers(self) -> None:
        super().set_default_headers()
        policy = self.settings["headers"]["Content-Security-Policy"]
        self.set_header("Content-Security-Policy", policy.replace("form-action 'none'", "form-action 'self'"))
        self.set_header("Cache-Control", "no-store")

    @allow_unauthenticated
    def get(self) -> None:
        if not self.identity_provider.login_available:  # the proxy signs people in, and it did not name this visitor
            self.set_status(403)
            self.finish(plain_pages.page("refused"))
        else:
            super().get()

    @allow_unauthenticated
    async def post(self) -> None:
        if not self.identity_provider.login_available:
            self.set_status(403)
            self.finish(plain_pages.page("refused"))
            return
        try:
            user = self.current_user = await self.identity_provider.sign_in(self)
        except TooManyError as error:
            self.set_status(429)
            self.set_header("Retry-After", str(error.seconds))
            return self._show_form(str(error))
        if user is None:
            self.set_status(401)
            return self._show_form("The token is wrong. T3's operators can give it to you.")
        self.identity_provider.set_login_cookie(self, user)
        self._redirect_safe(self.get_argument("next", default=self.base_url))

    def _redirect_safe(self, url: str, default: str | None = None) -> None:
        """Redirect only to an address of this page."""
        self.redirect(url if _OWN_ADDRESS.fullmatch(url) else default or self.base_url)

    def _render(self, message: dict[str, str] | None = None) -> None:
        self._show_form("")

    def _show_form(self, message: str) -> None:
        requested = self.get_argument("next", default=self.base_url)
        after = url_escape(requested if _OWN_ADDRESS.fullmatch(requested) else self.base_url)
        self.finish(plain_pages.page("login", next=after, message=message, xsrf=self.xsrf_token.decode()))


class LogoutHandler(PageHandler):
    """Signs a visitor out and ends their kernels."""

    @allow_unauthenticated
    def get(self) -> None:
        self.redirect(
            self.base_url
        )  # only a form with its token signs out: any site can make a browser GET this address

    @allow_unauthenticated
    async def post(self) -> None:
        self.set_header("Cache-Control", "no-store")
        if self.current_user and not self.identity_provider.rules.user_header:
            self.identity_provider.signed_out.add(self.current_user.username)
            self.identity_provider.clear_login_cookie(self)
            await self.kernel_manager.end_kernels_of(self.current_user.username)
        self.finish(plain_pages.page("signed_out"))
