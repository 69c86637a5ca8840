"""Columns that are not read: which of them are asked, and what leaves a doubt."""

import pytest

from t3lib import feed

ROW = "2026-11-05 12:00,card,8.70"


def doubt(column: str, *values: str) -> str | None:
    lines = [f"timestamp,type,total,{column}", *(f"{ROW},{value}" for value in values)]
    return feed.examine("x.csv", "\n".join(lines).encode()).doubt


@pytest.mark.parametrize(
    ("column", "values"),
    [("orderstatus", ["refunded"]), ("event", ["No Sale"]), ("paid", ["no"]), ("is_sale", ["0"]), ("storno", ["1"]),
     ("result", ["refunded"]), ("status", ["paid", "refunded"]), ("Status", ["VOID"]), ("state", ["CA"]),
     ("order_status", ["open"]),
     ("refund", ["yes"]), ("Refunded", ["true"]), ("isRefunded", ["1"]), ("is_refund", ["x"]),
     ("refund amount", ["5.00"]),
     ("voided", ["", "Y"]), ("VOIDED_AT", ["12:30"]), ("cancelled", ["True"]), ("returned", ["1"]),
     ("transaction_type", ["sale", "refund"]), ("event", ["payment cancelled"]), ("status", ["1"])],
)  # fmt: skip
def test_a_column_that_may_say_no_sale_leaves_a_doubt(column, values):
    assert doubt(column, *values)


@pytest.mark.parametrize(
    ("column", "values"),
    [("status", ["completed", "Paid", "OK", ""]), ("refund", ["no", "0", "0.00", ""]), ("voided", ["false", "N"]),
     ("tip", ["1.00"]), ("statement", ["refunded"]), ("avoid_nuts", ["yes"]), ("paid", ["yes", "8.70", ""]),
     ("transaction_type", ["sale", "payment"]),
     ("change_returned", ["1.30"]), ("item", ["Void burger"])],
)  # fmt: skip
def test_a_column_that_says_nothing_of_the_kind_leaves_none(column, values):
    assert doubt(column, *values) is None


def test_a_doubt_names_column_and_values_also_where_cells_are_quoted():
    assert doubt("status", '"refunded, in part"', "void", "open", "lost") == (
        "column status says 'refunded, in part', 'void', 'open' and more"
    )


def test_every_column_that_is_not_read_is_named_as_the_file_has_it():
    found = feed.examine("x.csv", b"Tip,timestamp,,type,total,till no\n1,a,x,card,1,2\n")
    assert found.columns_not_read == ["Tip", "column 3", "till no"]
    many = ",".join(f"c{n}" for n in range(60))
    assert feed.examine("x.csv", f"timestamp,type,total,{many}\n".encode()).columns_not_read[-1] == "10 more"
