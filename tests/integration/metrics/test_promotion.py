"""What `t3 promote` finds out by running a figure on the example fleet."""

import pandas as pd

from t3lib import metrics
from tests.integration.metrics import example_fleet as example


def test_a_figure_is_described_by_what_it_gives(example_fleet):
    given = example.given(metrics.by_payment)
    assert given["rows"] == [["card", 3, 2100, 700, 80.800308], ["cash", 1, 499, 499, 19.199692]]
    assert given["card"][0] == ["card", "3", "£21.00", "£7.00", "80.8%"]
    assert given["kinds"]["share_pct"] == "float64"
    assert given["columns_of_nothing"] == given["columns"]
    assert "mart.sales_hourly" in given["sql"]
    assert given["shown_columns"] == ["payment_type", "transactions", "average_ticket_pence", "share_pct"]
    assert given["shown"].splitlines()[1].split() == ["0", "card", "3", "700", "80.800308"]


def test_what_raises_or_gives_no_table_is_told(example_fleet):
    def raises(db, scope):
        return metrics.by_truck(db, scope)["van"]

    def counts(db, scope):
        return len(metrics.by_truck(db, scope))

    def fails_without_sales(db, scope):
        return pd.DataFrame({"share_pct": [100 / len(metrics.by_hour(db, scope))]})

    assert example.given(raises) == {"error": "raises KeyError: 'van'"}
    assert example.given(counts) == {"error": "gives a int, not a DataFrame,"}
    assert example.given(fails_without_sales) == {"error": "raises ZeroDivisionError: division by zero"}
