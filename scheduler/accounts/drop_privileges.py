"""`python -m scheduler.accounts.drop_privileges ACCOUNT [--hide FOLDER ...] [--keep FOLDER ...] -- COMMAND`

Becomes that command under an account without any right of root, for what runs notebooks (see server_accounts.py).

Private folders that the account would have to pass are hidden from it: it sees an empty one in their place, with the
kept folders in it. Where the kernel does not allow that, the command ends with one line that says what to do."""

import argparse
import ctypes
import os
import pwd
import sys
from pathlib import Path

NEW_MOUNTS, PRIVATE, BIND, NO_SUID, NO_DEVICES, NO_NEW_PRIVILEGES = 0x20000, 0x44000, 0x5000, 2, 4, 38


def main() -> None:
    """Drop everything, then become the command."""
    parser = argparse.ArgumentParser(prog="python -m scheduler.accounts.drop_privileges", description=__doc__)
    parser.add_argument("account", type=pwd.getpwnam)
    parser.add_argument("--hide", type=Path, nargs="*", default=[])
    parser.add_argument("--keep", type=Path, nargs="*", default=[])
    parser.add_argument("command", nargs="+")
    asked = parser.parse_args()
    if asked.hide:
        try:
            hide(asked.hide, asked.keep)
        except OSError as error:
            sys.exit(_advice(asked, error))
    become(asked.account)
    os.execv(asked.command[0], asked.command)


def hide(private: list[Path], kept: list[Path]) -> None:
    """In this process and its children only: empty folders in place of the private ones, with the kept ones in them."""
    libc = ctypes.CDLL(None, use_errno=True)
    os.umask(0o022)  # the empty folders are to be passed
    _done(libc.unshare(NEW_MOUNTS))
    _done(libc.mount(None, b"/", None, PRIVATE, None))
    for folder in private:
        inside = [path for path in kept if path.is_relative_to(folder) and path.is_dir()]
        held = [os.open(path, os.O_PATH | os.O_DIRECTORY) for path in inside]
        _done(libc.mount(b"tmpfs", bytes(folder), b"tmpfs", NO_SUID | NO_DEVICES, b"mode=0711,size=1m"))
        for path, descriptor in zip(inside, held, strict=True):
            path.mkdir(parents=True, exist_ok=True, mode=0o755)
            _done(libc.mount(f"/proc/self/fd/{descriptor}".encode(), bytes(path), None, BIND, None))
            os.close(descriptor)


def become(account: pwd.struct_passwd) -> None:
    """From here on this process has the account's rights, no group but its own, and can never have more again."""
    os.setgroups([])
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    _done(ctypes.CDLL(None, use_errno=True).prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    os.umask(0o077)


def _advice(asked: argparse.Namespace, error: OSError) -> str:
    return (
        f"t3: the account {asked.account.pw_name} cannot get through the private folder {asked.hide[0]}, where Python "
        f"or T3 lies ({error.strerror}): use a Python that every account can run "
        f"(make setup PYTHON=/usr/bin/python3), clone T3 elsewhere, run T3 as an ordinary user, or set "
        f"T3_OWN_ACCOUNTS=0 and read docs/deploying.md on what notebooks can then reach."
    )


def _done(code: int) -> None:
    if code:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    main()
