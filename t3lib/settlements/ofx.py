"""Bank statements in OFX, of version 1 or 2, read by ofxtools."""

import io
from typing import Any

from t3lib.feed.bounds import FeedError

_UNREADABLE = "It cannot be read as an OFX bank statement"


def lines(data: bytes, currency: str) -> list[dict[str, Any]]:
    """The lines of every account in the file. Raises FeedError."""
    from ofxtools.Parser import OFXTree

    tree = OFXTree()
    try:
        tree.parse(io.BytesIO(data))
        statements = tree.convert().statements
    except Exception as error:  # ofxtools raises many kinds for what is no OFX
        said = " ".join(str(error).split())[:100]
        raise FeedError("unreadable", f"{_UNREADABLE} ({type(error).__name__}: {said}): upload it again.") from None
    found = []
    for statement in statements:
        if (used := statement.curdef) != currency:
            raise FeedError("unreadable", f"{_UNREADABLE}: its amounts are in {used}, not in {currency}.")
        account = statement.account.acctid
        for number, line in enumerate(statement.transactions or (), 1):
            found.append(_line(line, account, number))
    return found


def _line(line: Any, account: str, number: int) -> dict[str, Any]:
    pence = line.trnamt * 100
    if pence != pence.to_integral_value():
        raise FeedError("unreadable", f"{_UNREADABLE}: transaction {number:,} has {line.trnamt} as TRNAMT.")
    said = (getattr(line, "name", None), getattr(line, "memo", None), line.trntype)
    return {
        "account": account,
        "line_id": line.fitid,
        "booked_on": line.dtposted.date().isoformat(),
        "amount_pence": int(pence),
        "text": " ".join(" ".join(part for part in said if part).split()),
    }
