"""A notebook that breaks its contract is refused in words."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from scheduler.runs import contract

PARAMETERS = 'business_date = ""  # ISO date of a business day'


@pytest.fixture
def notebook():
    """One that keeps the contract: a title, parameters, a look, a check."""
    cells = [
        new_markdown_cell("# Sales\nReads mart, writes nothing; for analysts."),
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        new_code_cell("from t3lib import metrics"),
        new_code_cell("assert metrics"),
    ]
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "t3", "display_name": "T3"}})


@pytest.fixture
def said(notebook, tmp_path):
    """What is said of the notebook as it is now."""

    def breaches() -> str:
        nbformat.write(notebook, tmp_path / "sales.ipynb")
        return " ".join(contract.breaches(tmp_path / "sales.ipynb"))

    return breaches


def test_a_good_notebook_hears_nothing(said):
    assert said() == ""


def test_a_cell_with_the_tag_figure_may_define_one(notebook, said):
    notebook.cells[2].source = "def total(sales):\n    a = 1\n" + "    a += 1\n" * 6 + "    return a"
    assert "`t3 promote` stands in a cell with the tag `figure`" in said()
    notebook.cells[2].metadata["tags"] = ["figure"]
    assert said() == ""


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def total(sales):\n    return sum(sales)", " holds a `def`: write a function in t3lib"),
        ("class Sale:\n    pass", " holds a `class`"),
        ("try:\n    show()\nexcept Exception:\n    pass", " holds a `try`"),
        ("total = lambda sales: sum(sales)", " holds a `lambda`"),
        ("read('''SELECT 1''')", " holds SQL"),
        ("a = 1\n" * 7, " has more than 6 lines"),
        ("r = rules", " gives `rules` another name"),
        ("a = (", " is not valid Python"),
    ],
)
def test_code_that_belongs_elsewhere_is_named_by_its_cell(notebook, said, source, words):
    notebook.cells[2].source = source
    assert said().startswith(f"Cell In [2] ({source.splitlines()[0]})")
    assert words in said()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("a = 1", "Parameter `a = 1` has no comment"),
        ("import os  # the clock", "Parameter `import os` is not a name and a literal"),
        ("a = b + 1  # more than b", "Parameter `a = b + 1` is not a name and a literal"),
        ('password = "x"  # of the bucket', "looks like a secret"),
        ("a = (  # half", "The parameters cell is not valid Python"),
    ],
)
def test_a_parameter_is_a_commented_literal(notebook, said, source, words):
    notebook.cells[1].source = source
    assert words in said()


def test_there_is_one_parameters_cell_near_the_top(notebook, said):
    del notebook.cells[1].metadata["tags"]
    assert said() == "0 cells are tagged `parameters`: have exactly one."
    notebook.cells[3].metadata["tags"] = ["parameters"]
    assert "is too far down" in said()


def test_outputs_are_not_stored(notebook, said):
    notebook.cells[2].outputs = [new_output("stream", text="1")]
    assert said() == "Outputs are stored in cell In [2]: run `.venv/bin/nbstripout` on it."


def test_it_ends_with_a_check_unless_it_is_a_page(notebook, said):
    notebook.cells[3].source = "1"
    assert said().startswith("It does not end with a check")
    notebook.metadata["title"] = "T3 sales"
    assert said() == ""


def test_title_and_kernel_are_those_of_the_project(notebook, said):
    notebook.cells[0].source = "# Sales"
    notebook.metadata.kernelspec.name = "python3"
    assert "Its kernel is not T3" in said()
    assert "The first cell is not" in said()


def test_a_half_written_file_is_said_to_be_one(tmp_path: Path):
    path = tmp_path / "half.ipynb"
    path.write_text('{"cells": [')
    assert contract.breaches(path)[0].startswith("It cannot be read as a notebook")


def test_the_hook_prints_file_and_sentence_and_fails(notebook, tmp_path, capsys):
    notebook.cells[3].source = "1"
    path = tmp_path / "sales.ipynb"
    nbformat.write(notebook, path)
    assert contract.main([str(path)]) == 1
    assert capsys.readouterr().out.startswith(f"{path}: It does not end with a check")
    notebook.cells[3].source = "assert 1"
    nbformat.write(notebook, path)
    assert contract.main([str(path)]) == 0
