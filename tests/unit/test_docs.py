"""Docs say what is so: commands exist, links lead somewhere, environment.yml equals pyproject.toml."""

import re
import shlex
import tomllib

import pytest
import typer
import yaml

from scheduler.cli import app
from t3lib.settings import ROOT

PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
_COMMAND = re.compile(r"(?:^|`|\.venv/bin/)(t3 [a-z][^`\n]*)", re.MULTILINE)


def mentioned() -> list[str]:
    found = {line.strip() for page in PAGES for line in _COMMAND.findall(page.read_text())}
    return sorted(line.split(" # ")[0] for line in found)


@pytest.mark.parametrize("line", mentioned())
def test_a_command_in_the_docs_parses(line):
    command, words = typer.main.get_command(app), shlex.split(line)[1:]
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    alone = getattr(command, "invoke_without_command", True)
    assert alone, f"{line}: no such command"
    command.make_parser(command.context_class(command)).parse_args(args=words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_make_targets_in_the_docs_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE)}
    assert named <= targets


def test_the_readme_names_every_folder():
    listed = set(re.findall(r"^\| `([a-z0-9]+)/` \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert listed == {"notebooks", "t3lib", "scheduler", "outputs", "tests", "benchmarks", "docs"}
    assert all((ROOT / name).is_dir() for name in listed)


def test_conda_and_pip_users_get_the_same_packages():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = (entry["pip"] for entry in conda["dependencies"] if isinstance(entry, dict))
    assert pip == [*project["project"]["dependencies"], *project["dependency-groups"]["dev"], "--editable ."]
    python = next(entry for entry in conda["dependencies"] if str(entry).startswith("python "))
    assert python == f"python {project['project']['requires-python']}"


def test_the_lock_holds_every_package_and_names_no_index():
    lock = (ROOT / "requirements.lock").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    names = {re.split(r"[<>=\[ ]", line)[0].lower() for line in (
        *project["project"]["dependencies"], *project["dependency-groups"]["dev"])}  # fmt: skip
    assert names <= set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))
    assert "://" not in lock
    assert lock.count("==") <= lock.count("--hash=sha256:")


def test_the_parser_of_this_test_refuses_an_unknown_option():
    with pytest.raises(Exception, match="No such option"):
        test_a_command_in_the_docs_parses("t3 status --nonsense")
