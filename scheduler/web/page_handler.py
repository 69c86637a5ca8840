"""The base of a page's handlers."""

from typing import TYPE_CHECKING, cast

from jupyter_server.base.handlers import JupyterHandler

if TYPE_CHECKING:
    from scheduler.web.auth.access import Visitors
    from scheduler.web.visitors.kernels import VisitorKernels


class PageHandler(JupyterHandler):
    """Jupyter's handler, with the types of T3's identity provider and kernel manager."""

    @property
    def identity_provider(self) -> "Visitors":
        return cast("Visitors", self.settings["identity_provider"])

    @property
    def kernel_manager(self) -> "VisitorKernels":
        return cast("VisitorKernels", self.settings["kernel_manager"])
