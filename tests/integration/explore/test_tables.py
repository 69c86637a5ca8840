"""Every table in one line, as pandas, Arrow or SQL, under a role that only reads."""

import datetime as dt
import doctest
import inspect

import psycopg
import pyarrow as pa
import pytest

from t3lib.explore import queries, reading, tables
from t3lib.problems import RefusedError, WrongUseError
from t3lib.settings import ROOT


@pytest.mark.slow
def test_every_table_is_read_as_pandas_and_as_arrow_and_its_sql_gives_the_same(analyst):
    for name in tables.listed()["table"]:
        table = tables.named(name)
        columns = [column.name for column in table.described.columns]
        frame, arrow = table.pandas(limit=5), table.arrow(limit=5)
        assert list(frame.columns) == arrow.column_names == columns, name
        assert reading.arrow(table.sql(limit=5)).schema == arrow.schema, name
        assert len(frame) == arrow.num_rows <= 5


def test_a_table_comes_with_whole_pence_utc_and_days(analyst):
    sales = tables.sale.pandas("truck_id = 3")
    assert sales[["total_pence", "payment_type"]].values.tolist() == [[700, "card"], [499, "cash"]]
    assert sales["sold_at"].tolist()[0] == dt.datetime(2026, 11, 5, 13, 5, tzinfo=dt.UTC)
    assert sales.dtypes[["total_pence", "business_date"]].astype(str).tolist() == ["Int64", "datetime64[ms]"]
    assert tables.rejected.arrow().column("raw_total").to_pylist() == ["seven", "10%"]


def test_a_condition_may_hold_a_percent_sign(analyst):
    assert tables.rejected.pandas("raw_total LIKE '%\\%'")["raw_total"].tolist() == ["10%"]


def test_a_table_says_what_it_is(analyst):
    assert "mart.sales_hourly" in repr(tables.sales_hourly)
    assert "<td>gross sales, pence</td>" in tables.sales_hourly._repr_html_()
    assert {"sales_hourly", "source_file"} < set(dir(tables))
    with pytest.raises(AttributeError, match=r"no table 'coins'.*mart\.sales_hourly"):
        _ = tables.coins


def test_of_two_tables_of_one_name_the_figures_come_first_and_the_other_is_named(analyst):
    assert tables.restatement.described.schema == "mart"
    assert tables.named("ops.restatement").described.schema == "ops"
    assert 'Not ops.restatement, which is tables.named("ops.restatement").' in repr(tables.restatement)
    assert "Not ops.restatement" in tables.restatement._repr_html_()
    with pytest.raises(AttributeError, match=r'tables\.named\("ops\.restatement"\)\.pandas\('):
        _ = tables.named("ops.restatement").limit
    assert "Not core.sale" in repr(tables.sale)
    assert "Not " not in repr(tables.sales_hourly)


def test_a_name_that_is_nearly_a_tables_gets_the_right_one(analyst):
    with pytest.raises(AttributeError, match=r"no table 'sales'\. Did you mean core\.sale or "):
        _ = tables.sales


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda sale: sale.limit(5), r'no .limit.: .*tables\.sale\.pandas\("truck_id = 1", limit=1000\)'),
        (lambda sale: sale.total_pence, r'is a column: tables\.sale\.pandas\(\)\["total_pence"\]'),
        (lambda sale: sale.pandas(limit="ten"), r"tables\.sale\.pandas: limit is a number of rows.*not 'ten'"),
        (lambda sale: sale.arrow(limit=-1), r"tables\.sale\.arrow: limit is a number of rows.*not -1"),
        (lambda sale: sale.sql(limit=2.5), r"tables\.sale\.sql: limit is a number of rows"),
        (lambda sale: sale.pandas(1000), r'condition is SQL in quotes.*not 1000; a number of rows is limit=1000'),
        (lambda sale: sale.pandas(truck_id=3), r'has no argument truck_id: .*pandas\("truck_id = 1", limit=1000\)'),
        (lambda sale: sale.pandas("lorry = 3"), r'column "lorry" does not exist.*its columns are truck_id, file_id'),
        (lambda sale: sale.pandas("truck_id =="), r"The condition 'truck_id ==' of mart\.sale does not work: "),
        (lambda sale: sale.pandas("truck_id = 'three'"), r"does not work: invalid input syntax for type integer"),
    ],
)  # fmt: skip
def test_a_wrong_way_to_read_a_table_says_the_right_one(analyst, wrong, said):
    with pytest.raises((AttributeError, WrongUseError), match=said):
        wrong(tables.sale)


@pytest.mark.parametrize("way_out", [
    "DELETE FROM core.sale", "CREATE TABLE sandbox.mine ()", "SET transaction_read_only = off",
    "SELECT set_config('transaction_read_only', 'off', true)", "SELECT 1; DELETE FROM core.sale",
])  # fmt: skip
def test_not_even_the_owner_can_write_by_a_query(owner, way_out):
    with pytest.raises(psycopg.Error):
        reading.arrow(way_out)
    assert tables.sale.arrow().num_rows == 2


def test_a_query_runs_under_the_analysts_role_where_there_is_one(analyst):
    assert reading.arrow("SELECT current_user AS who")["who"].to_pylist() == ["t3_analyst"]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reading.arrow("SELECT message FROM ops.mail_outbox")


def test_pence_stay_whole(analyst):
    assert reading.arrow("SELECT sum(total_pence) AS gross_pence FROM core.sale")["gross_pence"].type == pa.int64()
    with pytest.raises(RefusedError, match=r"mean_pence holds 599\.5"):
        reading.arrow("SELECT avg(total_pence) AS mean_pence FROM core.sale")
    with pytest.raises(RefusedError, match="one SELECT"):
        reading.arrow("COMMIT")


@pytest.mark.parametrize("module", [tables, queries])
def test_the_examples_of_the_docstrings_are_true(analyst, module):
    names: dict[str, object] = {}
    exec("from t3lib.explore import queries, tables", names)
    written = [module.listed, module.named]
    if module is tables:
        written += [tables.Table.pandas, tables.Table.arrow, tables.Table.sql]
    for function in written:
        found = doctest.DocTestParser().get_doctest(inspect.getdoc(function), dict(names), "x", None, None)
        assert found.examples
        said: list[str] = []
        doctest.DocTestRunner().run(found, out=said.append)
        assert not said, "".join(said)


def test_the_lines_of_the_tutorial_run(analyst):
    blocks = (ROOT / "docs" / "analysts.md").read_text().split("```python\n")
    (block,) = (block.split("```")[0] for block in blocks if block.startswith("from t3lib.explore import"))
    lines = block.strip().splitlines()
    names: dict[str, object] = {}
    exec(lines[0], names)
    shown = {line: eval(line, names) for line in lines[1:] if line}
    assert shown['queries.rejected_texts(reason="not_a_number")']["total"].tolist() == ["10%", "seven"]
    assert shown["tables.sale.arrow()"].num_rows == 2
    assert shown["tables.sale.sql()"].startswith("SELECT truck_id, file_id, ")
