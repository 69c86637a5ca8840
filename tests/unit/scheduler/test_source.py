"""The schedule runs notebooks as committed, whatever an editor holds half-written."""

import subprocess

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from scheduler.runs import source
from t3lib.settings import settings


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A checkout with one committed notebook and one module."""
    monkeypatch.delenv("T3_EDITED_NOTEBOOKS")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "t3lib").mkdir()
    (tmp_path / "t3lib" / "rules.py").write_text("LIMIT = 5\n")
    nbformat.write(new_notebook(cells=[new_code_cell("committed")]), tmp_path / "notebooks" / "2_clean.ipynb")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=Ann", "-c", "user.email=ann@t3.example", "commit", "--quiet", "-m", "First")
    return tmp_path


def git(folder, *arguments):
    return subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True, text=True).stdout.strip()


def committed(folder):
    return source.committed(folder / "notebooks" / "2_clean.ipynb", folder)


def test_an_unedited_notebook_runs_under_its_commit(repository, caplog):
    found = committed(repository)
    assert found.notebook.cells[0].source == "committed"
    assert found.commit == git(repository, "rev-parse", "--short=12", "HEAD")
    assert caplog.text == ""


def test_a_half_edited_notebook_runs_as_committed_and_it_is_said(repository, caplog):
    (repository / "notebooks" / "2_clean.ipynb").write_text('{"cells": [')
    found = committed(repository)
    assert found.notebook.cells[0].source == "committed"
    assert found.commit == git(repository, "rev-parse", "--short=12", "HEAD")
    assert f"as committed in {found.commit}" in found.notebook.metadata["t3_source"]
    assert "2_clean.ipynb has uncommitted edits" in caplog.text


def test_edited_code_marks_the_commit(repository):
    (repository / "t3lib" / "rules.py").write_text("LIMIT = 6\n")
    assert committed(repository).commit.endswith("+")


def test_developers_may_have_the_edited_one(repository, monkeypatch):
    nbformat.write(new_notebook(cells=[new_code_cell("edited")]), repository / "notebooks" / "2_clean.ipynb")
    monkeypatch.setenv("T3_EDITED_NOTEBOOKS", "1")
    settings.cache_clear()
    found = committed(repository)
    assert found.notebook.cells[0].source == "edited"
    assert found.commit.endswith("+")


def test_who_previews_a_report_gets_the_edited_notebook(repository):
    path = repository / "notebooks" / "2_clean.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("edited")]), path)
    found = source.committed(path, repository, edited=True)
    assert found.notebook.cells[0].source == "edited"
    assert found.commit.endswith("+")


def test_a_new_notebook_and_one_outside_a_checkout_run_from_their_files(repository, tmp_path_factory):
    nbformat.write(new_notebook(cells=[new_code_cell("new")]), repository / "notebooks" / "7_new.ipynb")
    assert source.committed(repository / "notebooks" / "7_new.ipynb", repository).notebook.cells[0].source == "new"
    (repository / ".git").rename(tmp_path_factory.mktemp("away") / "git")
    assert committed(repository).commit is None
