"""Books of a simulation, made of its files without a database."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from t3lib.settlements import accounts, reading
from t3lib.settlements.layouts import layouts
from t3lib.settlements.matching import Books
from t3lib.simulate.plan import Feed, Plan
from t3lib.simulate.settled import Settled, settled

DATES = ("business_date", "payout_on", "booked_on", "from_date", "to_date")


def plan(days: int, end: date, quiet_days: int) -> Plan:
    """The usual fleet of six trucks; so many days passed since its last sale."""
    now = datetime(end.year, end.month, end.day, 23, tzinfo=UTC) + timedelta(days=quiet_days)
    return Plan(6, days, 7, end, now, ("first", "late"), Feed())


def made(chosen: Plan) -> tuple[Settled, Books]:
    """What is simulated, and the books that its files and the tills' sales make."""
    found = settled(chosen)
    lines: dict[str, list[dict[str, Any]]] = {"settlement": [], "bank_line": []}
    for key, body in found.files.items():
        if key.startswith("settlements/"):
            statement = reading.read(key, body, layouts())
            lines[statement.table] += statement.lines
    sales = [(tender, truck, day, pence) for (tender, truck, day), pence in found.sales.items()]
    return found, Books(
        pd.DataFrame(sales, columns=["tender", "truck_id", "business_date", "pence"]),
        frame(lines["settlement"]),
        frame(lines["bank_line"]),
        frame(accounts.terminals(found.files["metadata/terminals.csv"])["terminal"]),
        frame(accounts.banking(found.files["metadata/banking.csv"])["banking"]),
        rules=layouts(),
        today=chosen.now.date(),
    )


def frame(records: list[dict[str, Any]]) -> pd.DataFrame:
    """Records as the database gives them: days as dates."""
    table = pd.DataFrame(records, dtype=object)
    for name in set(DATES) & set(table.columns):
        table[name] = [value and date.fromisoformat(value) for value in table[name]]
    return table
