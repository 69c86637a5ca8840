"""Admission: a visitor gets the page, or a waiting page while there is no room for another kernel."""

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
from scheduler.web.visitors.kernels import NoRoomError

RELOAD_SECONDS = 5
SIGN_OUT = "t3_sign_out"  # in the notebook's metadata: the XSRF token of the template's form


class CompiledTemplates(BytecodeCache):
    """Keeps compiled templates for the next visitors."""

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self._codes.get(bucket.key + bucket.checksum):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key + bucket.checksum] = bucket.bytecode_to_string()


class Exporter(VoilaExporter):
    """Voilà makes an exporter per visitor; without a cache, compiling templates takes an eighth of a visit's time."""

    compiled = CompiledTemplates()

    def _create_environment(self) -> Environment:
        environment = super()._create_environment()
        environment.bytecode_cache = self.compiled
        return environment


class Executor(VoilaExecutor):
    """Voilà's executor, but what a cell writes to stderr goes to the log; Voilà drops it."""

    async def async_execute_cell(self, cell: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super().async_execute_cell(cell, *args, **kwargs)
        finally:
            for output in cell.get("outputs", []):
                if output.get("name") == "stderr":
                    self.log.error("the page's notebook:%s", log_lines.Lines(output["text"]))


notebook_renderer.VoilaExporter = Exporter  # there is no setting for it
notebook_renderer.VoilaExecutor = Executor


def offer_sign_out(handler: Any, notebook: Any, cwd: str) -> None:
    """Show the button to sign out on pages with a token."""
    if handler.identity_provider.login_available:
        notebook.metadata[SIGN_OUT] = handler.xsrf_token.decode()


class VisitHandler(TornadoVoilaHandler):
    """Executes the notebook for a visitor; a full server answers with a waiting page that reloads itself."""

    def set_default_headers(self) -> None:
        super().set_default_headers()
        if self.identity_provider.login_available:  # the page has a form to sign out
            policy = self.settings["headers"]["Content-Security-Policy"]
            self.set_header("Content-Security-Policy", policy.replace("form-action 'none'", "form-action 'self'"))

    @tornado.web.authenticated
    async def head(self, path: str | None = None) -> None:
        """Answer without executing the notebook."""
        self.set_header("Cache-Control", "no-store")

    @tornado.web.authenticated
    async def get(self, path: str | None = None) -> None:
        if path:
            raise tornado.web.HTTPError(404)
        if not sender.is_visit(self.request.headers, self.request.host):
            return self.refuse_fetch()
        if not self.kernel_manager.has_room():
            return self.send_waiting_page()
        self.identity_provider.rules.sign(self.request.headers, self.current_user)
        try:
            await super().get(path)
        except NoRoomError:
            self.send_waiting_page()
        except Exception:
            if self._headers_written:
                raise
            self.log.exception("no kernel could be started; the visitor got the waiting page")
            self.send_waiting_page()

    def refuse_fetch(self) -> None:
        """Answer a request that is no visit; a browser that prefetched requests the page once it is opened."""
        self.set_status(403 if self.request.headers.get("Sec-Fetch-Mode", "") != "navigate" else 503)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish("Open this page in a tab of its own.\n")

    def send_waiting_page(self) -> None:
        """Answer with the waiting page, without a kernel."""
        self.clear()
        self.set_status(503)
        self.set_header("Retry-After", str(RELOAD_SECONDS))
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish(plain_pages.page("waiting", reload_seconds=RELOAD_SECONDS))
