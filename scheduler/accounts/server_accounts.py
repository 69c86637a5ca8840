"""The accounts `t3-lab`, `t3-dashboard` and `t3-operations`, under which JupyterLab and the pages run where T3 runs as
root on Linux: no notebook or terminal can read the secrets of T3 or of another page, or signal other processes.

Each account has a folder in T3_HOME as its home: root writes its configuration there, the account writes in `own`."""

import os
import pwd
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scheduler import environment, kernels
from scheduler.embedded import account
from t3lib.settings import ROOT, Settings, settings

NAMES = {"lab": "t3-lab", "dashboard": "t3-dashboard", "operations": "t3-operations"}
_TITLES = {"lab": "JupyterLab", "dashboard": "the dashboard", "operations": "the operations page"}
_REPLACED = ("HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "XDG_", "IPYTHON", "JUPYTER_", "MPL", "AWS_")
_BUCKET_SETTINGS = (
    "landing_url",
    "archive_url",
    "s3_endpoint",
    "s3_region",
)  # in services.json, which the account cannot read


def enabled() -> bool:
    """Whether pages and JupyterLab get accounts of their own."""
    return sys.platform == "linux" and os.geteuid() == 0 and settings().own_accounts


@dataclass(frozen=True)
class Place:
    """Where a page or JupyterLab runs: its T3_HOME, and its account if it has its own."""

    home: Path
    entry: pwd.struct_passwd | None = None

    def command(self, command: list[str]) -> list[str]:
        """The command line that runs a command under the account."""
        if self.entry is None:
            return command
        places = [ROOT, Path(sys.prefix), Path(sys.base_prefix), self.home, settings().outputs.absolute()]
        needed = [path for path in places if path.is_dir()]
        keep, hide = map(str, needed), map(str, account.private_parents([path / "x" for path in needed]))
        drop = [
            sys.executable,
            "-m",
            "scheduler.accounts.drop_privileges",
            self.entry.pw_name,
            "--keep",
            *keep,
            "--hide",
            *hide,
        ]
        return [*drop, "--", *command]

    @property
    def folder(self) -> Path | None:
        """The working directory; an account may not be able to enter the current one."""
        return ROOT if self.entry else None

    def environment(self, env: dict[str, str], role: str) -> dict[str, str]:
        """Its variables: for an account only its own folders, its database and settings that are no secrets."""
        if self.entry is None:
            return env | kernels.environment(self.home)
        own = self.home / "own"
        shared = {
            name: text for name, text in env.items() if not name.startswith(_REPLACED) and not _may_be_secret(name)
        }
        shared |= {
            "HOME": str(own),
            "USER": self.entry.pw_name,
            "LOGNAME": self.entry.pw_name,
            "T3_HOME": str(self.home),
        }
        shared |= {f"T3_{name.upper()}": str(getattr(settings(), name).absolute()) for name in ("outputs", "editions")}
        if role == "analyst":
            shared |= _buckets() | {"T3_OUTPUTS": str(own / "outputs")}
        return shared | kernels.environment(self.home, {})


def place(name: str, say: Callable[[str], None]) -> Place:
    """The place of 'lab', 'dashboard' or 'operations'; makes its account and folder when missing.

    Raises ServiceError when the account cannot be made."""
    if not enabled():
        kernels.install(settings().home)
        return Place(settings().home)
    entry = account.ensure(NAMES[name], _TITLES[name], "set T3_OWN_ACCOUNTS=0 (see docs/deploying.md)", say)
    found = Place(settings().home.absolute() / name, entry)
    for folder in (found.home.parent, found.home):
        folder.mkdir(parents=True, exist_ok=True)
        _let_pass(folder)
    written = [*(found.home / part for part in ("jupyter", "jupyter/kernels")), kernels.install(found.home)]
    for folder in written:
        folder.chmod(0o755)
    (written[-1] / "kernel.json").chmod(0o644)
    for folder in (found.home / "own", found.home / "sessions", found.home / "jupyter" / "workspaces"):
        folder.mkdir(exist_ok=True, mode=0o700)
        os.chown(folder, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
    why = f"T3 runs as root, so {_TITLES[name]} runs as the account {entry.pw_name}"
    entered = [found.home, ROOT / "x", Path(sys.prefix) / "x", Path(sys.base_prefix) / "x"]
    if name == "operations":
        (settings().outputs / "runs").mkdir(parents=True, exist_ok=True)
        entered.append(settings().outputs.absolute())
    account.open_parents(entered, why, say)
    return found


def _let_pass(folder: Path) -> None:
    if folder.stat().st_uid == os.geteuid():
        folder.chmod(folder.stat().st_mode | 0o711)


def _may_be_secret(name: str) -> bool:
    """Whether a variable may hold a secret: the service's key to the buckets, or a proxy's address with a password."""
    return name in ("T3_S3_ACCESS_KEY_ID", "T3_S3_SECRET_ACCESS_KEY") or (
        name.lower().endswith("_proxy") and (name.lower() != "no_proxy")
    )


def _buckets() -> dict[str, str]:
    """The addresses of the buckets, and the analysts' key to them."""
    known = {name: getattr(settings(), name) for name in _BUCKET_SETTINGS if name in Settings.model_fields}
    return {f"T3_{name.upper()}": text for name, text in known.items() if text} | environment.analyst_keys()
