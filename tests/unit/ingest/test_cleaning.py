"""Every row on exactly one side, with its reason."""

from collections import Counter
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from t3lib.cleaning import Rulebook, TruckFacts
from t3lib.cleaning.truck_facts import menus
from t3lib.feed import RAW_SCHEMA
from t3lib.warehouse.files.rulesets import FLAGS, names

STAMP = pa.timestamp("us", "UTC")
UPLOADED = datetime(2026, 11, 5, 12, tzinfo=UTC)
WINDOW = (datetime(2026, 11, 5, 9, tzinfo=UTC), datetime(2026, 11, 5, 12, tzinfo=UTC))
BOOK = Rulebook.of_folder()
FACTS = TruckFacts(prices={1: {870, 910}}, known=frozenset({1}))
AT = "2026-11-05 10:00:00+00:00"


def validate(*rows: tuple, facts: TruckFacts = FACTS, truck: int = 1, window: tuple | None = WINDOW):
    raw = pa.Table.from_pylist(
        [{"file_id": 1, "row_number": n, "timestamp": t, "type": k, "total": s} for n, (t, k, s) in enumerate(rows, 1)],
        schema=RAW_SCHEMA,
    )
    first, last = window or (None, None)
    files = pa.table({"file_id": pa.array([1], pa.int64()), "truck_id": pa.array([truck], pa.int32()),
                      "uploaded_at": pa.array([UPLOADED], STAMP), "window_from": pa.array([first], STAMP),
                      "window_to": pa.array([last], STAMP)})  # fmt: skip
    return BOOK.clean(raw, files, facts, FLAGS)


def reason(*row, **options) -> str:
    return validate(row, **options).rejects["reason"][0].as_py()


def test_a_sale_has_pence_business_day_and_hour():
    (sale,) = validate((AT, " Card ", "8.7")).sales.to_pylist()
    assert (sale["total_pence"], sale["payment_type"], sale["business_date"], sale["local_hour"], sale["flags"]) == (
        870, "card", date(2026, 11, 5), 10, 0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("row", "code"),
    [((AT, "card", ""), "missing_total"), ((AT, "card", "VOID"), "void"), ((AT, "card", "ERR"), "error_marker"),
     ((AT, "card", "x"), "not_a_number"), ((AT, "card", "0"), "zero"), ((AT, "card", "-1"), "negative"),
     ((AT, "card", "870"), "decimal_shift"), ((AT, "card", "46"), "above_limit"),
     (("soon", "card", "8.7"), "bad_timestamp"),
     (("2026-11-05", "card", "8.7"), "bad_timestamp"), (("2026-11-05 13:00:01+00:00", "card", "8.7"), "future"),
     (("2014-12-31 23:59", "card", "8.7"), "too_old"), ((AT, "cheque", "8.7"), "unknown_payment_type")],
)  # fmt: skip
def test_each_reason_has_its_row(row, code):
    assert reason(*row) == code


def test_every_reason_and_flag_has_a_sentence():
    stated = BOOK.stated()
    assert all(rule.sentence.endswith(".") for rule in stated.values())
    assert {code for code, rule in stated.items() if not rule.rejects} == FLAGS.keys()


def test_a_lost_decimal_point_suggests_the_price_it_was():
    assert validate((AT, "card", "870")).rejects["suggested_pence"].to_pylist() == [870]


def test_without_a_menu_a_price_sold_often_reveals_the_shift():
    sold = TruckFacts(sold={1: Counter({99: 30})}, known=frozenset({1}))
    assert reason(AT, "cash", "99", facts=sold) == "decimal_shift"
    assert validate((AT, "cash", "99"), facts=TruckFacts(known=frozenset({1}))).sales.num_rows == 1


def test_without_a_menu_the_prices_sold_often_set_the_limit():
    sold = TruckFacts(sold={1: Counter({600: 30, 9000: 1})}, known=frozenset({1}))
    assert validate((AT, "cash", "30"), facts=sold).sales.num_rows == 1
    assert reason(AT, "cash", "30.01", facts=sold) == "above_limit"


def test_a_truck_without_menu_and_history_has_the_limit_of_the_settings():
    unseen = TruckFacts(known=frozenset({1}), limit_pence=2000)
    assert validate((AT, "cash", "20"), facts=unseen).sales.num_rows == 1
    assert reason(AT, "cash", "20.01", facts=unseen) == "above_limit"


def test_the_total_decides_before_the_time_and_the_time_before_the_payment():
    assert reason("soon", "cheque", "VOID") == "void"
    assert reason("soon", "cheque", "8.7") == "bad_timestamp"


def test_an_offset_is_honoured_and_none_means_utc():
    sales = validate(("2026-11-05T11:00:00+01:00", "card", "8.7"), ("2026-11-05 10:00", "card", "8.7")).sales
    assert sales["sold_at"].to_pylist() == [datetime(2026, 11, 5, 10, tzinfo=UTC)] * 2


def test_odd_sales_are_loaded_and_flagged():
    facts = TruckFacts(without_reader=frozenset({6}), known=frozenset({6}))
    assert names(FLAGS, validate((AT, "card", "5"), facts=facts, truck=6).sales["flags"][0].as_py()) == [
        "card_without_reader"
    ]
    late = validate(("2026-11-05 08:59:00+00:00", "cash", "5"), facts=facts, truck=6).sales
    assert names(FLAGS, late["flags"][0].as_py()) == ["outside_batch_window"]
    assert names(FLAGS, validate((AT, "cash", "5"), truck=9).sales["flags"][0].as_py()) == ["unknown_truck"]


def test_history_has_no_window_to_be_outside_of():
    assert validate(("2026-10-01 08:00:00", "cash", "8.7"), window=None).sales["flags"].to_pylist() == [0]


def test_a_reject_keeps_its_raw_text():
    (row,) = validate((AT, " Card", "VOID ")).rejects.to_pylist()
    assert (row["raw_timestamp"], row["raw_type"], row["raw_total"]) == (AT, " Card", "VOID ")


def test_an_empty_batch_is_no_error():
    cleaned = validate()
    assert (cleaned.sales.num_rows, cleaned.rejects.num_rows) == (0, 0)


def test_a_price_beyond_what_the_column_holds_is_above_the_limit():
    dear = TruckFacts(prices={1: {1_000_000_000}}, known=frozenset({1}))
    assert validate((AT, "cash", "10000000"), facts=dear).sales["total_pence"].to_pylist() == [1_000_000_000]
    assert reason(AT, "cash", "30000000", facts=dear) == "above_limit"


def test_a_row_is_judged_by_the_menu_of_its_business_day():
    always, until, since = date(1900, 1, 1), date(2026, 11, 5), date(2026, 11, 7)
    *earlier, (_, prices) = menus([(1, 99, always, until), (1, 9900, until, since), (1, 500, since, date(3000, 1, 1))])
    facts = TruckFacts(prices=prices, earlier=tuple(earlier), known=frozenset({1}))
    days = ("2026-11-04 12:00Z", "2026-11-05 03:59Z", "2026-11-05 12:00Z", "2026-11-07 12:00Z")
    found = validate(*((day, "cash", "99") for day in days), facts=facts, window=None)
    assert [(row["row_number"], row["reason"]) for row in found.rejects.to_pylist()] == [
        (1, "decimal_shift"), (2, "decimal_shift"), (4, "above_limit")]  # fmt: skip


def test_days_before_a_first_menu_and_after_the_last_have_none():
    known = menus([(1, 99, date(2026, 11, 5), date(2026, 11, 7))])
    assert [(str(until), prices) for until, prices in known] == [
        ("2026-11-05", {}), ("2026-11-07", {1: {99}}), ("3000-01-01", {})]  # fmt: skip
