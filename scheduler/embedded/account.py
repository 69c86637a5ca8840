"""The account under which Postgres runs: the current one, or `pgserver` where T3 runs as root."""

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
    """Options for subprocess to run Postgres: none, or as root the account, which is made when missing."""
    if os.geteuid() != 0:
        return {}
    entry = ensure(NAME, "Postgres, which refuses root", "set T3_DATABASE_URL", say)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def ensure(name: str, purpose: str, otherwise: str, say: Say) -> pwd.struct_passwd:
    """As root, an account without home and login, made when missing. Raises ServiceError when it cannot be made."""
    with _lock():
        return find(name) or _make(name, purpose, otherwise, say)


def give(path: Path) -> None:
    """Give a file or folder to the account of Postgres."""
    if os.geteuid() == 0 and (entry := find(NAME)):
        os.chown(path, entry.pw_uid, entry.pw_gid)


def refuse_others(folder: Path) -> None:
    """Raise ServiceError when the cluster belongs to another account than would run it now."""
    entry = find(NAME) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    if folder.exists() and entry and folder.stat().st_uid != entry.pw_uid:
        raise ServiceError(
            f"{folder} belongs to the account {folder.owner()}, but Postgres would run as {entry.pw_name}: "
            f"run T3 as the account that made the folder, or set T3_HOME to another folder."
        )


def open_path_to(folders: list[Path], say: Say) -> None:
    """As root, let the account pass through the parents of these folders; says which ones it opened.

    Raises ServiceError when that would open somebody's private home."""
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
    """Closed parents of these folders that are private to a person."""
    return sorted({parent for folder in folders for parent in _closed(folder) if _private(parent)})


def open_parents(folders: list[Path], why: str, say: Say) -> None:
    """Let every account pass through the closed parents of these folders, except private homes; says which."""
    closed = sorted({parent for folder in folders for parent in _closed(folder) if not _private(parent)})
    for parent in closed:
        parent.chmod(parent.stat().st_mode | stat.S_IXOTH)
    if closed:
        say(f"{why}: let it pass (o+x) through {', '.join(map(str, closed))}.")


def open_installation(bin_folder: Path, say: Say) -> None:
    """As root, let the account read the binaries, which an installation under a strict umask leaves closed."""
    if os.geteuid() != 0:
        return
    needed = [(p, _read_bits(p)) for p in (bin_folder.parent, *bin_folder.parent.rglob("*")) if not p.is_symlink()]
    closed = [(path, bits) for path, bits in needed if path.stat().st_mode & bits != bits]
    for path, bits in closed:
        path.chmod(path.stat().st_mode | bits)
    if closed:
        say(f"T3 runs as root, so its Postgres runs as the account {NAME}: let it read {bin_folder.parent}.")


def _read_bits(path: Path) -> int:
    runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
    return stat.S_IROTH | stat.S_IXOTH if runs else stat.S_IROTH


def _closed(folder: Path) -> Iterator[Path]:
    return (p for p in folder.resolve().parents if not p.stat().st_mode & stat.S_IXOTH)


def _private(folder: Path) -> bool:
    """Whether a folder is the home of an account, or one that a person has closed to all others."""
    if folder in {Path(entry.pw_dir) for entry in pwd.getpwall()}:
        return True
    found = folder.stat()
    return found.st_uid >= 1000 and stat.S_IMODE(found.st_mode) == 0o700


def find(name: str) -> pwd.struct_passwd | None:
    """The account of this name, or None."""
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


@contextmanager
def _lock() -> Iterator[None]:
    """One process at a time: an account that is still being made can be found before it can be used."""
    with os.fdopen(os.open(LOCK, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(name: str, purpose: str, otherwise: str, say: Say) -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    command = [useradd or "", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
    if not useradd or subprocess.run(command, capture_output=True, env={"LC_ALL": "C"}).returncode:
        raise ServiceError(
            f"T3 runs as root, but the account {name} could not be made for {purpose}: "
            f"run T3 as an ordinary user, or {otherwise}."
        )
    say(f"T3 runs as root: made the account {name} for {purpose}.")
    return pwd.getpwnam(name)
