"""The account under which Postgres runs: one's own, or `pgserver` where T3 runs as root."""

import fcntl
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from t3lib.problems import ServiceError

NAME = "pgserver"
LOCK = Path("/var/run/t3-account.lock")
Say = Callable[[str], None]


def options(say: Say) -> dict[str, Any]:
    """What subprocess needs to run Postgres: nothing, or as root the account, made when missing."""
    if os.geteuid() != 0:
        return {}
    entry = made(NAME, "Postgres, which refuses root", "set T3_DATABASE_URL", say)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def made(name: str, what: str, otherwise: str, say: Say) -> pwd.struct_passwd:
    """As root, an account without a home and a log-in, made when missing. Raises ServiceError when none can be made."""
    with _alone():
        return known(name) or _make(name, what, otherwise, say)


def own(path: Path) -> None:
    """Give a file or folder to the account of Postgres."""
    if os.geteuid() == 0 and (entry := known(NAME)):
        os.chown(path, entry.pw_uid, entry.pw_gid)


def refuse_others(folder: Path) -> None:
    """Raise ServiceError when a cluster was made by another account than would run it now."""
    entry = known(NAME) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    if folder.exists() and entry and folder.stat().st_uid != entry.pw_uid:
        raise ServiceError(
            f"{folder} belongs to the account {folder.owner()}, but here Postgres would run as {entry.pw_name}: "
            f"run T3 as the account that made it, or set T3_HOME to another folder."
        )


def open_way(folders: list[Path], say: Say) -> None:
    """As root, let the account pass through the parents of these folders; says which ones that opened.

    Raises ServiceError rather than open somebody's private home."""
    if os.geteuid() != 0:
        return
    for parent in private_parents(folders):
        raise ServiceError(
            f"T3 runs as root, so its Postgres runs as the account {NAME}, which would have to pass through the "
            f"private folder {parent}. Set T3_HOME (and clone T3) elsewhere, for example under /srv, or run T3 as "
            f"an ordinary user, or set T3_DATABASE_URL."
        )
    open_parents(folders, f"T3 runs as root, so its Postgres runs as the account {NAME}", say)


def private_parents(folders: list[Path]) -> list[Path]:
    """Closed folders above these that some person keeps to themselves."""
    return sorted({parent for folder in folders for parent in _closed(folder) if _private(parent)})


def open_parents(folders: list[Path], why: str, say: Say) -> None:
    """Let every account pass through the closed folders above these, private homes left out; says which that were."""
    closed = sorted({parent for folder in folders for parent in _closed(folder) if not _private(parent)})
    for parent in closed:
        parent.chmod(parent.stat().st_mode | stat.S_IXOTH)
    if closed:
        say(f"{why}: let it pass (o+x) through {', '.join(map(str, closed))}.")


def open_installation(bin_folder: Path, say: Say) -> None:
    """As root, let the account read the binaries where an installation under a tight umask left them closed."""
    if os.geteuid() != 0:
        return
    needed = [(p, _reading(p)) for p in (bin_folder.parent, *bin_folder.parent.rglob("*")) if not p.is_symlink()]
    closed = [(path, bits) for path, bits in needed if path.stat().st_mode & bits != bits]
    for path, bits in closed:
        path.chmod(path.stat().st_mode | bits)
    if closed:
        say(f"T3 runs as root, so its Postgres runs as the account {NAME}: let it read {bin_folder.parent}.")


def _reading(path: Path) -> int:
    runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
    return stat.S_IROTH | stat.S_IXOTH if runs else stat.S_IROTH


def _closed(folder: Path) -> Iterator[Path]:
    return (p for p in folder.resolve().parents if not p.stat().st_mode & stat.S_IXOTH)


def _private(folder: Path) -> bool:
    """A home of some account, or a folder that a person keeps to themselves."""
    if folder in {Path(entry.pw_dir) for entry in pwd.getpwall()}:
        return True
    found = folder.stat()
    return found.st_uid >= 1000 and stat.S_IMODE(found.st_mode) == 0o700


def known(name: str) -> pwd.struct_passwd | None:
    """The account of this name, if there is one."""
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time: an account that another is still making is seen before it can be used."""
    with os.fdopen(os.open(LOCK, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(name: str, what: str, otherwise: str, say: Say) -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    command = [useradd or "", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
    if not useradd or subprocess.run(command, capture_output=True, env={"LC_ALL": "C"}).returncode:
        raise ServiceError(
            f"T3 runs as root, and no account {name} could be made for {what}: "
            f"run T3 as an ordinary user, or {otherwise}."
        )
    say(f"T3 runs as root: made the account {name} for {what}.")
    return pwd.getpwnam(name)
