"""Which truck a provider's account or terminal belonged to on a day, by metadata/terminals.csv."""

from collections import defaultdict
from datetime import date

import pandas as pd

from t3lib.settlements.matching.books import FLEET


class Owners:
    """Answers from the rows of core.terminal."""

    def __init__(self, terminals: pd.DataFrame):
        self._rows: dict[tuple[str, str, str], list[tuple[date, date, int]]] = defaultdict(list)
        self._spans: dict[int, list[tuple[date, date]]] = defaultdict(list)
        for row in terminals.itertuples():
            truck = FLEET if pd.isna(row.truck_id) else int(row.truck_id)
            self._rows[row.provider, row.account, row.terminal].append((row.from_date, row.to_date, truck))
            if truck != FLEET:
                self._spans[truck].append((row.from_date, row.to_date))

    def of_line(self, provider: str, account: str, terminal: str, day: date) -> int:
        """The truck of a provider's line; FLEET where no row names one."""
        for name in dict.fromkeys((terminal, "")):
            for first, until, truck in self._rows.get((provider, account, name), ()):
                if first <= day < until:
                    return truck
        return FLEET

    def pool(self, truck: int, day: date) -> int:
        """Whose lines a truck's card sales are compared with: its own, or the whole fleet's."""
        return truck if any(first <= day < until for first, until in self._spans.get(truck, ())) else FLEET
