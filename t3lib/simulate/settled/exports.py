"""The exports of the providers, and the bank's statement, as files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from t3lib.simulate.files import csv_file
from t3lib.simulate.settled.lines import Account, Line

LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True)
class Booked:
    """One line of the bank's statement."""

    on: date
    pence: int
    name: str
    memo: str = ""


def provider_file(account: Account, days: dict[date, list[Line]]) -> bytes:
    """The export of an account over these business days."""
    return _EXPORTS[account.provider](account, days)


def _sumup(account: Account, days: dict[date, list[Line]]) -> bytes:
    head = ("Email", "Date", "Transaction ID", "Transaction Type", "Status", "Card Type", "Total", "Fee", "Payout",
            "Payout Date", "Payout ID")  # fmt: skip
    kinds = {"sale": "Sale", "refund": "Refund", "chargeback": "Chargeback", "fee": "Fee"}
    rows = []
    for day, lines in days.items():
        for line in lines:
            rows.append((f"truck{line.truck_id}@t3.example", f"{line.at.astimezone(LONDON):%Y-%m-%d %H:%M:%S}", line.id,
                         kinds[line.kind], "Successful", "VISA", *_amounts(line), _iso(account, day),
                         account.payout_id(day)))  # fmt: skip
        rows.append((f"truck{lines[0].truck_id}@t3.example", f"{lines[0].at.astimezone(LONDON):%Y-%m-%d %H:%M:%S}",
                     f"X{lines[0].id}", "Sale", "Failed", "VISA", "7.00", "0.00", "0.00", "", ""))  # fmt: skip
    return csv_file(head, rows)


def _square(account: Account, days: dict[date, list[Line]]) -> bytes:
    head = ("Date", "Time", "Time Zone", "Card", "Cash", "Fees", "Net Total", "Transaction ID", "Payment ID",
            "Event Type", "Location", "Deposit ID", "Deposit Date")  # fmt: skip
    kinds = {"sale": "Payment", "refund": "Refund", "chargeback": "Chargeback", "fee": "Adjustment"}
    rows = []
    for day, lines in days.items():
        for line in lines:
            local = line.at.astimezone(LONDON)
            gross, fee, net = _amounts(line) if line.kind != "fee" else (_pounds(-line.fee), "0.00", _pounds(-line.fee))
            rows.append((f"{local:%d/%m/%Y}", f"{local:%H:%M:%S}", "London", f"£{gross}".replace("£-", "-£"), "£0.00",
                         f"-£{fee}", net, f"T{line.id}", line.id, kinds[line.kind], f"Truck {line.truck_id}",
                         account.payout_id(day), f"{account.arrives(day):%d/%m/%Y}"))  # fmt: skip
    return csv_file(head, rows)


def _stripe(account: Account, days: dict[date, list[Line]]) -> bytes:
    head = ("automatic_payout_id", "automatic_payout_effective_at", "balance_transaction_id", "created_utc", "currency",
            "gross", "fee", "net", "reporting_category", "description")  # fmt: skip
    kinds = {"sale": "charge", "refund": "refund", "chargeback": "dispute", "fee": "fee"}
    rows = [
        (account.payout_id(day), f"{_iso(account, day)} 00:00:00", line.id, f"{line.at:%Y-%m-%d %H:%M:%S}", "gbp",
         *(_amounts(line) if line.kind != "fee" else (_pounds(-line.fee), "0.00", _pounds(-line.fee))),
         kinds[line.kind], "")
        for day, lines in days.items() for line in lines
    ]  # fmt: skip
    return csv_file(head, rows)


def _zettle(account: Account, days: dict[date, list[Line]]) -> bytes:
    head = ("timestamp", "amount", "originatorTransactionType", "originatorTransactionUuid")
    kinds = {"sale": "PAYMENT", "refund": "PAYMENT", "chargeback": "ADJUSTMENT", "fee": "PAYMENT_FEE"}
    rows: list[tuple[str, int, str, str]] = []
    for day, lines in days.items():
        for line in lines:
            stamp = f"{line.at:%Y-%m-%dT%H:%M:%S}"
            if line.gross:
                rows.append((stamp, line.gross, kinds[line.kind], line.id))
            if line.fee:
                rows.append((stamp, -line.fee, "PAYMENT_FEE", line.id))
        paid = datetime.combine(day + timedelta(days=1), time(5))
        rows.append((f"{paid:%Y-%m-%dT%H:%M:%S}", -net(lines), "PAYOUT", account.payout_id(day)))
    return csv_file(head, rows)


def net(lines: Iterable[Line]) -> int:
    """What is paid out for these lines."""
    return sum(line.gross - line.fee for line in lines)


def statement(lines: Sequence[Booked], first: date, last: date) -> bytes:
    """A bank statement in OFX 1.0.2."""
    entries = "".join(
        f"<STMTTRN><TRNTYPE>{'CREDIT' if line.pence > 0 else 'DEBIT'}<DTPOSTED>{line.on:%Y%m%d}<TRNAMT>"
        f"{_pounds(line.pence)}<FITID>{line.on:%Y%m%d}{number:04d}<NAME>{line.name[:32]}"
        + (f"<MEMO>{line.memo}" if line.memo else "")
        + "</STMTTRN>\n"
        for number, line in enumerate(lines, 1)
    )
    return (
        "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:USASCII\nCHARSET:1252\nCOMPRESSION:NONE\n"
        "OLDFILEUID:NONE\nNEWFILEUID:NONE\n\n"
        "<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS>"
        f"<DTSERVER>{last:%Y%m%d}<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1>\n"
        "<BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS><STMTRS><CURDEF>GBP"
        "<BANKACCTFROM><BANKID>200000<ACCTID>40005551<ACCTTYPE>CHECKING</BANKACCTFROM>\n"
        f"<BANKTRANLIST><DTSTART>{first:%Y%m%d}<DTEND>{last:%Y%m%d}\n{entries}</BANKTRANLIST>"
        f"<LEDGERBAL><BALAMT>0.00<DTASOF>{last:%Y%m%d}</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n"
    ).encode("ascii")


def _amounts(line: Line) -> tuple[str, str, str]:
    return _pounds(line.gross), _pounds(line.fee), _pounds(line.gross - line.fee)


def _iso(account: Account, day: date) -> str:
    return account.arrives(day).isoformat()


def _pounds(pence: int) -> str:
    return f"{'-' if pence < 0 else ''}{abs(pence) // 100}.{abs(pence) % 100:02d}"


_EXPORTS = {"sumup": _sumup, "square": _square, "stripe": _stripe, "zettle": _zettle}
