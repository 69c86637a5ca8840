"""Exports of providers and banks as records: exact pence, one layout or none, and a refusal that names the cell."""

import json
import re
import tomllib

import pytest

from t3lib.feed.bounds import FeedError
from t3lib.settings import ROOT, SettingsError
from t3lib.settlements import accounts, reading
from t3lib.settlements.causes import CAUSES, STATES
from t3lib.settlements.layouts import layouts, schema

SUMUP = "Email,Date,Transaction ID,Transaction Type,Status,Total,Fee,Payout,Payout Date,Payout ID"
SQUARE = "Date,Time,Card,Cash,Fees,Event Type,Payment ID,Location,Deposit ID,Deposit Date"
ZETTLE = "timestamp,amount,originatorTransactionType,originatorTransactionUuid"
PAGE = ROOT / "docs" / "settlements.md"


def read(*lines: str, key: str = "settlements/mine/a.csv") -> reading.Statement:
    return reading.read(key, "\n".join(lines).encode(), layouts())


def amounts(statement: reading.Statement) -> list[tuple]:
    return [tuple(line[name] for name in ("line_kind", "gross_pence", "fee_pence", "net_pence"))
            for line in statement.lines]  # fmt: skip


def refused(*lines: str) -> tuple[str, str]:
    with pytest.raises(FeedError) as error:
        read(*lines)
    return error.value.state, str(error.value)


def test_sumup_lines_carry_terminal_payout_and_local_time_and_failed_payments_are_counted():
    found = read(SUMUP, "t1@x.uk,2026-07-01 12:30:00,TX1,Sale,Successful,10.00,0.17,9.83,2026-07-03,P1",
                 "t1@x.uk,2026-07-01 12:31:00,TX2,Sale,Failed,5.00,0.00,0.00,,")  # fmt: skip
    assert (amounts(found), found.no_money) == ([("sale", 1000, 17, 983)], 1)
    line = found.lines[0]
    assert (line["terminal"], line["payout_id"], line["payout_on"]) == ("t1@x.uk", "P1", "2026-07-03")
    assert (line["account"], line["occurred_at"]) == ("mine", "2026-07-01T12:30:00+01:00")


def test_square_fees_are_negative_and_the_card_part_alone_counts():
    found = read(SQUARE, "01/11/2026,12:30:00,£10.00,£0.00,-£0.18,Payment,P1,Van,D1,03/11/2026",
                 "01/11/2026,1:05:00 PM,-£2.50,£0.00,£0.00,Refund,P2,Van,D1,03/11/2026")  # fmt: skip
    assert amounts(found) == [("sale", 1000, 18, 982), ("refund", -250, 0, -250)]


def test_zettle_amounts_are_pence_with_fees_on_lines_of_their_own():
    found = read(ZETTLE, "2026-11-02T12:00:00,1000,PAYMENT,u1", "2026-11-02T12:00:00,-18,PAYMENT_FEE,u1",
                 "2026-11-02T13:00:00,-300,PAYMENT,u2", "2026-11-03T05:00:00,-682,PAYOUT,u3")  # fmt: skip
    assert amounts(found) == [("sale", 1000, 0, 1000), ("fee", 0, 18, -18), ("refund", -300, 0, -300),
                              ("payout", -682, 0, -682)]  # fmt: skip
    assert len({line["identity"] for line in found.lines}) == 4


def test_lloyds_has_a_column_for_credits_and_one_for_debits_and_equal_lines_stay_two():
    head = (
        "Transaction Date,Transaction Type,Sort Code,Account Number,Transaction Description,Debit Amount,Credit Amount"
    )
    line = "05/11/2026,FPI,'30-00-00,123,SUMUP P1,,98.20"
    found = read(head, line, line, "06/11/2026,DD,'30-00-00,123,RENT,40.00,")
    assert [(one["account"], one["amount_pence"], one["line_kind"]) for one in found.lines] == [
        ("123", 9820, "payout"), ("123", 9820, "payout"), ("123", -4000, "other")]  # fmt: skip
    assert len({one["identity"] for one in found.lines}) == 3
    assert "RENT" not in json.dumps(found.lines)


def test_an_ofx_statement_is_read_by_its_own_ids():
    body = (
        "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:USASCII\nCHARSET:1252\nCOMPRESSION:NONE\n"
        "OLDFILEUID:NONE\nNEWFILEUID:NONE\n\n<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS>"
        "<DTSERVER>20261130<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1><BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0"
        "<SEVERITY>INFO</STATUS><STMTRS><CURDEF>{currency}<BANKACCTFROM><BANKID>1<ACCTID>42<ACCTTYPE>CHECKING"
        "</BANKACCTFROM><BANKTRANLIST><DTSTART>20261101<DTEND>20261130<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20261105"
        "<TRNAMT>98.20<FITID>F1<NAME>STRIPE</STMTTRN></BANKTRANLIST><LEDGERBAL><BALAMT>0<DTASOF>20261130</LEDGERBAL>"
        "</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
    )
    found = read(body.format(currency="GBP"), key="settlements/bank/a.ofx").lines
    assert [(one["account"], one["booked_on"], one["amount_pence"], one["provider"]) for one in found] == [
        ("42", "2026-11-05", 9820, "stripe")]  # fmt: skip
    for wrong in (body.format(currency="EUR"), "hello"):
        with pytest.raises(FeedError, match="cannot be read as an OFX bank statement"):
            read(wrong, key="settlements/bank/a.ofx")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("t1,2026-07-01 12:30:00,TX1,Sale,Successful,10.00,0.17,9.80,2026-07-03,P1", "column Payout (gross less fee"),
        ("t1,2026-07-01 12:30:00,TX1,Tip,Successful,10.00,0.17,9.83,2026-07-03,P1", "'Tip' in column Transaction Type"),
        ("t1,noon,TX1,Sale,Successful,10.00,0.17,9.83,2026-07-03,P1", "'noon' in column Date (a time like"),
        ("t1,2026-07-01 12:30:00,TX1,Sale,Successful,ten,0.17,9.83,2026-07-03,P1", "'ten' in column Total (an amount"),
        ("t1,2026-07-01 12:30:00,TX1,Sale,Successful,10.00,0.17,9.83,soon,P1", "'soon' in column Payout Date (a day"),
        ("t1,2026-07-01 12:30:00,TX1,Sale,Successful,10.00,0.17", "Line 2 has 7 cells, the first line 10"),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_read_refuses_the_file_with_line_and_column(line, said):
    state, reason = refused(SUMUP, line)
    assert state == "unreadable"
    assert said in reason


def test_a_header_that_fits_no_layout_or_two_is_held_not_guessed():
    assert refused("a,b", "1,2")[0] == "held_layout"
    both = ",".join(dict.fromkeys(f"{SUMUP},{SQUARE}".split(",")))
    state, reason = refused(both, ",".join("x" for _ in both.split(",")))
    assert (state, "square and sumup" in reason) == ("held_layout", True)


def test_an_account_has_one_owner_a_day_and_a_truck_one_way_of_banking():
    twice = b"provider,account,truck_id,from,to\nsumup,a,1,,2026-11-05\nsumup,a,2,2026-11-05,\n"
    with pytest.raises(FeedError, match="sumup a has two rows from 2026-11-05"):
        accounts.terminals(twice)
    (row,) = accounts.banking(b"truck_id,reference,float\n1,T3 TRUCK 1,150\n")["banking"]
    assert (row["float_pence"], row["within_days"], row["to_date"]) == (15_000, 7, "3000-01-01")
    with pytest.raises(FeedError, match="'400' in column within_days"):
        accounts.banking(b"truck_id,reference,within_days\n1,T3 TRUCK 1,400\n")


def test_the_schema_that_editors_show_is_the_one_that_counts():
    assert json.loads((ROOT / "notebooks" / "settlements.schema.json").read_text()) == schema()


def test_a_provider_of_the_docs_needs_a_table_and_no_code(tmp_path):
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    file = tmp_path / "settlements.toml"
    file.write_text((ROOT / "notebooks" / "settlements.toml").read_text() + example)
    layout = tomllib.loads(example)["providers"]["dojo"]["layouts"][0]
    head = ["Transaction date", "Time", "Transaction ID", "Type", "Amount", "Fee", "Net", "Currency", "Terminal",
            "Transfer ID", "Transfer date", "Status"]  # fmt: skip
    assert layout["id"] in head
    line = "05/11/2026,12:30,1,Sale,10.00,0.12,9.88,GBP,T1,X1,06/11/2026,Approved"
    found = reading.read("settlements/dojo/a.csv", f"{','.join(head)}\n{line}\n".encode(), layouts(file))
    assert amounts(found) == [("sale", 1000, 12, 988)]
    file.write_text(re.sub(r"(?m)^delay_days = 1 .*$", "delay_daze = 1", file.read_text()))
    with pytest.raises(SettingsError, match=r"providers.dojo.delay_d"):
        layouts(file)


def test_every_state_and_cause_is_in_the_docs():
    told = PAGE.read_text()
    assert [code for code in CAUSES if f"`{code}`" not in told] == []
    assert [state for state in STATES if f"| {state.replace('_', ' ')} |" not in told] == []
