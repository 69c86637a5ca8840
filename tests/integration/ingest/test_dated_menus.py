"""A day's cost of goods and contribution are those of the menu and the costs that held on it."""

from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from t3lib import metrics, warehouse
from t3lib.metrics import Scope
from t3lib.metrics.money.margins import contributions
from t3lib.problems import RefusedError
from t3lib.warehouse.checks import reconciliation, rollup_repair
from t3lib.warehouse.load import applying
from tests.support.feeding import assert_reconciles, put, rows
from tests.support.restating import (
    COSTS,
    COSTS_CSV,
    FRIDAY,
    HELD,
    MENU_CSV,
    THURSDAY,
    UNIT_COSTS,
    left,
    place,
    restated,
    sell,
    upload,
)

pytestmark = pytest.mark.slow  # it takes files in again and again
DATED = f"{UNIT_COSTS},from,to"
PITCHES_CSV, PITCHES = "metadata/pitches.csv", "truck_id,location_id,from,to"
SATURDAY = date(2026, 11, 7)


@pytest.fixture
def truck(bucket: Path) -> Path:
    """On Thursday 42 burritos at 7.00 that cost 1.50, less VAT and 51.07 of wages; wages of Friday are 111.40."""
    wages = ("1,wages,51.07,day,2026-11-01", "1,wages,111.40,day,2026-11-06", ",vat,20,percent,2026-11-01")
    place(bucket, COSTS_CSV, *wages, when="2026-11-01 08:00", header=COSTS)
    place(bucket, MENU_CSV, "1,Burrito,Mexican,7.00,1.50", when="2026-11-01 08:00")
    sell(bucket, THURSDAY, *["7"] * 42)
    return bucket


def apply(day: date = THURSDAY, of: str = "menu") -> applying.Applied:
    with warehouse.connect() as db:
        return applying.apply(db, of, day, contributions, actor="Ann", why="The supplier raised prices.")


def test_a_menu_that_doubles_unit_costs_leaves_the_days_before_it_alone(truck: Path):
    assert left(THURSDAY) == (63.00, 130.93, 0)
    upload(truck, MENU_CSV, "1,Burrito,Mexican,7.00,3.00", when="2026-11-06 07:00")
    assert left(THURSDAY) == (63.00, 130.93, 0)
    sell(truck, FRIDAY, *["7"] * 28)
    assert left(FRIDAY) == (84.00, -32.07, 0)
    assert restated() == []
    assert_reconciles()


def test_a_rise_of_a_price_leaves_the_cost_of_what_was_sold_before_it(truck: Path):
    upload(truck, MENU_CSV, "1,Burrito,Mexican,7.00,3.00", when="2026-11-06 07:00")
    sell(truck, FRIDAY, *["7"] * 28)
    upload(truck, MENU_CSV, "1,Burrito,Mexican,8.00,3.00", when="2026-11-07 07:00")
    assert left(FRIDAY) == (84.00, -32.07, 0)  # without dates: 51.93, because no dish costs 7.00 any more
    sell(truck, SATURDAY, "8", "7")
    assert left(SATURDAY)[::2] == (3.00, 7.00)
    assert restated() == []
    assert_reconciles()


def test_a_menu_applied_to_the_past_restates_its_days_under_a_name_and_a_reason(truck: Path):
    upload(truck, MENU_CSV, "1,Burrito,Mexican,7.00,3.00", when="2026-11-06 07:00")
    assert str(apply()) == "Applied: 1 truck day was restated."
    assert left(THURSDAY) == (126.00, 67.93, 0)
    assert restated() == [("applied", 1, "2026-11-05", 13093, 6793, [MENU_CSV], "Ann", "The supplier raised prices.")]
    assert rows("SELECT action, subject, actor FROM ops.audit") == [("apply", f"{MENU_CSV} from 2026-11-05", "Ann")]
    assert rows(HELD) == [("Burrito", 700, 150, "1900-01-01", "2026-11-05"),
                          ("Burrito", 700, 300, "2026-11-05", "3000-01-01")]  # fmt: skip
    assert apply().truck_days == 0
    assert_reconciles()


def test_a_menu_that_names_a_past_day_counts_from_it_and_says_what_it_moved(truck: Path):
    upload(truck, MENU_CSV, "1,Burrito,Mexican,7.00,3.00,2026-11-05,", when="2026-11-06 07:00", header=DATED)
    assert left(THURSDAY) == (126.00, 67.93, 0)
    why = f"A new version of {MENU_CSV}."
    assert restated() == [("metadata", 1, "2026-11-05", 13093, 6793, [MENU_CSV], "", why)]


def test_a_menu_that_names_a_day_to_come_leaves_what_holds_until_then(truck: Path):
    upload(truck, MENU_CSV, "1,Burrito,Mexican,8.00,3.00,2026-11-07,", when="2026-11-05 20:00", header=DATED)
    assert rows(HELD) == [("Burrito", 700, 150, "1900-01-01", "2026-11-07"),
                          ("Burrito", 800, 300, "2026-11-07", "3000-01-01")]  # fmt: skip


def test_a_dish_that_left_the_menu_and_came_back_has_a_cost_on_its_own_days(truck: Path):
    upload(truck, MENU_CSV, "1,Taco,Mexican,5.00,1.00", when="2026-11-06 07:00")
    upload(truck, MENU_CSV, "1,Burrito,Mexican,7.00,2.00", when="2026-11-07 07:00")
    sell(truck, FRIDAY, "7", "5")
    sell(truck, SATURDAY, "7", "5")
    assert left(FRIDAY)[::2] == (1.00, 7.00)
    assert left(SATURDAY)[::2] == (2.00, 5.00)
    assert left(THURSDAY)[0] == 63.00
    assert rows(HELD) == [("Burrito", 700, 150, "1900-01-01", "2026-11-06"),
                          ("Burrito", 700, 200, "2026-11-07", "3000-01-01"),
                          ("Taco", 500, 100, "2026-11-06", "2026-11-07")]  # fmt: skip


def test_a_menu_uploaded_twice_changes_nothing(truck: Path):
    before = rows(HELD)
    upload(truck, MENU_CSV, "1,Burrito,Mexican,7.0,1.5", when="2026-11-06 07:00")
    assert rows(HELD) == before
    assert restated() == []


def test_of_several_dishes_at_one_price_the_mean_unit_cost_counts_halves_up(bucket: Path):
    upload(bucket, COSTS_CSV, ",vat,0,percent,2026-11-01", when="2026-11-01 08:00", header=COSTS)
    upload(bucket, MENU_CSV, "1,Burrito,Mexican,7.00,1.50", "1,Wrap,Cold,7.00,2.25", "1,Soup,Cold,7.00,",
           when="2026-11-01 08:00")  # fmt: skip
    sell(bucket, THURSDAY, "7", "7")
    assert left(THURSDAY)[0] == 3.76
    with warehouse.connect() as db:
        (dish,) = metrics.dishes(db, Scope(THURSDAY, THURSDAY)).to_dict("records")
        (kind,) = metrics.by_menu_type(db, Scope(THURSDAY, THURSDAY))["menu_type"]
    assert (dish["dish"], dish["unit_cost_pence"], kind) == ("Burrito, Soup, Wrap", 188, "Several at this price")


def test_a_price_that_changes_at_noon_has_both_prices_on_the_menu_of_that_day(truck: Path):
    upload(truck, MENU_CSV, "1,Burrito,Mexican,8.00,3.00,2026-11-06 12:00,", when="2026-11-06 11:00", header=DATED)
    sell(truck, FRIDAY, "7", "8", hour=9)
    sell(truck, SATURDAY, "7", "8")
    assert left(FRIDAY)[::2] == (4.50, 0)
    assert left(SATURDAY)[::2] == (3.00, 7.00)


def test_a_unit_cost_that_changes_at_noon_counts_for_the_whole_day(truck: Path):
    upload(truck, MENU_CSV, "1,Burrito,Mexican,7.00,3.00,2026-11-06 12:00,", when="2026-11-06 11:00", header=DATED)
    sell(truck, FRIDAY, "7", hour=9)
    assert left(FRIDAY)[0] == 3.00


def test_costs_without_a_date_count_from_the_day_of_their_upload(truck: Path):
    plain = "truck_id,cost,amount,per"
    upload(truck, COSTS_CSV, "1,wages,60,day", ",vat,5,percent", when="2026-11-06 07:00", header=plain)
    assert left(THURSDAY)[1] == 130.93
    assert restated() == []
    assert apply(of="costs").truck_days == 1
    assert left(THURSDAY)[1] == 157.00  # 294.00 - 14.00 - 60.00 - 63.00
    assert restated()[0][:5] == ("applied", 1, "2026-11-05", 13093, 15700)


def test_vat_and_card_fees_hold_from_their_day_and_a_past_one_is_restated(truck: Path):
    vat = (",vat,20,percent,2026-11-01", ",vat,5,percent,2026-11-06")
    wages = ("1,wages,51.07,day,2026-11-01", "1,wages,111.40,day,2026-11-06")
    upload(truck, COSTS_CSV, *vat, *wages, ",card_fee,1,percent,2026-11-05", when="2026-11-06 07:00", header=COSTS)
    sell(truck, FRIDAY, *["7"] * 28)
    assert left(THURSDAY)[1] == 127.99  # 130.93 less 1 % of 294.00 by card
    assert left(FRIDAY)[1] == 31.31  # 196.00 - 9.33 - 111.40 - 42.00 - 1.96
    assert [row[:5] for row in restated()] == [("metadata", 1, "2026-11-05", 13093, 12799)]


def test_a_wrong_cost_of_goods_is_found_rebuilt_and_restated(truck: Path):
    rows("UPDATE mart.price_daily SET goods_pence = 1 RETURNING 1")
    with warehouse.connect() as db:
        (wrong,) = [check for check in reconciliation.checks(db) if not check.ok]
    assert "truck 1 on 2026-11-05 (a row holds £0.01 of goods, right is £63.00)" in wrong.detail
    rollup_repair.rebuild(contributions, actor="Ann", why="The doctor said so.")
    assert left(THURSDAY) == (63.00, 130.93, 0)
    assert restated() == [
        ("rebuild", 1, "2026-11-05", 19392, 13093, ["mart.price_daily"], "Ann", "The doctor said so.")]  # fmt: skip
    assert_reconciles()


def test_the_fleets_own_costs_are_restated_as_truck_0(truck: Path):
    upload(truck, COSTS_CSV, ",office,10,day,2026-11-05", ",vat,20,percent,2026-11-01", "1,wages,51.07,day,2026-11-01",
           when="2026-11-06 07:00", header=COSTS)  # fmt: skip
    assert ("metadata", 0, "2026-11-05", 0, -1000) in [row[:5] for row in restated()]
    assert 1 not in [row[1] for row in restated() if row[2] == "2026-11-05"]


def test_a_row_is_judged_by_the_menu_of_its_own_day(bucket: Path):
    upload(bucket, MENU_CSV, "1,Corn,Mexican,0.99,0.20", when="2026-11-01 08:00")
    upload(bucket, MENU_CSV, "1,Lobster,Mexican,49.00,9", when="2026-11-06 07:00")
    sell(bucket, THURSDAY, "99", "0.99", "6")
    sell(bucket, FRIDAY, "99", "6")
    assert rows("SELECT business_date, reason, raw_total FROM ops.rejected_row ORDER BY raw_total") == [
        (THURSDAY, "above_limit", "6"), (THURSDAY, "decimal_shift", "99")]  # fmt: skip
    assert rows("SELECT business_date, total_pence FROM core.sale ORDER BY 1, 2") == [
        (THURSDAY, 99), (FRIDAY, 600), (FRIDAY, 9900)]  # fmt: skip


@pytest.mark.parametrize(("of", "day", "said"), [("cost", THURSDAY, "no list"), ("menu", date(2099, 1, 1), "to come")])
def test_what_cannot_be_applied_is_refused(truck: Path, of: str, day: date, said: str):
    with pytest.raises(RefusedError, match=said):
        apply(day, of)


def test_the_database_refuses_a_dish_that_holds_twice(truck: Path):
    for statement in (
        "INSERT INTO core.menu_item VALUES (1, 'BURRITO', 'Mexican', 700, 150)",
        "INSERT INTO core.cost (truck_id, cost, amount, per, from_date) VALUES (1, 'Wages', 1, 'day', '2026-11-20')",
        "INSERT INTO core.pitch VALUES (1, 1, '2026-11-05', '2026-11-07'), (1, 2, '2026-11-06', '2026-11-08')",
    ):
        with pytest.raises(sa.exc.IntegrityError, match="_once"), warehouse.connect() as db:
            db.execute(sa.text(statement))


def test_a_stay_that_pitches_csv_no_longer_names_keeps_its_past_and_loses_its_future(bucket: Path):
    stays = ("1,4,2026-11-05 10:00,2026-11-05 20:00", "1,5,2026-11-09 10:00,2026-11-09 20:00")
    upload(bucket, PITCHES_CSV, *stays, when="2026-11-01 08:00", header=PITCHES)
    upload(bucket, PITCHES_CSV, "1,6,2026-11-05 10:00,2026-11-05 12:00", when="2026-11-06 08:00", header=PITCHES)
    assert rows("SELECT location_id, from_at::text, to_at::text FROM core.pitch ORDER BY from_at") == [
        (6, "2026-11-05 10:00:00+00", "2026-11-05 12:00:00+00"),
        (4, "2026-11-05 12:00:00+00", "2026-11-05 20:00:00+00"),
    ]


def test_pitches_applied_to_the_past_take_out_stays_that_are_no_longer_named(bucket: Path):
    wednesday, thursday = "1,4,2026-11-04 10:00,2026-11-04 20:00", "1,5,2026-11-05 10:00,2026-11-05 20:00"
    upload(bucket, PITCHES_CSV, wednesday, thursday, when="2026-11-01 08:00", header=PITCHES)
    sell(bucket, THURSDAY, "7", "7")
    later = "1,6,2026-11-09 10:00,2026-11-09 20:00"
    upload(bucket, PITCHES_CSV, later, when="2026-11-06 08:00", header=PITCHES)
    sold = "SELECT location_id, transactions FROM mart.sales_hourly"
    assert rows(sold) == [(5, 2)]
    assert str(apply(of="pitches")) == "Applied: 1 truck day was restated."
    assert rows(sold) == [(0, 2)]
    assert rows("SELECT location_id FROM core.pitch ORDER BY from_at") == [(4,), (6,)]
    assert rows("SELECT cause, business_date, pence_after, keys, actor FROM ops.restatement") == [
        ("applied", THURSDAY, 1400, [PITCHES_CSV], "Ann")]  # fmt: skip
    assert apply(of="pitches").truck_days == 0
    put(bucket, PITCHES_CSV, wednesday, header=PITCHES)
    with pytest.raises(RefusedError, match="has changed in the bucket"):
        apply(of="pitches")


def test_a_price_applied_to_the_past_says_what_has_no_cost_of_goods_any_more(truck: Path):
    upload(truck, MENU_CSV, "1,Burrito,Mexican,8.00,3.00", when="2026-11-06 07:00")
    assert "£294.00 of sales have no cost of goods any more" in str(apply())
    assert left(THURSDAY) == (0, 193.93, 294.00)
    upload(truck, MENU_CSV, "1,Burrito,Mexican,8.00,3.00,,", "1,Burrito,Mexican,7.00,1.50,2026-11-01,2026-11-05",
           when="2026-11-07 07:00", header=DATED)  # fmt: skip
    assert left(THURSDAY) == (63.00, 130.93, 0)
    assert [row[1:] for row in rows(HELD)] == [
        (700, 150, "1900-01-01", "2026-11-06"), (800, 300, "2026-11-06", "3000-01-01")]  # fmt: skip


def test_another_menu_type_applied_to_the_past_is_restated_though_no_contribution_moves(truck: Path):
    upload(truck, MENU_CSV, "1,Burrito,Street food,7.00,1.50", when="2026-11-06 07:00")
    with warehouse.connect() as db:
        assert list(metrics.by_menu_type(db, Scope(THURSDAY, THURSDAY))["menu_type"]) == ["Mexican"]
    assert apply().truck_days == 1
    assert [row[:5] for row in restated()] == [("applied", 1, "2026-11-05", 13093, 13093)]
    with warehouse.connect() as db:
        assert list(metrics.by_menu_type(db, Scope(THURSDAY, THURSDAY))["menu_type"]) == ["Street food"]


def test_the_first_menu_counts_for_the_days_before_it_and_says_what_it_moved(bucket: Path):
    upload(bucket, COSTS_CSV, ",vat,0,percent,2026-11-01", when="2026-11-01 08:00", header=COSTS)
    sell(bucket, THURSDAY, "7", "7")
    assert left(THURSDAY) == (0, 14.00, 14.00)
    upload(bucket, MENU_CSV, "1,Burrito,Mexican,7.00,1.50", when="2026-11-06 07:00")
    assert left(THURSDAY) == (3.00, 11.00, 0)
    assert restated() == [("metadata", 1, "2026-11-05", 1400, 1100, [MENU_CSV], "", f"A new version of {MENU_CSV}.")]
    assert_reconciles()


def test_a_row_without_a_day_beside_dated_ones_does_not_come_back_when_the_file_is_uploaded_again(truck: Path):
    rise = ("1,Burrito,Mexican,7.00,1.50,,", "1,Burrito,Mexican,7.50,2.50,2026-11-07,")
    upload(truck, MENU_CSV, *rise, when="2026-11-06 07:00", header=DATED)
    held = rows(HELD)
    upload(truck, MENU_CSV, *rise, "1,Soup,Hot,5,1,,", when="2026-11-10 07:00", header=DATED)
    assert [row[1:] for row in held] == [(700, 150, "1900-01-01", "2026-11-07"), (750, 250, "2026-11-07", "3000-01-01")]
    assert [row for row in rows(HELD) if row[0] == "Burrito"] == held
