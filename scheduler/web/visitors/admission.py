"""What a visitor gets: the page, or a waiting page while there is no room for another kernel."""

from typing import Any

import tornado.web
from jinja2 import Environment
from jinja2.bccache import Bucket, BytecodeCache
from voila import notebook_renderer
from voila.execute import VoilaExecutor
from voila.exporter import VoilaExporter
from voila.tornado.handler import TornadoVoilaHandler

from scheduler.web import log_lines, plain_pages
from scheduler.web.auth import sender
from scheduler.web.visitors.kernels import NoPlaceError

SECONDS = 5
SIGN_OUT = "t3_sign_out"  # what the template asks of the notebook's metadata: the form's token


class Compiled(BytecodeCache):
    """Templates that were compiled for an earlier visitor."""

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self._codes.get(bucket.key + bucket.checksum):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key + bucket.checksum] = bucket.bytecode_to_string()


class Exporter(VoilaExporter):
    """Voilà makes one per visitor, and each would compile every template anew: an eighth of what a visit costs."""

    compiled = Compiled()

    def _create_environment(self) -> Environment:
        found = super()._create_environment()
        found.bytecode_cache = self.compiled
        return found


class Executor(VoilaExecutor):
    """What a cell says to whoever runs it stands in the log; Voilà throws it away."""

    async def async_execute_cell(self, cell: Any, *given: Any, **more: Any) -> Any:
        try:
            return await super().async_execute_cell(cell, *given, **more)
        finally:
            for output in cell.get("outputs", []):
                if output.get("name") == "stderr":
                    self.log.error("the page's notebook:%s", log_lines.Lines(output["text"]))


notebook_renderer.VoilaExporter = Exporter  # it takes none as a setting
notebook_renderer.VoilaExecutor = Executor


def offer_sign_out(handler: Any, notebook: Any, cwd: str) -> None:
    """Give who signed in a way out."""
    if handler.identity_provider.login_available:
        notebook.metadata[SIGN_OUT] = handler.xsrf_token.decode()


class VisitHandler(TornadoVoilaHandler):
    """Runs the notebook for a visitor; an overloaded server says so and lets the browser come again by itself."""

    def set_default_headers(self) -> None:
        super().set_default_headers()
        if self.identity_provider.login_available:  # there is a form to sign out
            policy = self.settings["headers"]["Content-Security-Policy"]
            self.set_header("Content-Security-Policy", policy.replace("form-action 'none'", "form-action 'self'"))

    @tornado.web.authenticated
    async def head(self, path: str | None = None) -> None:
        """Whether there is a page, without making it."""
        self.set_header("Cache-Control", "no-store")

    @tornado.web.authenticated
    async def get(self, path: str | None = None) -> None:
        if path:
            raise tornado.web.HTTPError(404)
        if not sender.is_visit(self.request.headers, self.request.host):
            return self.decline()
        if not self.kernel_manager.has_place():
            return self.wait()
        self.identity_provider.rules.sign(self.request.headers, self.current_user)
        try:
            await super().get(path)
        except NoPlaceError:
            self.wait()
        except Exception:
            if self._headers_written:
                raise
            self.log.exception("a visitor waits, for no kernel could be started")
            self.wait()

    def decline(self) -> None:
        """Answer what nobody opened; a browser that loads ahead asks again when somebody does."""
        self.set_status(403 if self.request.headers.get("Sec-Fetch-Mode", "") != "navigate" else 503)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish("Open this page in a tab of its own.\n")

    def wait(self) -> None:
        """Answer without a kernel."""
        self.clear()
        self.set_status(503)
        self.set_header("Retry-After", str(SECONDS))
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish(plain_pages.page("waiting", again_after=SECONDS))
