"""`python -m scheduler.accounts.drop_privileges ACCOUNT [--hide FOLDER ...] [--keep FOLDER ...] -- COMMAND`

Drops root's privileges, then executes the command under the account (see server_accounts.py).

Private folders on the account's way are hidden: it sees an empty folder in place of each, with only the folders of
--keep in it. Where the system does not allow mounts, the command ends with one line that says what to do."""

import argparse
import ctypes
import os
import pwd
import sys
from pathlib import Path

NEW_MOUNTS, PRIVATE, BIND, NO_SUID, NO_DEVICES, NO_NEW_PRIVILEGES = 0x20000, 0x44000, 0x5000, 2, 4, 38


def main() -> None:
    """Hide the private folders, drop the privileges, execute the command."""
    parser = argparse.ArgumentParser(prog="python -m scheduler.accounts.drop_privileges", description=__doc__)
    parser.add_argument("account", type=pwd.getpwnam)
    parser.add_argument("--hide", type=Path, nargs="*", default=[])
    parser.add_argument("--keep", type=Path, nargs="*", default=[])
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    if options.hide:
        try:
            hide(options.hide, options.keep)
        except OSError as error:
            sys.exit(_advice(options, error))
    switch_to(options.account)
    os.execv(options.command[0], options.command)


def hide(private: list[Path], visible: list[Path]) -> None:
    """Mount an empty folder over each private one, the visible ones in it, for this process and its children only."""
    libc = ctypes.CDLL(None, use_errno=True)
    os.umask(0o022)  # the account must be able to pass through the empty folders
    _check(libc.unshare(NEW_MOUNTS))
    _check(libc.mount(None, b"/", None, PRIVATE, None))
    for folder in private:
        inside = [path for path in visible if path.is_relative_to(folder) and path.is_dir()]
        opened = [os.open(path, os.O_PATH | os.O_DIRECTORY) for path in inside]
        _check(libc.mount(b"tmpfs", bytes(folder), b"tmpfs", NO_SUID | NO_DEVICES, b"mode=0711,size=1m"))
        for path, descriptor in zip(inside, opened, strict=True):
            path.mkdir(parents=True, exist_ok=True, mode=0o755)
            _check(libc.mount(f"/proc/self/fd/{descriptor}".encode(), bytes(path), None, BIND, None))
            os.close(descriptor)


def switch_to(account: pwd.struct_passwd) -> None:
    """Give this process the account's rights and only its own group, for good."""
    os.setgroups([])
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    _check(ctypes.CDLL(None, use_errno=True).prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    os.umask(0o077)


def _advice(options: argparse.Namespace, error: OSError) -> str:
    return (
        f"t3: the account {options.account.pw_name} cannot pass through the private folder {options.hide[0]}, "
        f"which holds Python or T3 ({error.strerror}): use a Python that every account can run "
        f"(make setup PYTHON=/usr/bin/python3), clone T3 elsewhere, run T3 as an ordinary user, or set "
        f"T3_OWN_ACCOUNTS=0 and read docs/deploying.md on what notebooks can then reach."
    )


def _check(code: int) -> None:
    if code:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    main()
