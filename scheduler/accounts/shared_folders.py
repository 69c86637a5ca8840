"""Folders that T3 shares with the accounts of its pages (to read) and of JupyterLab (to write)."""

import os
import pwd
import stat
from pathlib import Path

from scheduler.accounts import server_accounts
from scheduler.embedded import account
from t3lib.settings import settings

SERVED = ("5_dashboard.ipynb", "6_operations.ipynb")


def let_edit(folder: Path, entry: pwd.struct_passwd) -> None:
    """Let JupyterLab's account create and save notebooks and queries in a folder, but not replace other files.

    It may not change the pages' notebooks, which run under the pages' roles. Links are not followed, as the account can
    put some there itself."""
    for _, folders, files, inside in os.fwalk(folder, follow_symlinks=False):
        os.fchown(inside, -1, entry.pw_gid)
        os.fchmod(inside, 0o3775)  # new files belong to the group; only their owner may delete them
        for name in (name for name in files if name.endswith((".ipynb", ".sql"))):
            _let_save(name, inside, entry.pw_gid, 0o644 if name in SERVED else 0o664)
        folders[:] = [name for name in folders if not name.startswith(".")]


def let_read(name: str, folder: Path) -> None:
    """Let a page's account read a folder under outputs/, with files that are written there later."""
    entry = account.find(server_accounts.NAMES[name]) if server_accounts.enabled() else None
    if entry is None:
        return
    above, outputs = folder.absolute(), settings().outputs.absolute()
    while above.is_relative_to(outputs):
        if above != outputs or not above.stat().st_mode & stat.S_IXOTH:
            os.chown(above, -1, entry.pw_gid, follow_symlinks=False)
            above.chmod(0o2750)
        above = above.parent


def let_read_all(name: str, folder: Path) -> None:
    """Let a page's account read everything in a folder, also what was written before the account existed."""
    entry = account.find(server_accounts.NAMES[name]) if server_accounts.enabled() else None
    if entry is None:
        return
    let_read(name, folder)
    for _, _, files, inside in os.fwalk(folder, follow_symlinks=False):
        os.fchown(inside, -1, entry.pw_gid)
        os.fchmod(inside, 0o2750)
        for file in files:
            os.chown(file, -1, entry.pw_gid, dir_fd=inside, follow_symlinks=False)
            os.chmod(file, 0o640, dir_fd=inside)


def _let_save(name: str, inside: int, group: int, mode: int) -> None:
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=inside)
    except OSError:  # a link, or deleted meanwhile
        return
    try:
        found = os.fstat(file)
        if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
            os.fchown(file, -1, group)
            os.fchmod(file, mode)
    finally:
        os.close(file)
