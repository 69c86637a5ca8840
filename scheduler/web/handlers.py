"""The Voilà application with T3's handlers, and without the routes that a page does not need."""

import tempfile
from typing import Any, ClassVar

from jupyter_server.base.handlers import FileFindHandler, JupyterHandler
from jupyter_server.services.kernels.handlers import KernelHandler
from jupyter_server.utils import url_path_join
from jupyterlab_server.themes_handler import ThemesHandler
from voila.app import Voila
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.static_file_handler import AllowListFileHandler, MultiStaticFileHandler, TemplateStaticFileHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from scheduler.web import executed_notebooks, sent_mail, static_files
from scheduler.web.application import Application, guarded
from scheduler.web.auth.access import Rules
from scheduler.web.visitors import admission, channels

Route = tuple[Any, ...]  # path, handler class, and sometimes its arguments

OPERATIONS = "6_operations"
REPLACED = {
    TornadoVoilaHandler: admission.VisitHandler,
    KernelHandler: channels.KernelHandler,
    VoilaKernelWebsocketHandler: channels.ChannelHandler,
    VoilaShutdownKernelHandler: channels.ShutdownHandler,
} | {
    handler: static_files.compressed_handler(handler)
    for handler in (FileFindHandler, MultiStaticFileHandler, TemplateStaticFileHandler)
}
REMOVED = {AllowListFileHandler, ThemesHandler}  # visitors get neither files nor themes


class Server(Voila):
    """The server of one page; `rules` and `page_name` are set before it starts."""

    name = "voila"
    rules: ClassVar[Rules]
    page_name: ClassVar[str]

    def initialize(self, argv: list[str] | None = None) -> None:
        super().initialize(argv)
        self.log.setLevel(self.log_level)  # else a record is made, and dropped, for every message of every kernel

    def start(self) -> None:
        """Start as Voilà does, but with T3's `Application`."""
        self.connection_dir = tempfile.mkdtemp(prefix="voila_", dir=self.connection_dir_root)
        self.app = Application(**self.init_settings())
        self.app.settings.update(self.tornado_settings)
        self.app.add_handlers(".*$", self.init_handlers())
        self.listen()

    def init_settings(self) -> dict[str, Any]:
        return super().init_settings() | {"allow_remote_access": True}  # `Application` checks the host names

    def init_handlers(self) -> list[Route]:
        folder = static_files.digest_of(self.static_paths)
        self.voila_configuration.extension_config = {"t3": {"static": folder}}  # read by the template
        kept = [route for route in super().init_handlers() if route[1] not in REMOVED]
        found = [(path, REPLACED.get(handler, handler), *rest) for path, handler, *rest in kept]
        routes = [(url_path_join(self.server_url, path), handler) for path, handler in self._own_pages()]
        every = [*routes, self._immutable_scripts(folder), *found]
        return [(path, guarded(handler), *rest) for path, handler, *rest in every]

    def _immutable_scripts(self, folder: str) -> Route:
        """Voilà's scripts under an address that changes whenever they do, so that browsers cache them for good."""
        path = url_path_join(self.server_url, f"/voila/static/{folder}/(.*)")
        return (
            path,
            static_files.compressed_handler(MultiStaticFileHandler, immutable=True),
            {"paths": self.static_paths},
        )

    def _own_pages(self) -> list[tuple[str, type[JupyterHandler]]]:
        """Executed notebooks beside the operations page, sent mail beside the dashboard."""
        if self.page_name == OPERATIONS:
            return [(executed_notebooks.PATH, executed_notebooks.ExecutedNotebookHandler)]
        return [(sent_mail.LIST, sent_mail.ListHandler), (sent_mail.ONE, sent_mail.MailHandler)]
