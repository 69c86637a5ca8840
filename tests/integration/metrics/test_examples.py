"""The docstrings of `t3lib.metrics` and `t3lib.charts`: every public function has an example, and it is true."""

import doctest
import inspect
import json
import os
import re
from collections.abc import Iterable
from datetime import date
from types import FunctionType, ModuleType
from typing import Any

import pandas as pd
import pytest

from t3lib import charts, metrics, warehouse
from t3lib.charts import echarts, notebook
from t3lib.report.rehearsal import made_up

MEASURES = {"transactions", "gross_sales_pence", "average_ticket_pence"}

WEEK = metrics.Scope(date(2026, 11, 2), date(2026, 11, 8))
WRITES = bool(os.environ.get("T3_WRITE_SNAPSHOTS"))  # records what reports are rehearsed with anew
MORE = {"by_period": ("month",), "seasonality": ("month",), "like_for_like": (metrics.earlier(WEEK),)}
# No truck of the small fleet is new.
RAMP = {"truck": ["Eels"] * 4, "first_sale_on": [date(2026, 6, 1)] * 4, "ramp_week": [1, 2, 4, 8],
        "ramp_pct": [40.0, 80.0, None, 120.0]}  # fmt: skip


def functions() -> dict[str, FunctionType]:
    """What an analyst can call, by name."""
    public: list[tuple[ModuleType, Iterable[str]]] = [(metrics, metrics.__all__), (charts, charts.__all__)]
    public += [(echarts, echarts.__all__), (notebook, ("column_title", "written"))]
    named = {f"{module.__name__}.{name}": getattr(module, name) for module, names in public for name in names}
    return {name.removeprefix("t3lib."): found for name, found in named.items() if inspect.isfunction(found)}


# Nor did one change a price.
EFFECTS = {"truck": "Burrito Madness", "dish": "Burrito", "changed_on": date(2026, 10, 26), "effect_note": "",
           "effect_state": "known"}  # fmt: skip


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


def test_reports_are_rehearsed_with_figures_that_have_the_columns_of_their_metrics(example_fleet):
    found = json.loads(json.dumps(measured()))
    if WRITES:
        lines = (f'  "{name}": {json.dumps(one)}' for name, one in sorted(found.items()))
        made_up.RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    known = made_up.recorded()
    assert len(known) > 25
    assert {name: shape(one) for name, one in known.items()} == {name: shape(found.get(name, {})) for name in known}


def measured() -> dict[str, Any]:
    """Every figure of a scope, as it is recorded."""
    found: dict[str, Any] = {}
    with warehouse.connect() as db:
        for name in metrics.__all__:
            function = getattr(metrics, name)
            if not inspect.isfunction(function) or list(inspect.signature(function).parameters)[:2] != ["db", "scope"]:
                continue
            needed = [one for one in list(inspect.signature(function).parameters.values())[2:]
                      if one.default is inspect.Parameter.empty]  # fmt: skip
            if len(needed) == len(MORE.get(name, ())):
                found[name] = function(db, WEEK, *MORE.get(name, ()))
    ramp = found["ramp"]
    found["ramp"] = pd.DataFrame({column: RAMP.get(column, [1] * 4) for column in ramp.columns})
    effects = found["price_effects"]
    rows = {name: [EFFECTS.get(name, 100)] * 2 for name in effects.columns}
    found["price_effects"] = pd.DataFrame(rows).astype(effects.dtypes)
    unknown = {"effect_state": "too few days to say", "effect_sold": None, "effect_margin_pence": None}
    found["price_effects"].loc[1, list(unknown)] = list(unknown.values())
    return {name: made_up.kept(one) for name, one in found.items()}


def shape(known: dict[str, Any]) -> Any:
    """Columns and their kinds, or the fields of a figure."""
    if "columns" in known:
        return {name: one["type"] for name, one in known["columns"].items()}
    return (known.get("class"), sorted(known.get("values", {})))
