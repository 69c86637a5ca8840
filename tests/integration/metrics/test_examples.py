"""The docstrings of `t3lib.metrics` and `t3lib.charts`: every public function has an example, and it is true."""

import doctest
import inspect
import re
from types import FunctionType

import pytest

from t3lib import charts, metrics
from t3lib.charts import echarts, notebook

MEASURES = {"transactions", "gross_sales_pence", "average_ticket_pence"}


def functions() -> dict[str, FunctionType]:
    """What an analyst can call, by name."""
    public = [(metrics, metrics.__all__), (charts, charts.__all__)]
    public += [(echarts, echarts.__all__), (notebook, ("column_title", "written"))]
    named = {f"{module.__name__}.{name}": getattr(module, name) for module, names in public for name in names}
    return {name.removeprefix("t3lib."): found for name, found in named.items() if inspect.isfunction(found)}


@pytest.fixture(scope="module")
def names() -> dict[str, object]:
    """What an example may use: what the module docstring of `t3lib.charts.notebook` sets up."""
    given: dict[str, object] = {}
    for example in doctest.DocTestParser().get_examples(notebook.__doc__):
        exec(example.source, given)
    return given


@pytest.mark.parametrize("name", functions())
def test_the_example_of_a_function_is_true(example_fleet, names, name):
    function = functions()[name]
    written = doctest.DocTestParser().get_doctest(inspect.getdoc(function) or "", dict(names), name, None, None)
    assert written.examples, f"{name} has no example in its docstring"
    said: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(written, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize("name", metrics.figures())
def test_the_docstring_of_a_breakdown_names_every_column(example_fleet, names, name):
    prose = (inspect.getdoc(getattr(metrics, name)) or "").split(">>>")[0]
    said = set(re.findall(r"[a-z_0-9]+", prose)) | (MEASURES if "measures" in prose else set())
    assert set(metrics.frame(name, names["week"]).columns) - said == set()


def test_the_docstring_of_every_function_is_a_sentence():
    prose = {name: (inspect.getdoc(found) or "").split("\n\n")[0] for name, found in functions().items()}
    assert {name: text for name, text in prose.items() if len(text) < 20 or not text.endswith((".", ":"))} == {}
