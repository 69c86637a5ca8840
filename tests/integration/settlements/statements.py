"""Files of a provider and a bank that a person can add up by head."""

from pathlib import Path

from tests.support.feeding import at, put

STRIPE = ("automatic_payout_id,automatic_payout_effective_at,balance_transaction_id,created_utc,currency,gross,fee,net,"
          "reporting_category")  # fmt: skip
STARLING = "Date,Counter Party,Reference,Type,Amount (GBP)"
NOVEMBER, BANK = "settlements/stripe-1/2026-11.csv", "settlements/bank/2026-11.csv"
SALES = "trucks/2026-11/2/15/T3_T1_A1.csv"


def charge(number: int, gross: str, fee: str, net: str, *, day: int = 2, payout: str = "po_first", on: int = 5,
           kind: str = "charge") -> str:  # fmt: skip
    """One line of Stripe's export, of a day of November 2026 at half past twelve."""
    return (f"{payout},2026-11-{on:02d} 00:00:00,txn_{number},2026-11-{day:02d} 12:30:00,gbp,{gross},{fee},{net},"
            f"{kind}")  # fmt: skip


def booked(day: int, amount: str, who: str = "STRIPE", text: str = "") -> str:
    """One line of the bank statement, of a day of November 2026."""
    return f"{day:02d}/11/2026,{who},{text},FASTER PAYMENT,{amount}"


def sell_and_pay(bucket: Path, *more: str, bank: str = "98.00") -> None:
    """Truck 1 sold for £60 and £40 by card and £5 in cash on Monday the 2nd; Stripe paid them out on Thursday, less £2
    of fees. `more` are further lines of Stripe; bank: what arrived."""
    put(bucket, SALES, at("12:30", "card", "60", "2026-11-02"), at("12:31", "card", "40", "2026-11-02"),
        at("12:32", "cash", "5", "2026-11-02"))  # fmt: skip
    put(bucket, NOVEMBER, charge(1, "60.00", "1.20", "58.80"), charge(2, "40.00", "0.80", "39.20"), *more,
        header=STRIPE)  # fmt: skip
    put(bucket, BANK, booked(5, bank), booked(27, "-842.00", "WAGES"), header=STARLING)


def ofx(*booked_on: tuple[int, str, str], account: str = "12345678") -> str:
    """The same statement as OFX: lines of (day of November 2026, amount, name), as the bank numbers them."""
    lines = "".join(
        f"<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>202611{day:02d}<TRNAMT>{amount}<FITID>A{number}<NAME>{name}</STMTTRN>\n"
        for number, (day, amount, name) in enumerate(booked_on)
    )
    return f"""OFXHEADER:100
DATA:OFXSGML
VERSION:102
SECURITY:NONE
ENCODING:USASCII
CHARSET:1252
COMPRESSION:NONE
OLDFILEUID:NONE
NEWFILEUID:NONE

<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS><DTSERVER>20261128<LANGUAGE>ENG</SONRS>
</SIGNONMSGSRSV1><BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS><STMTRS><CURDEF>GBP
<BANKACCTFROM><BANKID>1<ACCTID>{account}<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20261101<DTEND>20261128
{lines}</BANKTRANLIST><LEDGERBAL><BALAMT>1<DTASOF>20261128</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""
