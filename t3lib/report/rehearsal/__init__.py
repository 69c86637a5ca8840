"""A rehearsal of the report: the cells of `4_report` over made-up figures, without a database or a kernel.

`make check` and a starting worker rehearse every section, so that a mistake in a cell is known before the morning."""

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from t3lib import cells, checkout
from t3lib.editions import NOTEBOOK, editions, sections, without_readers
from t3lib.report.day import Day, Part
from t3lib.report.rehearsal import made_up
from t3lib.report.rehearsal.made_up import NotMadeUpError
from t3lib.settings import settings


class SectionError(ValueError):
    """A cell of the report is wrong; the text names it."""


@dataclass(frozen=True)
class Rehearsed:
    """What the cells showed: the number of the cell, its section, and the part; the value of the last cell, which is
    the envelope; and what the cells named."""

    parts: list[tuple[int, str, Part]]
    envelope: Any
    names: dict[str, Any]


def code(notebook: Mapping[str, Any]) -> list[tuple[int, str]]:
    """The code cells below the parameters with their numbers."""
    return [(n, cells.source(cell)) for n, cell in cells.code(notebook) if "parameters" not in cells.tags(cell)]


def rehearse(notebook: Mapping[str, Any], day: Day, *, checked: bool = True) -> Rehearsed:
    """What the cells make of a day; without `checked` the asserts of the notebook are left out.

    Raises SectionError, which names the first cell that fails."""
    names: dict[str, Any] = {"day": day}
    parts: list[tuple[int, str, Part]] = []
    last = None
    for number, source in code(notebook):
        known, name = len(day.shown), "".join(sections([source]))
        try:
            last = _run(source, f"<cell {number} of the report>", names, checked)
        except NotMadeUpError:  # a figure that nobody made up: the rest of this cell cannot be rehearsed
            continue
        except Exception as error:
            raise SectionError(f"{type(error).__name__}: {error} See {cells.named(number, source)}") from error
        parts += [(number, name, part) for part in day.shown[known:]]
    return Rehearsed(parts, last, names)


def wrong_sections(notebook: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the sections of a notebook, each in a sentence; nothing for a notebook without sections."""
    known = sections(source for _, source in code(notebook))
    for name in sorted({name for name in known if known.count(name) > 1}):
        yield f"Two cells have the section {name}: give one of them another name."
    for name in without_readers(source for _, source in code(notebook)):
        yield f'No edition has the section {name}: say who gets it, as in day.includes("{name}", "cfo")'
    for day in made_up.days(tuple(known)) if known else ():
        try:
            for _, _, part in rehearse(notebook, day).parts:
                _check(part)
        except SectionError as error:
            yield str(error)
            return


def wrong_in_force() -> list[str]:
    """What is wrong with the sections that the schedule uses: as last committed; those of the folder outside of a
    checkout, and with T3_EDITED_NOTEBOOKS."""
    text = None if settings().edited_notebooks else checkout.text_of(NOTEBOOK)
    notebook = json.loads(text or NOTEBOOK.read_text(encoding="utf-8"))
    known = sections(source for _, source in code(notebook))
    lacking = [
        f"{name}: the committed {NOTEBOOK.name} has no section {section!r}; its mail goes without it until it has"
        for name, one in editions().items()
        for section in one.sections
        if section not in known
    ]
    return [*wrong_sections(notebook), *lacking]


def _check(part: Part) -> None:
    """A part must have a text, for readers of the plain mail."""
    if not part.text.strip():
        raise SectionError("A part of the report has no text.")


def _run(source: str, name: str, names: dict[str, Any], checked: bool) -> Any:
    """Run a cell as a kernel does; returns the value of its last expression. The day is the one that is given."""
    tree = ast.parse(source)
    kept = [one for one in tree.body if not _reads(one) and (checked or not _asserts(one))]
    tail = kept.pop() if kept and isinstance(kept[-1], ast.Expr) else None
    exec(compile(ast.Module(kept, []), name, "exec"), names)
    return eval(compile(ast.Expression(tail.value), name, "eval"), names) if isinstance(tail, ast.Expr) else None


def _reads(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign) and ast.unparse(statement.value).startswith("report.read(")


def _asserts(statement: ast.stmt) -> bool:
    return any(isinstance(node, ast.Assert) for node in ast.walk(statement))
