"""What a promoted figure adds to the files: metric, glossary, card and test."""

import ast
import json
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scheduler.promotion.figure import Figure
from t3lib.metrics.glossary import Entry

METRICS = "t3lib/metrics/__init__.py"
CARDS = "t3lib/dashboard/tabs/breakdowns.py"
PAGE = "docs/kpis.md"
TESTS = "tests/integration/metrics/promoted"
_LAST = "# isort: skip"  # the end of the imports of METRICS that must come last


@dataclass(frozen=True)
class Edits:
    """The edits for one figure, its room of `t3lib.metrics` and the tab of its card, in a folder with the files."""

    tree: Path
    figure: Figure
    room: str
    tab: str
    notebook: str

    @property
    def module(self) -> str:
        return f"t3lib/metrics/{self.room}/{self.figure.name}.py"

    @property
    def glossary(self) -> str:
        return f"t3lib/metrics/glossary/{self.room}.py"

    @property
    def test(self) -> str:
        return f"{TESTS}/test_{self.figure.name}.py"

    @property
    def paths(self) -> list[str]:
        """Every file that is written."""
        return [self.module, METRICS, self.glossary, PAGE, CARDS, self.test, f"{TESTS}/__init__.py"]

    def define(self) -> None:
        """The metric, its entries in the glossary, and the card."""
        self._write_module("")
        name = self.figure.name
        dotted = self.module.removesuffix(".py").replace("/", ".")
        text = self._read(METRICS)
        end = text.index("\n", text.rindex(_LAST))
        line = f"\nfrom {dotted} import {name}  {_LAST}  (it calls what is above)"
        self._write(METRICS, text[:end] + line + text[end:])
        self._append(METRICS, "__all__", f'"{name}"')
        for entry in self.figure.entries:
            self._append(self.glossary, "", _written(entry))
        field = self.figure.entries[0].field
        self._append(CARDS, "BREAKDOWNS", f'Breakdown("{self.tab}", "{self.figure.title}", "{name}", "{field}")')
        page = [sys.executable, "-m", "t3lib.metrics.glossary"]
        self._write(PAGE, subprocess.run(page, cwd=self.tree, check=True, capture_output=True, text=True).stdout)

    def exemplify(self, given: dict[str, Any]) -> None:
        """The example in the docstring, and the test with the values of the example fleet."""
        self._write_module(self.figure.examples or _example(self.figure.name, given))
        self._write(f"{TESTS}/__init__.py", "")
        values = {"columns": given["named"], "rows": given["rows"], "card": given["card"]}
        self._write(self.test, _TEST.format(name=self.figure.name, title=self.figure.title, tab=self.tab, **values))

    def _write_module(self, examples: str) -> None:
        docstring = "\n\n".join(part for part in (self.figure.prose, examples) if part)
        head = f'"""{self.figure.title}: a figure that began in {self.notebook}."""'
        imports = "\n".join(self.figure.imports)
        self._write(self.module, f"{head}\n\n{imports}\n\n\n{self.figure.with_docstring(docstring)}\n")

    def _append(self, path: str, name: str, item: str) -> None:
        """Add an item to a list or tuple of a module by its name; without a name to the last one."""
        text = self._read(path).encode()
        assigned = [node for node in ast.parse(text).body if isinstance(node, ast.Assign | ast.AnnAssign)]
        targets = [(ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target), node.value)
                   for node in assigned]  # fmt: skip
        lists = [value for target, value in targets if isinstance(value, ast.List | ast.Tuple) and name in ("", target)]
        value = lists[-1]
        lines = text.splitlines(keepends=True)
        end = sum(map(len, lines[: (value.end_lineno or 0) - 1])) + (value.end_col_offset or 0) - 1
        before = text[:end].rstrip()
        comma = b"" if before.endswith((b",", b"(", b"[")) else b","
        self._write(path, (before + comma + b"\n" + item.encode() + b",\n" + text[end:]).decode())

    def _read(self, path: str) -> str:
        return (self.tree / path).read_text(encoding="utf-8")

    def _write(self, path: str, text: str) -> None:
        (self.tree / path).parent.mkdir(exist_ok=True)
        (self.tree / path).write_text(text, encoding="utf-8")


def _example(name: str, given: dict[str, Any]) -> str:
    """The example of the docstring: the columns that fit beside each other."""
    chosen = "" if given["shown_columns"] == given["columns"] else f"[{json.dumps(given['shown_columns'])}]"
    lines = [line or "<BLANKLINE>" for line in given["shown"].splitlines()]
    return "\n".join([f'>>> metrics.frame("{name}", week){chosen}', *lines])


def _written(entry: Entry) -> str:
    """An entry as the glossary has it; long texts are folded."""
    texts = [entry.field, entry.name, entry.definition, entry.formula, entry.unit, entry.source]
    folded = [" ".join(json.dumps(part, ensure_ascii=False) for part in _parts(text)) for text in texts]
    return f"Entry({', '.join(folded)})"


def _parts(text: str) -> list[str]:
    """A text in parts that fit into a line."""
    lines = textwrap.wrap(text, 100, break_long_words=False)
    return [f"{line} " for line in lines[:-1]] + lines[-1:]


_TEST = '''"""{title}, on the example fleet that a person can check by head; add rows of your own that matter here."""

from t3lib import metrics, warehouse
from t3lib.dashboard.state import State
from t3lib.dashboard.tabs import TabContext, sheet
from tests.integration.metrics.example_fleet import NOTHING, WEEK, rows
from tests.support.pages import table_rows


def test_{name}_of_the_example_fleet(example_fleet):
    found = metrics.frame("{name}", WEEK)
    assert rows(found[{columns}]) == {rows}
    assert rows(metrics.frame("{name}", NOTHING)) == []


def test_the_card_of_{name}_shows_the_same(example_fleet):
    with warehouse.connect() as db:
        shown = table_rows(sheet(db, TabContext(State(tab="{tab}"), WEEK)))
    for row in {card}:
        assert row in shown
'''
