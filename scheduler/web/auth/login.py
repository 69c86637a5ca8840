"""Signing in by the token, and out again."""

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
    """An error that tells the visitor why, and after how many seconds to try again."""

    def __init__(self, status: int, said: str, seconds: int = 0) -> None:
        super().__init__(status)
        self.said, self.seconds = said, seconds


class LoginHandler(PageHandler, LoginFormHandler):
    """Where a visitor without leave ends: the page on which to type the token, or the one that says no."""

    def set_default_headers(self) -> None:
        super().set_default_headers()
        policy = self.settings["headers"]["Content-Security-Policy"]
        self.set_header("Content-Security-Policy", policy.replace("form-action 'none'", "form-action 'self'"))
        self.set_header("Cache-Control", "no-store")

    @allow_unauthenticated
    def get(self) -> None:
        if not self.identity_provider.login_available:  # signing in is the proxy's, and it has had its say
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
            return self._say(str(error))
        if user is None:
            self.set_status(401)
            return self._say("That is not the token. Ask whoever runs T3.")
        self.identity_provider.set_login_cookie(self, user)
        self._redirect_safe(self.get_argument("next", default=self.base_url))

    def _redirect_safe(self, url: str, default: str | None = None) -> None:
        """To an address of this page and to no other."""
        self.redirect(url if _OWN_ADDRESS.fullmatch(url) else default or self.base_url)

    def _render(self, message: dict[str, str] | None = None) -> None:
        self._say("")

    def _say(self, said: str) -> None:
        asked = self.get_argument("next", default=self.base_url)
        after = url_escape(asked if _OWN_ADDRESS.fullmatch(asked) else self.base_url)
        self.finish(plain_pages.page("login", next=after, said=said, xsrf=self.xsrf_token.decode()))


class LogoutHandler(PageHandler):
    """Ends a session and what the visitor had open."""

    @allow_unauthenticated
    def get(self) -> None:
        self.redirect(self.base_url)  # an address alone, which any site can have a browser ask for, ends nothing

    @allow_unauthenticated
    async def post(self) -> None:
        self.set_header("Cache-Control", "no-store")
        if self.current_user and not self.identity_provider.rules.user_header:
            self.identity_provider.ended.add(self.current_user.username)
            self.identity_provider.clear_login_cookie(self)
            await self.kernel_manager.end_all_of(self.current_user.username)
        self.finish(plain_pages.page("left"))
