"""What a visitor gets: the page, or a waiting page while there is no room for another kernel."""

import psutil
from voila.tornado.handler import TornadoVoilaHandler

from scheduler import plain

VISITORS_AT_MOST = 100
# A page needs about 50 MB; below this the machine would begin to swap for everybody.
SPARE_BYTES = 300 * 2**20
SECONDS = 5


class VisitHandler(TornadoVoilaHandler):
    """Runs the notebook for a visitor; an overloaded server says so and lets the browser come again by itself."""

    async def get(self, path: str | None = None) -> None:
        if not self.has_room():
            return self.wait()
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
