"""Parameters of notebooks: read from their cell, checked before a kernel starts."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from scheduler.cli.analysing.run import join_pairs
from scheduler.runs import parameters
from t3lib.problems import RefusedError

SOURCE = """business_date = ""  # ISO date of a business day
weeks = 4  # so many weeks
share_pct = 5.0  # at most this share
quiet = False  # say less"""


@pytest.fixture
def path(tmp_path):
    """A notebook with these parameters."""
    cell = new_code_cell(SOURCE, metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[cell]), tmp_path / "sales.ipynb")
    return tmp_path / "sales.ipynb"


def test_values_take_the_kind_of_their_default(path):
    given = [("business_date", "2026-11-05"), ("weeks", "8"), ("share_pct", "3"), ("quiet", "True")]
    values = parameters.values(path, given)
    assert values == {"business_date": "2026-11-05", "weeks": 8, "share_pct": 3.0, "quiet": True}
    assert type(values["share_pct"]) is float
    assert parameters.values(path, [("business_date", "")]) == {"business_date": ""}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("busines_date", "2026-11-05", "sales.ipynb has no parameter busines_date."),
        (
            "business_date",
            "5.11.2026",
            "business_date is an ISO date such as 2026-11-05 (from 2000 to 2199), or empty, not '5.11.2026'.",
        ),
        ("weeks", "4.5", "weeks is a whole number, not '4.5'."),
        ("weeks", "True", "weeks is a whole number, not 'True'."),
        ("share_pct", "much", "share_pct is a number, not 'much'."),
        ("quiet", "yes", "quiet is True or False, not 'yes'."),
    ],
)
def test_a_wrong_one_is_refused_with_the_list_of_what_there_is(path, name, text, words):
    with pytest.raises(parameters.ParameterError) as refused:
        parameters.values(path, [(name, text)])
    said = str(refused.value)
    assert said.startswith(words)
    assert "  weeks = 4           so many weeks" in said
    assert "  business_date = ''  ISO date of a business day" in said


@pytest.mark.parametrize("source", ["weeks: int = 4", "weeks = 2 + n", "import os"])
def test_a_cell_that_derives_a_parameter_is_refused_in_words(source):
    with pytest.raises(parameters.ParameterError, match="is not a name and a literal: derive it in a later cell"):
        parameters.of_source(source)


def test_a_notebook_is_found_by_path_and_by_name(path):
    assert parameters.notebook(str(path)) == path
    assert parameters.notebook("2_clean").name == "2_clean.ipynb"
    assert parameters.notebook("history_with_dask").parent.name == "explore"
    with pytest.raises(RefusedError, match="There is no notebook 9_none: choose one of 1_extract, 2_clean"):
        parameters.notebook("9_none")


def test_minus_p_takes_a_name_and_a_value():
    assert join_pairs(["a", "-p", "weeks", "-1", "-p", "day=5", "--json"]) == [
        "a",
        "-p",
        "weeks=-1",
        "-p",
        "day=5",
        "--json",
    ]
