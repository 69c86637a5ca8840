"""Words that had two meanings have one in the names of the program; docs/glossary.md gives it."""

import ast
import re

import pytest

from t3lib.settings import ROOT

# Where a name may contain the word: files of this path speak of its meaning.
PLACES = {
    "replay": r"rejects|replays|operator_requests|reproduction/replay\.py",
    "replayed": r"decisions",
    "reasons": r"cleaning|rejects|decisions/replays|dirt|html/parts|report/day|migrations",
    "plain": r"plain_pages",
    "hold": r"files|decisions|operator_requests",
    "held": r"files|decisions|queue/stages|db/locks",
}


def defined(tree: ast.AST) -> set[str]:
    """Names of functions, classes and variables."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
    return found


def words(name: str) -> list[str]:
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().split("_")


@pytest.fixture(scope="module")
def names() -> set[tuple[str, str]]:
    """(file, name) of every name in the program."""
    files = [file for folder in ("t3lib", "scheduler") for file in (ROOT / folder).rglob("*.py")]
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in files}
    return {(file.relative_to(ROOT).as_posix(), name) for file in files for name in {file.stem, *defined(trees[file])}}


@pytest.mark.parametrize("word", PLACES)
def test_a_word_has_one_meaning(word: str, names: set[tuple[str, str]]):
    other = {(file, name) for file, name in names if word in words(name) and not re.search(PLACES[word], file)}
    assert not other, "docs/glossary.md says what this word means; name these after what they are"
