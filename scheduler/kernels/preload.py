"""The imports of the warm process, and the check that it can be forked afterwards."""

import importlib
import os
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

# Modules that notebooks import, and that IPython imports when it starts, shows its first table or its first error.
# Not matplotlib_inline, which shows figures only when a kernel imports it.
MODULES = (
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.magics.ast_mod",
    "IPython.core.magics.execution",
    "IPython.core.magics.pylab",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "email_validator",  # needed when T3_MAIL_FROM is set
    "pygments.formatters.terminal256",
    "sqlite3",
    "stack_data",
    "tornado.platform.asyncio",
    "holidays.countries.united_kingdom",
    "ipecharts",
    "ipywidgets",
    "matplotlib.backends.backend_agg",
    "matplotlib.pyplot",
    "pandas.io.formats.html",
    "pandas.io.formats.string",
    "psutil",
    "psycopg2.extras",
    "pyarrow.compute",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "sqlalchemy.dialects.postgresql.psycopg2",
    "scheduler.kernels.kernel",
)
# Not imported: Alembic's scripts, commands, and modules that need Dask, which takes 60 MB and imports every library it
# finds.
EXCLUDED = (".migrations", ".__main__", ".archive.history", ".archive.week")
# Native threads that restart in a forked child. pyarrow contains jemalloc, whose atfork handlers restart its thread; it
# cannot be switched off (apache/arrow #17285).
FORK_SAFE_THREADS = {"jemalloc_bg_thd"}

files: list[str] = []  # of all imported modules; the debugger does not step into them


def own_modules() -> Iterator[str]:
    """The names of the modules of t3lib that kernels start with."""
    import t3lib

    found = pkgutil.walk_packages(t3lib.__path__, "t3lib.", onerror=lambda name: None)  # reported when imported
    return (module.name for module in found if not any(part in module.name for part in EXCLUDED))


def warm(wanted: Callable[[], bool] = lambda: True) -> None:
    """Import everything that kernels share, for as long as `wanted` is true. A module that cannot be imported is
    reported and skipped; the kernel that needs it raises the error."""
    for name in (*MODULES, *own_modules()):
        if not wanted():
            return
        try:
            importlib.import_module(name)
        except Exception:
            print(f"kernels start without {name}:", file=sys.stderr)
            traceback.print_exc(limit=-1)
    _fill_caches()


def _fill_caches() -> None:
    """Compute once what every kernel would otherwise compute for itself, writing to shared memory pages."""
    files[:] = [file for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))]
    if backends := sys.modules.get("matplotlib.backends"):
        backends.backend_registry.list_all()  # reads the entry points of all installed packages
    if psycopg2 := sys.modules.get("psycopg2.extensions"):
        psycopg2.encrypt_password("", "", algorithm="md5")  # initialises its OpenSSL, which takes 4 MB


def unforkable(ours: set[int]) -> list[str]:
    """Threads and sockets that imports started, which a forked kernel would lose or share; must be empty."""
    tasks = [task for task in Path("/proc/self/task").iterdir() if task.name != str(os.getpid())]
    threads = [(task / "comm").read_text(encoding="utf-8").strip() for task in tasks]
    files = {int(fd.name): fd for fd in Path("/proc/self/fd").iterdir()}
    sockets = [fd for fd, link in files.items() if fd > 2 and fd not in ours and link.is_socket()]
    return [f"thread {name}" for name in threads if name not in FORK_SAFE_THREADS] + [f"socket {fd}" for fd in sockets]
