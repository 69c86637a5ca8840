"""Other prices on a menu: what they would bring if some buyers stayed away."""

import pandas as pd

from t3lib.explore import nothing, span
from t3lib.metrics import Scope
from t3lib.money import pounds

NEEDED = "Needs metadata/menu.csv: truck_id, menu_item, menu_type, price, unit_cost."


def of_truck(dishes: pd.DataFrame, truck_id: int) -> pd.DataFrame:
    """The dishes of one truck; 0 stands for the truck whose dishes earn most."""
    earned = (dishes["price_pence"] * dishes["transactions"]).groupby(dishes["truck_id"]).sum()
    chosen = truck_id or (earned.idxmax() if len(earned) else 0)
    return dishes[dishes["truck_id"] == chosen].reset_index(drop=True)


def repriced(dishes: pd.DataFrame, change_pct: float, elasticity: float) -> pd.DataFrame:
    """`dishes` with new_price_pence (to the nearest 5p), new_transactions, and what is left of each after ingredients:
    left_pence now and new_left_pence then.

    elasticity: by how many percent demand changes for one percent of price (-1.2: 1 % dearer sells 1.2 % less)."""
    price = dishes["price_pence"].astype("int64")
    new_price = ((price * (1 + change_pct / 100)) / 5).round().astype("int64") * 5
    moved = (new_price - price) / price * elasticity
    new_sold = (dishes["transactions"].astype("int64") * (1 + moved).clip(lower=0)).round().astype("int64")
    cost = dishes["unit_cost_pence"].fillna(0).astype("int64")
    return dishes.assign(
        new_price_pence=new_price,
        new_transactions=new_sold,
        left_pence=(price - cost) * dishes["transactions"].astype("int64"),
        new_left_pence=(new_price - cost) * new_sold,
    )


def loss_to_bear_pct(dishes: pd.DataFrame) -> float | None:
    """Percent of buyers that may stay away before the new prices of `repriced` leave less than the old ones."""
    cost = dishes["unit_cost_pence"].fillna(0).astype("int64")
    earned = int(((dishes["new_price_pence"] - cost) * dishes["transactions"]).sum())
    return round(100 * (1 - int(dishes["left_pence"].sum()) / earned), 1) if earned > 0 else None


def finding(dishes: pd.DataFrame, change_pct: float, scope: Scope) -> str:
    """What the new prices would leave, and what they could bear."""
    if dishes.empty:
        return f"{nothing(scope)} {NEEDED}"
    now, then = int(dishes["left_pence"].sum()), int(dishes["new_left_pence"].sum())
    sold, left = int(dishes["transactions"].sum()), int(dishes["new_transactions"].sum())
    bear = loss_to_bear_pct(dishes)
    verdict = "The prices pay" if then > now else "The prices do not pay"
    limit = f" They pay as long as fewer than {bear:.1f}% of the buyers stay away." if bear and bear > 0 else ""
    return (
        f"{verdict}: {dishes.iloc[0]['truck']} with prices {change_pct:+.1f}% would sell {left:,} instead of {sold:,} "
        f"in {span(scope)}, and {pounds(then)} instead of {pounds(now)} would be left after ingredients.{limit}"
    )
