"""environment.yml gives conda users what the lock gives the others."""

import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from t3lib.settings import ROOT

UV = Path(sys.executable).parent / "uv"


def pip_part() -> list[str]:
    """What pip installs in the conda environment, without T3 itself."""
    parts = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (listed,) = (part["pip"] for part in parts if isinstance(part, dict))
    return [line for line in listed if not line.startswith("--editable")]


def locked() -> dict[str, list[str]]:
    """The versions in the lock by name; a package may have one per platform."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(
        r"^([a-z0-9.-]+)==([^ ;\\]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE
    ):
        found.setdefault(canonicalize_name(name), []).append(version)
    return found


def unmet(requirement: Requirement, versions: dict[str, list[str]]) -> bool:
    """Whether no locked version meets it."""
    known = versions.get(canonicalize_name(requirement.name), [])
    return not any(requirement.specifier.contains(version, prereleases=True) for version in known)


def test_the_lock_meets_each_line_of_environment_yml():
    lines = [Requirement(line) for line in pip_part()]
    assert len(lines) > 40
    assert [str(line) for line in lines if unmet(line, locked())] == []
    assert unmet(Requirement("pandas<1"), locked())
    assert unmet(Requirement("no-such-package"), locked())


def test_the_locked_packages_meet_each_others_needs():
    versions, wrong = locked(), []
    for dist in distributions():
        if canonicalize_name(dist.name) in versions:
            needs = [Requirement(line) for line in dist.requires or []]
            plain = [need for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
            wrong += [f"{dist.name} needs {need}" for need in plain if unmet(need, versions)]
    assert wrong == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_pip_part_installs_in_a_clean_environment(tmp_path):
    constraints = re.sub(r" \\\n(?: +--hash=\S+(?: \\)?\n?)+", "\n", (ROOT / "requirements.lock").read_text())
    (tmp_path / "constraints.txt").write_text("".join(f"{line}\n" for line in constraints.splitlines() if "==" in line))
    (tmp_path / "pip.txt").write_text("\n".join(pip_part()))
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, tmp_path / "conda"], check=True)
    python = tmp_path / "conda" / "bin" / "python"
    done = subprocess.run([UV, "pip", "install", "--quiet", "--python", python, "--requirements", tmp_path / "pip.txt",
                           "--constraints", tmp_path / "constraints.txt"], capture_output=True, text=True)  # fmt: skip
    if "error sending request" in done.stderr or "dns error" in done.stderr:
        pytest.skip("no package index answers here")
    assert done.returncode == 0, done.stderr[-2000:]
    command = [python, "-m", "scheduler.cli", "--help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "from the trucks' files to the dashboard" in " ".join(shown.split())
