"""The docstrings of `t3lib.metrics` and `t3lib.charts`: every public function has an example, and it is true."""

import doctest
import inspect
import json
import os
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import FunctionType
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from t3lib import charts, metrics, warehouse
from t3lib.charts import echarts, notebook
from t3lib.report.rehearsal import made_up
from t3lib.settings import settings
from tests.conftest import own_database
from tests.support.feeding import at, put, take_in

MEASURES = {"transactions", "gross_sales_pence", "average_ticket_pence"}
METADATA = {
    "menu": ("truck_id,menu_item,menu_type,price,unit_cost",
             "1,Burrito,Mexican,7.00,2.35", "6,Mango smoothie,Drinks,4.99,1.20"),
    "pitches": ("truck_id,location_id,from,to", "1,4,2026-11-05T04:00+00:00,2026-11-06T04:00+00:00",
                "6,4,2026-11-05T04:00+00:00,2026-11-06T04:00+00:00"),
    "costs": ("truck_id,cost,amount,per,from", ",vat,20,percent,2026-10-01", ",card_fee,1.75,percent,2026-10-01",
              "1,wages,5.00,day,2026-10-01", "6,wages,2.00,day,2026-10-01"),
}  # fmt: skip
# (truck, day of 2026, UTC, payment, total): until 25 October local time is an hour later.
SALES = [(1, "10-14", "12:05", "card", "7"), (6, "10-15", "13:15", "cash", "4.99"),
         (1, "10-21", "12:05", "card", "7"), (6, "10-22", "13:15", "cash", "4.99"),
         (1, "10-28", "13:05", "card", "7"), (6, "10-29", "14:15", "cash", "4.99"),
         (1, "11-04", "13:05", "card", "7"), (1, "11-05", "13:10", "card", "7"), (1, "11-05", "13:20", "card", "7"),
          (6, "11-05", "14:15", "cash", "4.99"), (6, "11-05", "14:20", "cash", "VOID")]  # fmt: skip

WEEK = metrics.Scope(date(2026, 11, 2), date(2026, 11, 8))
WRITES = bool(os.environ.get("T3_WRITE_SNAPSHOTS"))  # records what reports are rehearsed with anew
MORE = {"by_period": ("month",), "seasonality": ("month",), "like_for_like": (metrics.earlier(WEEK),)}
# No truck of the small fleet is new.
RAMP = {"truck": ["Eels"] * 4, "first_sale_on": [date(2026, 6, 1)] * 4, "ramp_week": [1, 2, 4, 8],
        "ramp_pct": [40.0, 80.0, None, 120.0]}  # fmt: skip


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


@pytest.fixture(scope="module")
def fleet(postgres: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Three burritos for £21.00 on a Wednesday and a Thursday, a smoothie for £4.99 on that Thursday and a row that
    was void; in each of the three weeks before one burrito on Wednesday and one smoothie on Thursday, of which the
    last had been written down twice."""
    folder = tmp_path_factory.mktemp("bucket")
    with own_database(postgres, _template) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("T3_DATABASE_URL", url)
        patch.setenv("T3_LANDING_URL", folder.as_uri())
        settings.cache_clear()
        _fill(folder)
        yield url
    settings.cache_clear()


@pytest.mark.parametrize("name", functions())
def test_the_example_of_a_function_is_true(fleet, names, monkeypatch, name):
    monkeypatch.setenv("T3_DATABASE_URL", fleet)
    settings.cache_clear()
    function = functions()[name]
    written = doctest.DocTestParser().get_doctest(inspect.getdoc(function) or "", dict(names), name, None, None)
    assert written.examples, f"{name} has no example in its docstring"
    said: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(written, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize("name", metrics.figures())
def test_the_docstring_of_a_breakdown_names_every_column(fleet, names, monkeypatch, name):
    monkeypatch.setenv("T3_DATABASE_URL", fleet)
    settings.cache_clear()
    prose = (inspect.getdoc(getattr(metrics, name)) or "").split(">>>")[0]
    said = set(re.findall(r"[a-z_0-9]+", prose)) | (MEASURES if "measures" in prose else set())
    assert set(metrics.frame(name, names["week"]).columns) - said == set()


def test_the_docstring_of_every_function_is_a_sentence():
    prose = {name: (inspect.getdoc(found) or "").split("\n\n")[0] for name, found in functions().items()}
    assert {name: text for name, text in prose.items() if len(text) < 20 or not text.endswith((".", ":"))} == {}


def test_reports_are_rehearsed_with_figures_that_have_the_columns_of_their_metrics(fleet, monkeypatch):
    monkeypatch.setenv("T3_DATABASE_URL", fleet)
    settings.cache_clear()
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
    return {name: made_up.kept(one) for name, one in found.items()}


def shape(known: dict[str, Any]) -> Any:
    """Columns and their kinds, or the fields of a figure."""
    if "columns" in known:
        return {name: one["type"] for name, one in known["columns"].items()}
    return (known.get("class"), sorted(known.get("values", {})))


def _fill(bucket: Path) -> None:
    with warehouse.connect() as db:
        db.execute(
            sa.text("INSERT INTO core.truck (truck_id, name) VALUES (1, 'Burrito Madness'), (6, 'SuperSmoothie')")
        )
        db.execute(sa.text("INSERT INTO core.location (location_id, name) VALUES (4, 'Alnfield Park')"))
    for name, (header, *lines) in METADATA.items():
        put(bucket, f"metadata/{name}.csv", *lines, header=header)
    files: dict[str, list[str]] = {}
    for truck, day, clock, payment, total in SALES:
        month, of_month = day.split("-")
        key = f"trucks/2026-{month}/{int(of_month)}/15/T3_T{truck}_A1.csv"
        files.setdefault(key, []).append(at(clock, payment, total, day=f"2026-{day}"))
    for key, lines in files.items():
        put(bucket, key, *lines)
    corrected = "trucks/2026-10/29/15/T3_T6_A1.csv"
    put(bucket, corrected, *files[corrected] * 2)
    take_in()
    put(bucket, corrected, *files[corrected])
    take_in()
