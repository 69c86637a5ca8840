"""What the warm process imports, and the proof that it may be forked afterwards."""

import importlib
import os
import pkgutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

# What notebooks import, and what IPython imports late: at its start, for the first table, for the first error.
# Not matplotlib_inline, which must be imported by a kernel to show figures.
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
    "email_validator",  # for who sets T3_MAIL_FROM
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
# Not for every kernel: Alembic's scripts, and Dask, which brings 60 MB and whatever libraries it finds.
APART = (".migrations", ".archive.history", ".archive.week")
# Native threads that mend themselves in a forked child. pyarrow carries jemalloc, whose atfork handlers
# restart its thread; there is no switch against it (apache/arrow #17285).
FORK_SAFE_THREADS = {"jemalloc_bg_thd"}

files: list[str] = []  # of all imported modules: what a debugger does not step into


def warm(wanted: Callable[[], bool] = lambda: True) -> None:
    """Import everything that kernels share, while that is wanted. What cannot be imported is left to the kernels to
    complain of."""
    import t3lib

    found = pkgutil.walk_packages(t3lib.__path__, "t3lib.", onerror=lambda name: None)  # told of below
    mine = (m.name for m in found if not any(part in m.name for part in APART))
    for name in (*MODULES, *mine):
        if not wanted():
            return
        try:
            importlib.import_module(name)
        except Exception:
            print(f"kernels start without {name}:", file=sys.stderr)
            traceback.print_exc(limit=-1)
    _look_up()


def _look_up() -> None:
    """Do what each kernel would do for itself, writing to pages that all of them share."""
    files[:] = [file for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))]
    if backends := sys.modules.get("matplotlib.backends"):
        backends.backend_registry.list_all()  # reads what every installed package offers
    if psycopg2 := sys.modules.get("psycopg2.extensions"):
        psycopg2.encrypt_password("", "", algorithm="md5")  # sets its OpenSSL up, which takes 4 MB


def unforkable(ours: set[int]) -> list[str]:
    """What imports left behind that a forked kernel would lose or share; must be empty."""
    tasks = [task for task in Path("/proc/self/task").iterdir() if task.name != str(os.getpid())]
    threads = [(task / "comm").read_text().strip() for task in tasks]
    files = {int(fd.name): fd for fd in Path("/proc/self/fd").iterdir()}
    sockets = [fd for fd, link in files.items() if fd > 2 and fd not in ours and link.is_socket()]
    return [f"thread {name}" for name in threads if name not in FORK_SAFE_THREADS] + [f"socket {fd}" for fd in sockets]
