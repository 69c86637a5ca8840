"""What would be left if one cost had another size."""

import pandas as pd

from t3lib.explore import nothing, span
from t3lib.metrics import Contribution, Scope
from t3lib.money import pounds

NEEDED = "Needs metadata/costs.csv: truck_id, cost, amount, per, from."


def resized(found: Contribution | None, cost: str, change_pct: float) -> pd.DataFrame:
    """One row per cost: cost, now_pence, then_pence, share_pct of gross sales then. Only `cost` changes, the largest
    one when it is empty. Raises ValueError with the costs that there are; no rows without metadata/costs.csv."""
    costs = found.costs if found else {}
    chosen = cost or max(costs, key=costs.__getitem__, default="")
    if costs and chosen not in costs:
        raise ValueError(f"there is no cost {chosen!r}; there are {', '.join(costs)}")
    rows = [(name, pence, round(pence * (1 + change_pct / 100)) if name == chosen else pence)
            for name, pence in costs.items()]  # fmt: skip
    table = pd.DataFrame(rows, columns=["cost", "now_pence", "then_pence"]).astype({"cost": str})
    gross = found.gross_sales_pence if found else 0
    return table.assign(share_pct=100 * table["then_pence"] / gross if gross else float("nan"))


def finding(found: Contribution | None, table: pd.DataFrame, scope: Scope) -> str:
    """What the change would leave."""
    if found is None:
        return NEEDED
    if not found.gross_sales_pence:
        return nothing(scope)
    changed = table[table["now_pence"] != table["then_pence"]]
    if changed.empty:
        return f"Nothing changes: {pounds(found.contribution_pence)} of {pounds(found.gross_sales_pence)} is left."
    row, gain = changed.iloc[0], int((changed["now_pence"] - changed["then_pence"]).sum())
    then = found.contribution_pence + gain
    margins = [f"{100 * left / found.gross_sales_pence:.1f}%" for left in (found.contribution_pence, then)]
    return (
        f"If {row['cost'].lower()} were {pounds(int(row['then_pence']))} instead of {pounds(int(row['now_pence']))} "
        f"in {span(scope)}, {pounds(then)} would be left instead of {pounds(found.contribution_pence)}: "
        f"{margins[1]} of sales instead of {margins[0]}."
    )
