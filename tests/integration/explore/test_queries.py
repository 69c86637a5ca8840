"""Saved queries: the files that are shipped answer what they say, and a file of one's own is checked."""

import datetime as dt
import inspect
from pathlib import Path

import pytest

from t3lib.explore import queries
from t3lib.problems import WrongUseError


def saved(folder: Path, text: str) -> queries.Saved:
    (folder / "mine.sql").write_text(text)
    return queries.named("mine", folder)


def test_every_shipped_query_says_what_it_answers_and_runs_on_its_defaults(analyst):
    listed = queries.listed()
    assert set(listed["query"]) == {"late_files", "prices_in_use", "rejected_texts", "sales_like"}
    assert all(listed["answers"].str.len() > 30)
    for name in listed["query"]:
        assert len(getattr(queries, name)().columns) > 4, name


def test_what_tills_wrote_in_rejected_rows(analyst):
    found = queries.rejected_texts(reason="not_a_number")
    assert found[["total", "payment", "rows"]].values.tolist() == [["10%", "card", 1], ["seven", "card", 1]]
    assert queries.rejected_texts(first="2026-11-06").empty
    assert len(queries.rejected_texts(last="2026-11-05")) == 2


def test_the_prices_in_use_with_their_dishes(analyst):
    found = queries.prices_in_use(sold_at_least=1)
    assert found["price_pence"].tolist() == [499, 700]
    assert found["on_the_menu"].tolist()[1] == "Burrito, Nachos"
    assert found["sales"].tolist() == [1, 1]
    assert queries.prices_in_use().empty  # none was sold five times


def test_one_receipt_with_its_file_and_row(analyst):
    (sale,) = queries.sales_like(pence=499).to_dict("records")
    assert (sale["key"], sale["row_number"], sale["payment_type"]) == ("trucks/2026-11/5/15/T3_T3_A1.csv", 2, "cash")
    assert len(queries.sales_like(business_date="2026-11-05")) == len(queries.sales_like(truck_id=3)) == 2
    assert queries.sales_like(business_date="2026-11-04").empty


def test_files_that_came_late(analyst):
    (file,) = queries.late_files().to_dict("records")
    assert file["ended"] == dt.datetime(2026, 11, 5, 15, tzinfo=dt.UTC)
    late = (file["first_seen"] - file["ended"]).total_seconds() / 60
    assert abs(file["minutes_late"] - late) <= 1
    assert queries.late_files(more_than_minutes=int(late) + 1).empty


def test_a_query_of_ones_own_takes_typed_parameters(tmp_path, analyst):
    mine = saved(tmp_path, """-- A test of :types, and of what only looks like a parameter.
-- :days integer = 3  how many
-- :share number = 0.5  of what
-- :word text = 'it is'  a text
-- :on boolean = true  whether
-- :day date = ''  ISO; empty: none
SELECT :days + 1 AS days, :share AS share, :word || ' 12:30 100%' AS word, :on AS "on :no", :day AS day,
       '{"a": 1}'::jsonb AS cells /* not :this */ -- nor :that
""")  # fmt: skip
    assert mine().to_dict("records")[0] == {
        "days": 4, "share": 0.5, "word": "it is 12:30 100%", "on :no": True, "day": None, "cells": '{"a": 1}',
    } | {"day": mine()["day"][0]}  # fmt: skip
    assert mine(day="2026-11-05", word="'; DROP TABLE x; --")["day"][0] == dt.datetime(2026, 11, 5)
    assert mine(word="a'b")["word"][0] == "a'b 12:30 100%"
    assert str(inspect.signature(mine)).startswith("(*, days=3, share=0.5, word='it is', on=True, day=None)")
    assert "days: integer. how many" in mine.__doc__


@pytest.mark.parametrize(
    ("values", "said"),
    [({"day": 1}, "has no parameter day; it takes days"), ({"days": "x"}, "days is integer"),
     ({"days": 1.5}, "not 1.5"), ({"days": True}, "not True"), ({"days": float("inf")}, "not inf"),
     ({"days": 10**12}, "not 1000000000000"), ({"days": None}, "not None")],
)  # fmt: skip
def test_a_wrong_value_is_told(tmp_path, analyst, values, said):
    mine = saved(tmp_path, "-- Days.\n-- :days integer = 3  how many\nSELECT :days AS days\n")
    with pytest.raises(WrongUseError, match=said):
        mine(**values)


def test_a_wrong_file_is_told(tmp_path, analyst):
    with pytest.raises(WrongUseError, match="uses :days, which no line"):
        saved(tmp_path, "-- Days.\nSELECT :days AS days\n")()
    with pytest.raises(WrongUseError, match="write `-- :days int = 3`"):
        saved(tmp_path, "-- Days.\n-- :days int = 3\nSELECT :days AS days\n")
    with pytest.raises(WrongUseError, match=r"no saved query '\.\./x'.*late_files"):
        queries.named("../x")
    with pytest.raises(AttributeError, match="late_files"):
        _ = queries.coins
