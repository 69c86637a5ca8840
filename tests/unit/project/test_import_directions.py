"""Imports run one way: from the notebooks' schedule down to the library, from a floor to those below it."""

import ast
from functools import cache
from pathlib import Path

import pytest

from t3lib.settings import ROOT

FLOORS = {
    "scheduler": (("cli", "pictures"), ("worker",), ("web", "queue"), ("runs", "promotion"),
                  ("kernels", "embedded", "accounts", "http")),
    "t3lib": (("explore",), ("seal",), ("dashboard", "report"),
              ("journal",), ("operator_requests", "ingest", "metrics", "archive"), ("mail",), ("warehouse",),
              ("cleaning", "feed", "settlements", "charts", "simulate"), ("landing",)),
    "t3lib.warehouse": (("checks", "load"), ("decisions",), ("files",), ("sales",), ("db",)),
}  # fmt: skip
MOST = 12
LARGE = {"t3lib/warehouse/db/migrations/versions"}  # one module a change of the tables, for good


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module(path): path for folder in ("t3lib", "scheduler") for path in (ROOT / folder).rglob("*.py")}


@cache
def imported(name: str, at_load_only: bool = False) -> set[str]:
    """The modules of ours that a module imports, anywhere in its text or only while it is loaded itself."""
    tree = ast.parse(MODULES[name].read_text())
    found = set()
    for node in loading(tree) if at_load_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {known if (known := f"{node.module}.{alias.name}") in MODULES else node.module
                      for alias in node.names}  # fmt: skip
    return found & MODULES.keys() - {name}


def loading(node: ast.AST):
    """The statements that run while a module is loaded: none in functions, none for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from loading(child)


def floor(name: str, package: str) -> int | None:
    room = name.removeprefix(f"{package}.").split(".")[0] if name.startswith(f"{package}.") else ""
    return next((number for number, rooms in enumerate(FLOORS[package]) if room in rooms), None)


def test_the_library_never_imports_the_scheduler():
    found = [(name, other) for name in MODULES if name.startswith("t3lib")
             for other in imported(name) if other.startswith("scheduler")]  # fmt: skip
    assert found == []


@pytest.mark.parametrize("package", FLOORS)
def test_no_import_runs_up_to_a_higher_floor(package):
    edges = [(name, other) for name in MODULES for other in imported(name)]
    placed = [(edge, floor(edge[0], package), floor(edge[1], package)) for edge in edges]
    up = {edge for edge, of, to in placed if of is not None and to is not None and to < of}
    assert up == set()


def test_modules_import_each_other_in_no_circle():
    # A module may take from its own package what that defines before it loads the module.
    left = {name: {other for other in imported(name, at_load_only=True) if not name.startswith(f"{other}.")}
            for name in MODULES}  # fmt: skip
    while free := {name for name, others in left.items() if not others & left.keys()}:
        left = {name: others for name, others in left.items() if name not in free}
    assert left == {}


def test_no_folder_has_more_modules_side_by_side_than_a_stranger_can_survey():
    found = {}
    for top in ("t3lib", "scheduler", "tests", "benchmarks"):
        for folder in (ROOT / top, *(path for path in (ROOT / top).rglob("*") if path.is_dir())):
            modules = [path for path in folder.glob("*.py") if path.name not in ("__init__.py", "__main__.py")]
            found[folder.relative_to(ROOT).as_posix()] = len(modules)
    assert {folder: count for folder, count in found.items() if count > MOST and folder not in LARGE} == {}


def test_every_text_file_is_read_and_written_as_utf_8():
    """Under a locale of ASCII the default would be another encoding."""
    calls = {name: [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                    and node.func.attr in ("read_text", "write_text")] for name, path in MODULES.items()}  # fmt: skip
    bare = [f"{name}:{call.lineno}" for name, found in calls.items() for call in found
            if "encoding" not in {one.arg for one in call.keywords}]  # fmt: skip
    assert bare == []
