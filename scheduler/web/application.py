"""The Tornado application of a page: it answers to its own host names only, and its answers reveal no internals."""

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import tornado.web
from jupyter_server.base.handlers import APIHandler
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest

from scheduler.http.host_names import HostNames
from scheduler.web import plain_pages
from scheduler.web.auth import sender
from t3lib.settings import settings

# Nothing is uploaded to a page: a widget's message and the form with the token are far below a megabyte.
BYTES, HEADER_BYTES, SECONDS = 2**20, 2**14, 20
LIMITS: dict[str, Any] = {
    "max_body_size": BYTES,
    "max_buffer_size": BYTES + 2**16,
    "max_header_size": HEADER_BYTES,
    "idle_connection_timeout": SECONDS,  # for the headers too: from the last answer to the next request
    "body_timeout": SECONDS,
}
_MESSAGES = {403: "You may not see this page", 404: "There is no such page", 405: "This address does not allow that"}


class Application(tornado.web.Application):
    """Checks the Host header and the scheme of each request before it looks for a handler, whatever the route."""

    def __init__(self, **given: Any) -> None:
        super().__init__(default_handler_class=guarded(_NoRoute), websocket_max_message_size=BYTES, **given)
        linked = urlsplit(settings().dashboard_url or "").hostname
        self._names = HostNames([*settings().public_names, *([linked] if linked else [])], settings().pages_host)

    def listen(self, port: int, address: str | None = None, **given: Any) -> HTTPServer:
        return super().listen(port, address, **LIMITS | given)

    def find_handler(self, request: HTTPServerRequest, **given: Any) -> Any:
        if settings().secure_cookies or sender.over_tls(request, settings().trusted_proxies):
            request.protocol = "https"
        if not self._names.allow(request.host):
            return self.get_handler_delegate(request, guarded(_UnknownHost))
        return super().find_handler(request, **given)


class Guarded(tornado.web.RequestHandler):
    """Mixed into every handler: no version number in headers, error pages of T3's own, secure cookies over HTTPS."""

    def clear(self) -> None:
        super().clear()
        self.set_header("Server", "T3")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")

    def set_cookie(self, name: str, value: Any, *given: Any, **more: Any) -> None:
        if self.request.protocol == "https":
            more["secure"] = True
        super().set_cookie(name, value, *given, **{"samesite": "Lax"} | more)

    def write_error(self, status_code: int, **given: Any) -> None:
        """Answer without a traceback and without repeating anything of the request."""
        error = given.get("exc_info", (None, None))[1]
        message = _MESSAGES.get(status_code) or getattr(error, "message", "") or "The request failed"
        self.set_header("Cache-Control", "no-store")
        if seconds := getattr(error, "seconds", 0):
            self.set_header("Retry-After", str(seconds))
        if isinstance(self, APIHandler):
            self.finish(json.dumps({"message": message}))
            return
        self.set_header("Content-Type", "text/html; charset=utf-8")
        status = f"{status_code} {HTTPStatus(status_code).phrase}"
        self.finish(plain_pages.page("error", message=message, status=status))


def guarded(handler: type[tornado.web.RequestHandler]) -> type[Guarded]:
    """The handler class with `Guarded` mixed in."""
    return type(handler.__name__, (Guarded, handler), {})


class _NoRoute(tornado.web.RequestHandler):
    """Answers addresses without a route."""

    def prepare(self) -> None:
        raise tornado.web.HTTPError(404)

    def check_xsrf_cookie(self) -> None:
        """Not needed: the request changes nothing."""


class _UnknownHost(tornado.web.RequestHandler):
    """Answers a foreign Host header; plain text only, as a stylesheet would be requested from that host too."""

    def prepare(self) -> None:
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("This server does not answer to that host name. T3's operators can add it to T3_PUBLIC_NAMES.\n")

    def check_xsrf_cookie(self) -> None:
        """Not needed: the request changes nothing."""
