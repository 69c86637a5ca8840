"""The websocket between a browser and its kernel: only widget messages pass, and only to the page's own visitor."""

import json
import time
from collections import deque
from typing import Any

import tornado.web
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import APIHandler
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from scheduler.web import log_lines
from scheduler.web.page_handler import PageHandler

ERROR = "Your last choice could not be shown. Reload the page; if this persists, tell T3's operators."
ERROR_SECONDS = 20
LOGGED_PER_MINUTE = 20
# Messages with tracebacks, paths or code.
_LOG_ONLY = {"error", "stream", "execute_input"}


class Connection(ZMQChannelsWebsocketConnection):
    """Connects a browser with its kernel; errors of the kernel go to the log, never to the browser."""

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        """Pass a message on; one that cannot be read ends the connection."""
        try:
            super().handle_incoming_message(incoming_msg)
        except Exception as error:
            self.log.warning("a visitor's message could not be read: %r", error)
            self.websocket_handler.close(1003, "not a message")

    def handle_outgoing_message(self, stream: Any, outgoing_msg: list[Any]) -> None:
        """Pass a message on unless it is only for the log."""
        _, parts = self.session.feed_identities(outgoing_msg)
        kind = self.session.unpack(parts[1])["msg_type"]
        if kind in _LOG_ONLY:
            self._log_output(kind, self.session.unpack(parts[4]))
        elif kind.endswith("_reply") and self.session.unpack(parts[4]).get("status") == "error":
            self._log_output("error", self.session.unpack(parts[4]))
        else:
            super().handle_outgoing_message(stream, outgoing_msg)

    def _log_output(self, kind: str, content: dict[str, Any]) -> None:
        text = "\n".join(content.get("traceback", [])) if kind == "error" else content.get("text", "")
        if kind == "execute_input" or not text.strip():
            return
        if kind == "error" or "Traceback (most recent call last)" in text:
            self.kernel_manager.t3_error_at = time.monotonic()
        logged = self.kernel_manager.__dict__.setdefault("t3_logged", deque(maxlen=LOGGED_PER_MINUTE))
        if len(logged) < LOGGED_PER_MINUTE or time.monotonic() - logged[0] > 60:
            logged.append(time.monotonic())
            self.log.error("kernel %s:%s", self.kernel_id, log_lines.Lines(text))


class ChannelHandler(VoilaKernelWebsocketHandler):
    """The websocket of a kernel, open to the visitor who owns it."""

    @ws_authenticated
    async def get(self, kernel_id: str) -> None:
        if not self.kernel_manager.is_owner(kernel_id, self.current_user.username):
            raise tornado.web.HTTPError(403)
        await super().get(kernel_id)

    def send_ping(self) -> None:
        """Called every half minute; closes the connection when the session has ended."""
        provider = self.identity_provider
        signed_in = provider.get_token(self) or provider.get_user_cookie(self)
        if provider.login_available and not signed_in:
            self.close(1008, "signed out")
        else:
            super().send_ping()


class KernelHandler(PageHandler, APIHandler):
    """Tells a page whether its kernel is alive, and of an error in it."""

    @tornado.web.authenticated
    def get(self, kernel_id: str) -> None:
        self.set_header("Cache-Control", "no-store")
        visitor = self.current_user.username
        if why := self.kernel_manager.end_reason(kernel_id, visitor):
            self.set_status(410)
            self.finish(json.dumps({"why": why}))
            return
        if not self.kernel_manager.is_owner(kernel_id, visitor):
            raise tornado.web.HTTPError(404)
        kernel = self.kernel_manager.get_kernel(kernel_id)
        recent = time.monotonic() - getattr(kernel, "t3_error_at", float("-inf")) < ERROR_SECONDS
        self.finish(json.dumps({"id": kernel_id, "name": kernel.kernel_name, "error": ERROR if recent else ""}))


class ShutdownHandler(PageHandler, APIHandler):
    """Ends the kernel of a page that was closed."""

    @tornado.web.authenticated
    async def post(self, kernel_id: str) -> None:
        if not self.kernel_manager.is_owner(kernel_id, self.current_user.username):
            raise tornado.web.HTTPError(404)
        await self.kernel_manager.shutdown_kernel(kernel_id)
        self.set_status(204)
        self.finish()
