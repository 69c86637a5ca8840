"""`python -m scheduler.advisories [LOCK ...]` (`make audit`): looks the locked versions up in the OSV database.

Exit code 0: no advisories; 1: advisories, which are listed; 3: the database could not be reached."""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from scheduler import environment
from t3lib.settings import ROOT

DATABASE = "https://api.osv.dev/v1/query"
ANSWER_SECONDS, SECONDS = 10, 180
FOUND, UNREACHED = 1, 3


def main(arguments: list[str] | None = None) -> int:
    """Look everything up and print the advisories; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scheduler.advisories", description=__doc__)
    parser.add_argument("locks", nargs="*", type=Path, default=[ROOT / "requirements.lock"])
    parser.add_argument("--database", default=DATABASE, help="address of another OSV database")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="time limit for the whole look-up")
    options = parser.parse_args(arguments)
    found = _look_up(options.locks, options.database, options.seconds)
    if found is None:
        print(f"The advisory database at {options.database} cannot be reached from here: nothing was looked up.")
        return UNREACHED
    known = [(one, advisory) for one in found for advisory in one.get("vulns", [])]
    for one, advisory in known:
        fixed = ", ".join(advisory["fix_versions"]) or "no version yet"
        print(f"{one['name']} {one['version']}: {advisory['id']}, fixed in {fixed}")
    skipped = [f"{one['name']} ({one['skip_reason']})" for one in found if "skip_reason" in one]
    print(f"{len(known)} advisories on {len(found) - len(skipped)} locked versions.")
    if skipped:
        print(f"Not looked up: {', '.join(skipped)}")
    return FOUND if known else UNREACHED if skipped else 0


def _look_up(locks: list[Path], database: str, seconds: float) -> list[dict[str, Any]] | None:
    """pip-audit's record of each locked version; None when the database gave no answer in time."""
    files = [word for lock in locks for word in ("--requirement", str(lock))]
    command = [sys.executable, "-m", "pip_audit", *files, "--require-hashes", "--disable-pip", "--format", "json",
               "--vulnerability-service", "osv", "--osv-url", database, "--timeout", str(ANSWER_SECONDS),
               "--progress-spinner", "off"]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=environment.for_the_web())
        return json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError):
        return None


if __name__ == "__main__":
    sys.exit(main())
