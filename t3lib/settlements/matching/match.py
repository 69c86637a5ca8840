"""The whole proof: card, cash, and what people decided."""

from collections import Counter

from t3lib.settlements.matching import card, cash
from t3lib.settlements.matching.books import OPEN, OVER, SETTLED, SHORT, Books, Decision, Proof, Row

EXPLAINED, WRITTEN_OFF = "explained", "written_off"


def match(books: Books) -> Proof:
    """Every pence of card sales (from the first report on) and of cash sales (from the first deposit on) in exactly one
    of settled, on_its_way, short and not_explained; what the bank has beyond them as over."""
    card_rows, payouts = card.matched(books)
    rows = _decided(card_rows + cash.matched(books), books.decisions)
    sums: Counter[Row] = Counter()
    for row in rows:
        sums[row._replace(pence=0)] += row.pence
    found = [row._replace(pence=pence) for row, pence in sums.items() if pence]
    return Proof(sorted(found, key=lambda row: (row.business_date, *row)), payouts)


def _decided(rows: list[Row], decisions: dict[str, Decision]) -> list[Row]:
    """The rows with people's decisions on them: what is explained counts as settled, what is written off stays short;
    over stays over. A decision covers as many pence as were open when it was made; the rest stays open."""
    left = {item: decision.pence for item, decision in decisions.items()}
    found = []
    for row in sorted(rows):
        covered = min(left.get(row.item, 0), row.pence) if row.state in OPEN else 0
        if covered:
            left[row.item] -= covered
            found.append(_with(row, decisions[row.item].action)._replace(pence=covered))
        if row.pence > covered:
            found.append(row._replace(pence=row.pence - covered))
    return found


def _with(row: Row, action: str) -> Row:
    if action == "write_off":
        return row._replace(state=OVER if row.state == OVER else SHORT, cause=WRITTEN_OFF)
    return row._replace(state=OVER if row.state == OVER else SETTLED, cause=EXPLAINED)
