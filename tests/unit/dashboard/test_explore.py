"""What the explore notebooks work out, on two or three rows that can be checked by head."""

from datetime import date

import pandas as pd
import pytest

from t3lib.explore import costs, growth, influences, look, menu, peaks, prices
from t3lib.metrics import Contribution, LikeForLike, Scope
from t3lib.problems import RefusedError

DAY = date(2026, 11, 5)
SCOPE = Scope(date(2026, 11, 2), DAY)


def test_a_first_look_names_the_largest_truck_and_the_best_weekday():
    days = pd.DataFrame({"business_date": pd.to_datetime(["2026-11-04", "2026-11-05"]), "transactions": [1, 3],
                         "gross_sales_pence": [700, 2100]})  # fmt: skip
    trucks = pd.DataFrame({"truck": ["Burritos", "Smoothies"], "gross_sales_pence": [2100, 700]})
    assert look.finding(days, trucks, SCOPE) == (
        "In the 4 days up to 5 Nov 2026, 4 sales brought £28.00. Burritos took 75% of it; "
        "Thursday is the best day, with £21 on average."
    )


def test_new_and_stopped_trucks_are_not_like_for_like():
    now = pd.DataFrame({"truck_id": [1, 2], "truck": ["Burritos", "Eels"], "gross_sales_pence": [1100, 500]})
    before = pd.DataFrame({"truck_id": [1, 3], "truck": ["Burritos", "Cakes"], "gross_sales_pence": [1000, 900]})
    found = growth.by_truck(now, before).set_index("truck_id")
    assert found["is_like_for_like"].to_dict() == {1: True, 2: False, 3: False}
    assert found.loc[1, "change_pct"] == 10
    same = LikeForLike(1, 1100, 1000)
    said = growth.finding(same, found.reset_index(), SCOPE, 4)
    assert "took £11.00, 10.0% more than before (15.8% less with every truck)" in said
    assert said.endswith("Burritos (+10.0%) grew most, Burritos (+10.0%) least.")
    said = growth.finding(same, found.reset_index(), SCOPE, 3)
    assert said == "Only 3 of the 4 days before are in the data: choose fewer days."


def test_weeks_that_a_scope_cuts_are_left_out():
    weeks = pd.DataFrame({"period_first": pd.to_datetime(["2026-10-26", "2026-11-02", "2026-11-09"])})
    kept = growth.whole_weeks(weeks, Scope(date(2026, 10, 28), date(2026, 11, 14)))
    assert kept["period_first"].dt.day.tolist() == [2]


def test_each_truck_has_its_own_prices():
    sold = pd.DataFrame({"truck": ["Eels", "Burritos", "Eels"], "price_pence": [99, 700, 499],
                         "transactions": [3, 5, 1]})  # fmt: skip
    assert prices.by_truck(sold, 500).values.tolist() == [
        ["Burritos", 5, 700, 700, 700, 0.0], ["Eels", 4, 99, 99, 499, 100.0]]  # fmt: skip
    assert prices.by_truck(sold[:0], 500).empty


def test_the_demand_curve_reaches_everybody():
    points = pd.DataFrame({"price_pence": [700, 500], "transactions": [1, 3]})
    assert prices.demand_curve(points)["reached_pct"].tolist() == [75, 100]
    said = prices.finding(points, 600, SCOPE)
    assert "£5.00 was paid most, 3 times" in said
    assert "75% cost no more than £6.00" in said


def test_a_wet_day_is_compared_with_dry_ones_of_its_weekday(tmp_path):
    thursdays = pd.to_datetime(["2026-10-22", "2026-10-29", "2026-11-05"])
    sales = pd.DataFrame({"business_date": thursdays, "truck_id": 1, "gross_sales_pence": [1000, 1200, 550]})
    (tmp_path / "weather.csv").write_text("business_date,is_wet\n2026-10-29,0\n2026-11-05,1\n")
    scope = Scope(date(2026, 10, 22), DAY)
    known = influences.weather(scope, str(tmp_path / "weather.csv"))
    assert known == {date(2026, 10, 29): False, DAY: True}
    assert influences.summary(known, scope).startswith("1 of 2 days were wet; of 13 more the weather is not known")
    nowhere = pd.DataFrame({"business_date": pd.to_datetime([])})
    effects = influences.effects(influences.labelled(sales, known, nowhere)).set_index("kind")
    assert effects.loc["wet", ["gross_sales_pence", "usual_pence"]].tolist() == [550, 1200]
    assert effects.loc["wet", "change_pct"] == pytest.approx(-54.1667)
    assert effects["days"].to_dict() == {"festival": 0, "wet": 1, "ordinary": 1, "unknown": 1}
    said = influences.finding(effects.reset_index(), SCOPE, known)
    assert said.endswith("no festival day; 1 wet day took 54.2% less than usual for the weekday.")


def test_where_no_weather_is_known_it_is_said_and_no_day_is_wet():
    sales = pd.DataFrame({"business_date": pd.to_datetime(["2026-10-29", "2026-11-05"]), "truck_id": 1,
                          "gross_sales_pence": [1000, 1200]})  # fmt: skip
    festival = pd.DataFrame({"business_date": pd.to_datetime(["2026-11-05"])})
    effects = influences.effects(influences.labelled(sales, {}, festival))
    assert influences.finding(effects, SCOPE, {}).endswith(
        "1 festival day took 20.0% more than usual for the weekday; the weather is not known."
    )
    assert "name a file (weather_csv)" in influences.summary({}, SCOPE)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("day,is_wet\n2026-11-05,1\n", "has no column business_date"),
        ("business_date,is_wet\n2026-11-05,yes\n", "line 2: is_wet is 1 or 0, not 'yes'"),
        ("business_date,is_wet\n5 November,1\n", "line 2: '5 November' is not a date"),
    ],
)
def test_a_weather_file_that_says_something_else_is_refused(tmp_path, text, said):
    (tmp_path / "weather.csv").write_text(text)
    with pytest.raises(RefusedError, match=said):
        influences.weather(SCOPE, str(tmp_path / "weather.csv"))
    with pytest.raises(RefusedError, match="There is no file"):
        influences.weather(SCOPE, str(tmp_path / "wether.csv"))


def test_dearer_dishes_sell_less_and_leave_more_or_less():
    dishes = pd.DataFrame({"truck_id": [1, 1, 2], "truck": "Burritos", "dish": ["Small", "Large", "Eels"],
                           "price_pence": [500, 1000, 100], "unit_cost_pence": pd.array([100, 400, None], "Int64"),
                           "transactions": [100, 50, 1]})  # fmt: skip
    own = menu.of_truck(dishes, 0)
    assert own["dish"].tolist() == ["Small", "Large"]
    changed = menu.repriced(own, 10.0, -2.0)
    assert changed["new_price_pence"].tolist() == [550, 1100]
    assert changed["new_transactions"].tolist() == [80, 40]
    assert changed[["left_pence", "new_left_pence"]].sum().tolist() == [70_000, 64_000]
    assert menu.loss_to_bear_pct(changed) == pytest.approx(12.5)
    said = menu.finding(changed, 10.0, SCOPE)
    assert said.startswith("The prices do not pay: Burritos with prices +10.0% would sell 120 instead of 150 in the 4 ")
    assert said.endswith("as long as fewer than 12.5% of the buyers stay away.")


def test_a_smaller_cost_leaves_more():
    found = Contribution(10_000, {"wages": 4000, "vat": 1000}, 0)
    table = costs.resized(found, "", -10.0)
    assert table["then_pence"].tolist() == [3600, 1000]
    assert costs.finding(found, table, SCOPE) == (
        "If wages were £36.00 instead of £40.00 in the 4 days up to 5 Nov 2026, £54.00 would be left instead of "
        "£50.00: 54.0% of sales instead of 50.0%."
    )
    with pytest.raises(ValueError, match="there is no cost 'rent'; there are wages, vat"):
        costs.resized(found, "rent", 1.0)
    assert costs.finding(None, costs.resized(None, "", 1.0), SCOPE).startswith("Needs metadata/costs.csv")


def test_the_worked_kpi_names_the_truck_that_depends_most_on_one_hour():
    best = pd.DataFrame({"truck": ["Eels"], "local_hour": [9], "peak_share_pct": [40.4]})
    assert "took 40% of its sales in one hour of the day, from 09:00" in peaks.finding(best, SCOPE)
