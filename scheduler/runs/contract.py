"""Checks that notebooks keep their contract (docs/analysts.md); `make check` runs it."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from scheduler.runs import parameters
from t3lib import cells
from t3lib.cleaning import rule_cells, rulebook
from t3lib.editions import sections

KERNEL = "t3"
FIGURE = "figure"  # the tag of a cell that defines a figure for `t3 promote`
MOST_LINES, MOST_LINES_OF_A_SECTION = 6, 12
_SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\b")
_SECRET = re.compile(r"password|secret|token", re.IGNORECASE)
_ELSEWHERE = "write a function in t3lib, with a test, and call it"
_INSTEAD = {"def": f"{_ELSEWHERE} (a figure for `t3 promote` stands in a cell with the tag `{FIGURE}`)"}
_DEFINES = {
    ast.FunctionDef: "def",
    ast.AsyncFunctionDef: "def",
    ast.ClassDef: "class",
    ast.Try: "try",
    ast.Lambda: "lambda",
}


def breaches(path: Path) -> list[str]:
    """What a notebook breaks, each in a sentence that says what to do; empty for a good one."""
    try:
        notebook = nbformat.read(path, 4)
        nbformat.validate(notebook)
    except Exception as error:
        return [f"It cannot be read as a notebook ({type(error).__name__}): take it back from git."]
    checks = (_kernel, _title, _parameters, _outputs, _code, _rules, _sections, _ending)
    return [sentence for check in checks for sentence in check(notebook)]


def main(paths: list[str]) -> int:
    """Print the breaches of these files; 1 when there are any."""
    found = [f"{path}: {sentence}" for path in paths for sentence in breaches(Path(path))]
    print("\n".join(found), end="\n" if found else "")
    return int(bool(found))


def _kernel(notebook: Any) -> Iterator[str]:
    if notebook.metadata.get("kernelspec", {}).get("name") != KERNEL:
        yield "Its kernel is not T3: choose T3 in JupyterLab (Kernel, Change Kernel) and save."


def _title(notebook: Any) -> Iterator[str]:
    first = notebook.cells[0] if notebook.cells else None
    if first is None or first.cell_type != "markdown" or not re.match(r"# .+\n+\S", first.source):
        yield "The first cell is not `# Title` and a sentence below: what it reads, what it writes, who uses it."


def _parameters(notebook: Any) -> Iterator[str]:
    found = parameters.tagged(notebook.cells)
    if len(found) != 1:
        yield f"{len(found)} cells are tagged `parameters`: have exactly one."
    for cell in found:
        if notebook.cells.index(cell) > 2:
            yield "The parameters cell is too far down: make it the second or third cell."
        yield from _literals(cell.source)


def _literals(source: str) -> Iterator[str]:
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        yield f"The parameters cell is not valid Python (line {error.lineno})."
        return
    comments = parameters.comments(source)
    for statement in statements:
        line = ast.unparse(statement)
        if parameters.literal(statement) is None:
            yield f"Parameter `{line}` is not a name and a literal: derive it in a later cell."
        if not comments.get(parameters.last_line(statement)):
            yield f"Parameter `{line}` has no comment: describe it in one on the same line."
        if _SECRET.search(line):
            yield f"Parameter `{line}` looks like a secret: t3lib reads secrets from the environment."


def _outputs(notebook: Any) -> Iterator[str]:
    kept = [number for number, cell in cells.code(notebook) if cell.outputs or cell.execution_count]
    if kept:
        yield f"Outputs are stored in {_numbered(kept)}: run `.venv/bin/nbstripout` on it."


def _code(notebook: Any) -> Iterator[str]:
    for number, cell in cells.code(notebook):
        name = _capital(cells.named(number, cell.source))
        try:
            nodes = list(ast.walk(ast.parse(cell.source)))
        except SyntaxError as error:
            yield f"{name} is not valid Python (line {error.lineno})."
            continue
        figure = FIGURE in cells.tags(cell)
        defined = {word for kind, word in _DEFINES.items() if any(isinstance(node, kind) for node in nodes)}
        for word in sorted(defined - {"def"} if figure else defined):
            yield f"{name} holds a `{word}`: {_INSTEAD.get(word, _ELSEWHERE)}."
        if any(isinstance(node, ast.Constant) and _SQL.search(str(node.value)) for node in nodes):
            yield f"{name} holds SQL: ask `t3lib.metrics`, or write the query there."
        lines = [line for line in cell.source.splitlines() if line.strip()]
        most = MOST_LINES_OF_A_SECTION if is_section(cell.source) else MOST_LINES
        if len(lines) > most and not figure and not rule_cells.calls(cell.source):
            yield f"{name} has more than {most} lines: one idea per cell."


def _rules(notebook: Any) -> Iterator[str]:
    for number, cell in cells.code(notebook):
        if rule_cells.renames(cell.source):
            name = _capital(cells.named(number, cell.source))
            yield f"{name} gives `rules` another name: a rule that it states would be missed."
    try:
        rulebook.examples(notebook)
    except Exception as error:
        yield f"Its rules and examples do not agree: {error}"


def _sections(notebook: Any) -> Iterator[str]:
    """Every section of a report is rehearsed over made-up figures."""
    if any(is_section(cell.source) for _, cell in cells.code(notebook)):
        from t3lib.report import rehearsal  # a second that other notebooks need not wait for

        yield from (f"{wrong}." for wrong in rehearsal.wrong_sections(notebook))


def is_section(source: str) -> bool:
    """Whether a cell says a part of the report."""
    return bool(sections([source])) or "verdict.sentence(" in source or "verdict.headline(" in source


def _ending(notebook: Any) -> Iterator[str]:
    """Pages (which have a browser title) are exempt: they stay open. The mail's envelope may follow the check."""
    last = [cell.source for _, cell in cells.code(notebook)][-2:]
    if "title" not in notebook.metadata and not any(re.search(r"^\s*assert ", source, re.MULTILINE) for source in last):
        yield "It does not end with a check: assert what must be true of what it just made."


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _numbered(numbers: list[int]) -> str:
    return f"cell{'s' if numbers[1:] else ''} {', '.join(f'In [{number}]' for number in numbers)}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
