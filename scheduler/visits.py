"""What a visitor gets: the page, or a waiting page while there is no room for another kernel."""

import psutil
from jinja2 import Environment
from jinja2.bccache import BytecodeCache
from voila import notebook_renderer
from voila.exporter import VoilaExporter
from voila.tornado.handler import TornadoVoilaHandler

from scheduler import plain

VISITORS_AT_MOST = 100
# A page needs about 40 MB; below this the machine would begin to swap for everybody.
SPARE_BYTES = 300 * 2**20
SECONDS = 5


class Compiled(BytecodeCache):
    """Templates that were compiled for an earlier visitor."""

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket) -> None:
        if code := self._codes.get(bucket.key + bucket.checksum):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket) -> None:
        self._codes[bucket.key + bucket.checksum] = bucket.bytecode_to_string()


class Exporter(VoilaExporter):
    """Voilà makes one per visitor, and each would compile every template anew: an eighth of what a visit costs."""

    compiled = Compiled()

    def _create_environment(self) -> Environment:
        found = super()._create_environment()
        found.bytecode_cache = self.compiled
        return found


notebook_renderer.VoilaExporter = Exporter  # it takes none as a setting


class VisitHandler(TornadoVoilaHandler):
    """Runs the notebook for a visitor; an overloaded server says so and lets the browser come again by itself."""

    async def get(self, path: str | None = None) -> None:
        if not self.has_room():
            return self.wait()
        self.identity_provider.rules.sign(self.request.headers, self.current_user)
        try:
            await super().get(path)
        except Exception:
            if self._headers_written:
                raise
            self.log.exception("a visitor waits, for no kernel could be started")
            self.wait()

    def has_room(self) -> bool:
        """Whether another kernel may be started."""
        if len(self.kernel_manager.list_kernel_ids()) >= VISITORS_AT_MOST:
            return False
        return psutil.virtual_memory().available > SPARE_BYTES

    def wait(self) -> None:
        """Answer without a kernel."""
        self.clear()
        self.set_status(503)
        self.set_header("Retry-After", str(SECONDS))
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish(plain.page("waiting", again_after=SECONDS))
