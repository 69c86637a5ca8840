"""The application around a page's routes: requests under its own names only, and answers that tell nothing of us."""

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import tornado.web
from jupyter_server.base.handlers import APIHandler
from tornado.httputil import HTTPServerRequest

from scheduler.http.host_names import Names
from scheduler.web import plain_pages
from scheduler.web.auth import sender
from t3lib.settings import settings

# Pages take no uploads: a widget's message and the form with a token are far below a megabyte.
BYTES, HEADER_BYTES, SECONDS = 2**20, 2**14, 20
LIMITS = {
    "max_body_size": BYTES,
    "max_buffer_size": BYTES + 2**16,
    "max_header_size": HEADER_BYTES,
    "idle_connection_timeout": SECONDS,  # for the headers too: the time from the last answer to the next request
    "body_timeout": SECONDS,
}
_ANSWERS = {403: "This is not open to you", 404: "There is nothing here", 405: "This cannot be done here"}


class Application(tornado.web.Application):
    """Looks at the name and the way of each request before it looks for a handler, whatever the route."""

    def __init__(self, **given: Any) -> None:
        super().__init__(default_handler_class=guarded(_Nowhere), websocket_max_message_size=BYTES, **given)
        linked = urlsplit(settings().dashboard_url or "").hostname
        self._names = Names([*settings().public_names, *([linked] if linked else [])], settings().pages_host)

    def find_handler(self, request: HTTPServerRequest, **given: Any) -> Any:
        if settings().secure_cookies or sender.over_tls(request, settings().trusted_proxies):
            request.protocol = "https"
        if not self._names.allow(request.host):
            return self.get_handler_delegate(request, guarded(_Misnamed))
        return super().find_handler(request, **given)


class Guarded:
    """Mixed into every handler: no version of ours in headers, plain pages for errors, cookies by https where it is."""

    def clear(self) -> None:
        super().clear()
        self.set_header("Server", "T3")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")

    def set_cookie(self, name: str, value: Any, *given: Any, **more: Any) -> None:
        if self.request.protocol == "https":
            more["secure"] = True
        super().set_cookie(name, value, *given, **{"samesite": "Lax"} | more)

    def write_error(self, status_code: int, **given: Any) -> None:
        """Neither a traceback nor anything that was asked."""
        error = given.get("exc_info", (None, None))[1]
        said = _ANSWERS.get(status_code) or getattr(error, "said", "") or "This could not be done"
        self.set_header("Cache-Control", "no-store")
        if seconds := getattr(error, "seconds", 0):
            self.set_header("Retry-After", str(seconds))
        if isinstance(self, APIHandler):
            self.finish(json.dumps({"message": said}))
            return
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(plain_pages.page("error", said=said, status=f"{status_code} {HTTPStatus(status_code).phrase}"))


def guarded(handler: type) -> type:
    """The same handler with all of this."""
    return type(handler.__name__, (Guarded, handler), {})


class _Nowhere(tornado.web.RequestHandler):
    """No route leads here."""

    def prepare(self) -> None:
        raise tornado.web.HTTPError(404)

    def check_xsrf_cookie(self) -> None:
        """Nothing is done anyway."""


class _Misnamed(tornado.web.RequestHandler):
    """A name that is not ours; nothing but text, for any other file would have to come from it."""

    def prepare(self) -> None:
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("This server does not answer to that name. Whoever runs T3 can add it to T3_PUBLIC_NAMES.\n")

    def check_xsrf_cookie(self) -> None:
        """Nothing is done anyway."""
