"""Which errors are retried: one list, in the code and in the docs."""

import importlib
import inspect
import re

import pytest

from scheduler.queue import step_retries
from scheduler.runs.runner import NotebookFailedError
from t3lib.settings import ROOT


@pytest.mark.parametrize("name", sorted(step_retries.RETRIED))
def test_errors_from_outside_are_retried(name):
    assert step_retries.is_temporary(NotebookFailedError("2_clean", 3, name, "", "2_clean.ipynb"))


@pytest.mark.parametrize("name", [*sorted(step_retries.NOT_RETRIED), "ValueError", "AssertionError"])
def test_what_a_limit_a_file_or_a_rule_does_is_not(name):
    assert not step_retries.is_temporary(NotebookFailedError("2_clean", 3, name, "", "2_clean.ipynb"))


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (owner, name)
        for owners in (step_retries.RAISED_BY, step_retries.LIMITS_BY)
        for owner, errors in owners.items()
        for name in errors
    ],
)
def test_each_error_has_an_owner(owner, name):
    module = importlib.import_module(owner)
    assert hasattr(module, name) or f'"{name}"' in inspect.getsource(module)


def test_the_docs_list_the_same():
    page = (ROOT / "docs" / "operating.md").read_text()
    retried, never = page.split("## What is retried")[1].split("Not retried")[0:2]
    assert dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", retried, re.MULTILINE)) == step_retries.RETRIED
    assert (
        dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", never.split("\n## ")[0], re.MULTILINE)) == step_retries.NOT_RETRIED
    )
