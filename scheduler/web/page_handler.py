"""What every handler of a page can use: who the visitors are and which kernels they have."""

from typing import TYPE_CHECKING, cast

from jupyter_server.base.handlers import JupyterHandler

if TYPE_CHECKING:
    from scheduler.web.auth.access import Visitors
    from scheduler.web.visitors.kernels import Kernels


class PageHandler(JupyterHandler):
    """Jupyter's handler over T3's identity provider and kernel manager."""

    @property
    def identity_provider(self) -> "Visitors":
        return cast("Visitors", self.settings["identity_provider"])

    @property
    def kernel_manager(self) -> "Kernels":
        return cast("Kernels", self.settings["kernel_manager"])
