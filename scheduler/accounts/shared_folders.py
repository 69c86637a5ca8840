"""What T3 lets the accounts of its pages read and JupyterLab's write, where they have accounts of their own."""

import os
import pwd
import stat
from pathlib import Path

from scheduler.accounts import server_accounts
from scheduler.embedded import account
from t3lib.settings import settings

SERVED = ("5_dashboard.ipynb", "6_operations.ipynb")


def let_edit(folder: Path, entry: pwd.struct_passwd) -> None:
    """JupyterLab's account may make notebooks in a folder and save those that are there, but not replace other files.

    Not the pages' notebooks, which run as they stand under the roles of their pages. Nothing is followed out of the
    folder, since the account can already put links there."""
    for _, folders, files, inside in os.fwalk(folder, follow_symlinks=False):
        os.fchown(inside, -1, entry.pw_gid)
        os.fchmod(inside, 0o3775)  # the group's new files are the group's, and nobody removes another's
        for name in (name for name in files if name.endswith(".ipynb")):
            _let_save(name, inside, entry.pw_gid, 0o644 if name in SERVED else 0o664)
        folders[:] = [name for name in folders if not name.startswith(".")]


def let_read(name: str, folder: Path) -> None:
    """Let the account of a page read what was written in a folder under outputs/ and what will be."""
    entry = account.known(server_accounts.NAMES[name]) if server_accounts.apart() else None
    if entry is None:
        return
    above, outputs = folder.absolute(), settings().outputs.absolute()
    while above.is_relative_to(outputs):
        if above != outputs or not above.stat().st_mode & stat.S_IXOTH:
            os.chown(above, -1, entry.pw_gid, follow_symlinks=False)
            above.chmod(0o2750)
        above = above.parent


def let_read_all(name: str, folder: Path) -> None:
    """The same for everything that lies in a folder: it was written before there was the account."""
    entry = account.known(server_accounts.NAMES[name]) if server_accounts.apart() else None
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
    except OSError:  # a link, or gone again
        return
    try:
        found = os.fstat(file)
        if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
            os.fchown(file, -1, group)
            os.fchmod(file, mode)
    finally:
        os.close(file)
