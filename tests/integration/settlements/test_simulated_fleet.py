"""A simulated fleet with providers and a bank, through bucket and ledger, against its truth."""

import json
from datetime import UTC, date, datetime

import pytest

from t3lib import metrics, warehouse
from t3lib.simulate import simulate
from tests.support.feeding import assert_reconciles, rows, take_in

END, DAYS = date(2026, 11, 1), 21


@pytest.mark.slow
def test_a_simulated_fleet_is_settled_and_its_mishaps_are_named(bucket, tmp_path):
    simulate(bucket, trucks=6, days=DAYS, end=END, now=datetime(2026, 11, 20, tzinfo=UTC), settlements=True,
             truth=tmp_path / "truth.json", history_days=16)  # fmt: skip
    truth = json.loads((tmp_path / "truth.json").read_text())["settlements"]
    take_in()
    with warehouse.connect() as db:
        found = metrics.proof_of_cash(db, metrics.Scope(date(2026, 10, 1), END))
        card = {row.state: row.pence for row in found.itertuples() if row.tender == "card"}
    over = rows("SELECT cause, sum(pence)::bigint FROM mart.settled_daily WHERE state = 'over' GROUP BY 1 ORDER BY 1")
    expected = {"not_in_till": sum(one["pence"] for one in truth["not_in_till"]),
                "paid_twice": sum(one["net"] for one in truth["doubled"])}  # fmt: skip
    assert dict(over) == {cause: pence for cause, pence in expected.items() if pence}
    assert card.get("short", 0) == sum(one["gross"] for one in truth["lost"])
    assert "not_explained" not in card
    sold = rows("SELECT sum(total_pence)::bigint FROM mart.sales_hourly WHERE payment_type = 'card' AND truck_id < 6")
    assert sum(pence for state, pence in card.items() if state != "over") == sold[0][0]
    assert rows("SELECT sum(fee_pence)::bigint, sum(gross_pence)::bigint FROM mart.payout") == [
        (truth["fees"], truth["sales"])]  # fmt: skip
    assert_reconciles()
