"""4_report.ipynb, run by papermill: each edition, and a day without sales."""

from datetime import date

import nbformat
import papermill
import pytest
import sqlalchemy as sa

from scheduler.runs import runner
from t3lib import record, warehouse
from t3lib.report.output.exporter import ReportError
from t3lib.report.output.message import build
from t3lib.report.output.message_rules import breaches
from t3lib.settings import ROOT

pytestmark = pytest.mark.slow  # it executes notebooks

NOTEBOOK = ROOT / "notebooks" / "4_report.ipynb"
DAY = date(2026, 11, 20)


@pytest.fixture
def sales(database):
    """Three Fridays of two trucks: £70.00, £60.00 and £50.00 altogether."""
    with warehouse.connect() as db:
        db.execute(sa.text("INSERT INTO core.truck (truck_id, name) VALUES (1, 'Burritos'), (2, 'Smoothies')"))
        for day, count in (("2026-11-20", 8), ("2026-11-13", 6), ("2026-11-06", 4)):
            values = {"day": day, "count": count, "pence": 500 * count}
            db.execute(
                sa.text("""INSERT INTO mart.sales_hourly VALUES
                    (1, :day, 13, 0, 'card', :count, :pence), (2, :day, 0, 0, 'cash', 3, 3000)"""),
                values,
            )
            db.execute(
                sa.text("INSERT INTO mart.price_daily VALUES (1, :day, 500, :count), (2, :day, 1000, 3)"), values
            )


def run(folder, **parameters):
    """The executed notebook and its mail."""
    path = folder / "4_report.ipynb"
    runner.execute(NOTEBOOK, path, parameters, runner.kernel_environment("report"))
    return build(path)


@pytest.mark.parametrize(
    ("edition", "headline"),
    [
        ("cfo", "£70.00 taken, 27% above a usual Friday."),
        ("culinary", "11 sales, 38% above a usual Friday."),
    ],
)
def test_edition_is_made_from_its_figures(sales, tmp_path, edition, headline):
    message = run(tmp_path, business_date="2026-11-20", edition=edition)
    assert headline in message.get_body(("html",)).get_content()
    assert headline in message.get_body(("plain",)).get_content()
    assert message["X-T3-Gross-Sales-Pence"] == "7000"
    assert "All trucks,11,9,8,70.00,60.00,55.00" in next(message.iter_attachments()).get_content()
    assert breaches(message) == []
    assert record.read(nbformat.read(tmp_path / "4_report.ipynb", as_version=4)) == {"rows": 11}


def test_empty_warehouse_has_a_report_too(database, tmp_path):
    message = run(tmp_path)
    assert "No sales are recorded for" in message.get_body(("plain",)).get_content()
    assert breaches(message) == []


def test_figures_that_do_not_add_up_stop_the_report(sales, tmp_path):
    with warehouse.connect() as db:
        db.execute(sa.text("UPDATE mart.price_daily SET transactions = 9 WHERE business_date = '2026-11-20'"))
    with pytest.raises(papermill.PapermillExecutionError, match="AssertionError"):
        run(tmp_path, business_date="2026-11-20")
    with pytest.raises(ReportError, match="AssertionError"):
        build(tmp_path / "4_report.ipynb")


def test_notebook_is_stored_as_it_is_written():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "t3"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
