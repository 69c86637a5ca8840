"""Docs say what is so: commands and files exist, links lead somewhere, environment.yml equals pyproject.toml."""

import pkgutil
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer
import yaml

from scheduler.cli import app
from t3lib.settings import ROOT

CHANGELOG = ROOT / "CHANGELOG.md"
PAGES = [
    *(ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
# Pages that lead to files: whatever they name in backticks is looked for.
GUIDES = [
    *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "outputs/README.md")),
    *(ROOT / "docs" / name for name in ("architecture.md", "glossary.md")),
    *sorted((ROOT / "docs" / "decisions").glob("*.md")),
]
FOLDERS = ("notebooks", "t3lib", "scheduler", "outputs", "tests", "benchmarks", "docs")
MADE_LATER = {".t3/"}  # by the embedded services
_COMMAND = re.compile(r"(?:^|`|\.venv/bin/)(t3 [a-z][^`\n]*)", re.MULTILINE)
_TICKED = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"[\w.*-]*/[\w./*-]*|[\w-]+\.(?:py|toml|md|sql|ipynb|css|json|lock|yml)")
_MODULE = re.compile(r"(?:t3lib|scheduler|tests|benchmarks)(?:\.\w+)+")
_TABLE = re.compile(r"(?:ops|core|mart)\.\w+")
_NOTEBOOK = re.compile(r"\d_\w+")


def told(page: Path) -> str:
    """What a page says of today: of the changelog the newest version."""
    text = page.read_text()
    return "\n## ".join(text.split("\n## ")[:2]) if page == CHANGELOG else text


def mentioned() -> list[str]:
    found = {line.strip() for page in PAGES for line in _COMMAND.findall(told(page))}
    return sorted(line.split(" # ")[0] for line in found)


def missing(text: str, name: str) -> list[str]:
    """Each thing in backticks that does not exist, with its page and line."""
    lines = enumerate(text.splitlines(), 1)
    return [f"{name}:{n}: `{thing}`" for n, line in lines for thing in _TICKED.findall(line) if not _exists(thing)]


def _exists(thing: str) -> bool:
    """Whether a file, folder, module, notebook or table exists; whatever is none of these is not looked for."""
    if "→" in thing:
        rooms = re.findall(r"\w+", thing)
        return any(all((ROOT / base / room).is_dir() for room in rooms) for base in ("scheduler", "t3lib/warehouse"))
    if _MODULE.fullmatch(thing) and not _PATH.fullmatch(thing):
        return _is_importable(thing)
    if _TABLE.fullmatch(thing):
        return thing in _migrations()
    if _NOTEBOOK.fullmatch(thing):
        return (ROOT / "notebooks" / f"{thing}.ipynb").is_file()
    if _PATH.fullmatch(thing) and not thing.startswith("/"):
        return thing in MADE_LATER or any(ROOT.glob(thing)) or ("/" not in thing and _is_somewhere(thing))
    return True


def _is_importable(name: str) -> bool:
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


def _is_somewhere(name: str) -> bool:
    return any(next((ROOT / folder).rglob(name), None) for folder in FOLDERS if folder != "outputs")


def _migrations() -> str:
    folder = ROOT / "t3lib" / "warehouse" / "db" / "migrations" / "versions"
    return "\n".join(path.read_text() for path in folder.iterdir() if path.suffix in (".sql", ".py"))


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
    named = {name for page in PAGES for name in re.findall(r"(?:^|`)make ([a-z]+)", told(page), re.MULTILINE)}
    assert named <= targets


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_whatever_a_guide_names_in_backticks_exists(page):
    assert missing(page.read_text(), str(page.relative_to(ROOT))) == []


def test_a_name_that_does_not_exist_is_told_with_its_line():
    text = "`t3lib/money.py`, `t3lib.money.pounds`, `make test`\n`t3lib/coins.py` and `t3lib.money.euros`\n"
    text += "`ops.coin`, `9_count`, `coins.toml`, `tests/coins/`, `cli → coins`"
    assert missing(text, "page.md") == [
        "page.md:2: `t3lib/coins.py`",
        "page.md:2: `t3lib.money.euros`",
        *(f"page.md:3: `{name}`" for name in ("ops.coin", "9_count", "coins.toml", "tests/coins/", "cli → coins")),
    ]


def test_the_newest_version_of_the_changelog_is_the_packages():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    dated = re.findall(r"^## (\S+) \((\d{4}-\d\d-\d\d)", CHANGELOG.read_text(), re.MULTILINE)
    assert dated[0][0] == version
    assert [date for _, date in dated] == sorted((date for _, date in dated), reverse=True)


def test_the_readme_names_every_folder():
    listed = set(re.findall(r"^\| `([a-z0-9]+)/` \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert listed == set(FOLDERS)
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
