"""`t3 new explore`: a notebook that keeps the contract, and never one that was there."""

import nbformat
import pytest

from scheduler.runs import contract, new_notebook
from t3lib.problems import WrongUseError


def test_a_new_notebook_keeps_the_contract_under_its_own_title(tmp_path):
    path = new_notebook.explore("slow_mondays", tmp_path)
    assert contract.breaches(path) == []
    made, other = (nbformat.read(new_notebook.explore(name, tmp_path), 4) for name in ("one", "two"))
    assert nbformat.read(path, 4).cells[0].source.startswith("# Slow mondays\n")
    assert {cell.id for cell in made.cells}.isdisjoint(cell.id for cell in other.cells)


@pytest.mark.parametrize("name", ["../escape", "Slow", "a b", "", "x.ipynb", "-x", "class"])
def test_a_name_that_is_no_file_of_the_folder_is_refused(tmp_path, name):
    with pytest.raises(WrongUseError, match="no name of a notebook"):
        new_notebook.explore(name, tmp_path)


def test_a_notebook_that_is_there_stays(tmp_path):
    (tmp_path / "mine.ipynb").write_text("mine")
    with pytest.raises(WrongUseError, match="there already"):
        new_notebook.explore("mine", tmp_path)
    assert (tmp_path / "mine.ipynb").read_text() == "mine"
