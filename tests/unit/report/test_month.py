"""The month pack and the week: what they say of literal figures, as a mail and as a PDF."""

from datetime import date
from io import BytesIO

import pandas as pd
import pytest
from pypdf import PdfReader

from t3lib import period, report
from t3lib.metrics.trust.reconciliation import Reconciliation
from t3lib.report.output.message import build
from t3lib.report.output.message_rules import breaches
from tests.support.reporting import executed, figures, pack, rows, section, totals, typical, verdict

NOVEMBER = date(2026, 11, 30)
SALES = (totals(150_000, 200), totals(120_000, 180), typical(100_000, 160, weeks=1))


def month(**changes):
    content = {"last": NOVEMBER, "usual_of": period.of("month", date(2025, 11, 1)), "pack": pack()} | changes
    return figures(*SALES, edition_name="cfo_month", **content)


def week(**changes):
    return figures(totals(112_000, 140), totals(100_000, 125), typical(90_000, 120), edition_name="cfo_week", **changes)


def words_of(block):
    """A block's plain text with single spaces."""
    return " ".join(block.text.split())


def pdf_text(message):
    """(text of the whole PDF, its reader)."""
    [part] = [one for one in message.iter_attachments() if one.get_content_type() == "application/pdf"]
    reader = PdfReader(BytesIO(part.get_content()))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split()), reader


def test_month_is_compared_with_the_year_before_and_the_month_before():
    said = verdict(month())
    assert said.headline_text == "£1,500.00 taken, 50% above November 2025."
    assert said.sentences_text.startswith(
        "That is 25% above October's £1,200.00. More sales than in November 2025 were made"
    )
    assert verdict(month()).subject_text == "T3 Month pack, Nov 2026: £1,500.00, 50% above Nov 2025"
    assert "(+25% vs Oct; +50% vs Nov 2025)" in section("tiles", month()).text


def test_month_without_a_year_before_is_compared_with_the_month_before_only():
    day = month(usual_of=period.of("month", date(2026, 10, 1)))
    assert verdict(day).headline_text == "£1,500.00 taken, 50% above October."
    assert "October's" not in verdict(day).sentences_text
    assert "The month is compared with October: the data do not reach back a year." in words_of(report.data_note(day))


def test_first_month_compares_with_nothing():
    day = figures(totals(150_000, 200), edition_name="cfo_month", last=NOVEMBER, pack=pack())
    assert verdict(day).headline_text == "£1,500.00 taken in November 2026."
    assert "There is no earlier month to compare with yet." in verdict(day).sentences_text
    assert "vs" not in section("tiles", day).text


def test_week_says_which_week_is_meant():
    said = verdict(week())
    assert said.headline_text == "£1,120.00 taken, 24% above a usual week."
    assert said.sentences_text.startswith("That is 12% above the £1,000.00 of the week before.")
    assert verdict(week()).subject_text == "T3 Week in figures, week to 22 Nov 2026: £1,120.00, 24% above usual"
    assert "vs 9–15 Nov" in section("tiles", week()).text


def test_week_is_drawn_by_day_with_days_that_had_no_sale():
    days = rows("weekday", (5, "", 140, 112_000, 125, 100_000, 120, 90_000))
    text = words_of(section("days", week(days=days)))
    assert "Mon £0.00 usual £0.00" in text
    assert "Fri £1,120.00 usual £900.00 #" in text
    assert "most on Friday with £1,120.00; £1,120.00 over the week; a usual week has £900.00." in text


def test_bank_holidays_are_named():
    christmas = figures(totals(1_000, 2), *SALES[1:], last=date(2026, 12, 25))
    assert verdict(christmas).sentences_text.startswith("Friday was a bank holiday (Christmas Day).")
    after = figures(totals(1_000, 2), *SALES[1:], last=date(2027, 1, 1))
    assert "Friday was a bank holiday (New Year's Day)." in verdict(after).sentences_text
    later = figures(totals(1_000, 2), *SALES[1:], last=date(2027, 1, 8))
    assert verdict(later).sentences_text.startswith("Last Friday was a bank holiday (New Year's Day).")
    easter = figures(totals(1_000, 2), *SALES[1:], edition_name="cfo_week", last=date(2026, 4, 3))
    assert "Fri 3 Apr (Good Friday) was a bank holiday." in verdict(easter).sentences_text


def test_day_of_a_clock_change_says_how_long_it_was():
    back = figures(totals(1_000, 2), last=date(2026, 10, 24))
    assert "the next day (25 hours, as the clocks went back)" in words_of(report.data_note(back))
    forward = figures(totals(1_000, 2), last=date(2026, 3, 28))
    assert "(23 hours, as the clocks went forward)" in words_of(report.data_note(forward))


def test_trucks_of_the_same_size_have_an_index_that_is_rounded():
    held = pack()
    six = held | {"trailing_by_truck": pd.concat([held["trailing_by_truck"]] * 3, ignore_index=True)}
    assert "6 trucks of the same size would have 1,667." in words_of(section("concentration", month(pack=six)))


def test_pack_tells_twelve_months():
    day = month()
    assert "November 2026 (1 truck) £1,000.00 £900.00 +11%" in words_of(section("like_for_like", day))
    assert "Burrito Madness £12,000.00 77.4% +20%" in words_of(section("trailing", day))
    assert "Eels (7) £3,500.00 22.6% new" in words_of(section("trailing", day))
    assert "2 trucks of the same size would have 5,000." in words_of(section("concentration", day))
    assert "January 30 £33.33 100" in words_of(section("seasonality", day))
    assert "Monday 52 £38.46 100" in words_of(section("weekdays", day))
    assert "Eels since 1 Jun 2026 40% 80% 120%" in words_of(section("ramp", day))
    assert "Twelve months 2,000 150 92.5%" in words_of(section("clean_rate", day))
    assert "£1,500.00 in November 2026" in section("months", day).alt


def test_pack_says_what_it_cannot_tell():
    empty = {name: one.head(0) for name, one in pack().items() if isinstance(one, pd.DataFrame)}
    bare = month(pack=pack(**empty, concentration=None, **{"like_for_like 0": None, "like_for_like 12": None}))
    assert "Needs a year of data before it" in section("like_for_like", bare).text
    assert "No truck made its first sale in these twelve months" in section("ramp", bare).text
    assert "No sales in these twelve months." in section("concentration", bare).text
    assert section("months", bare) is None
    young = month(pack=pack(**{"seasonality month": pack()["seasonality month"].head(2)}))
    assert "Only 2 months have sales: no full year yet." in words_of(section("seasonality", young))


def test_months_that_are_not_whole_are_marked_wherever_they_stand():
    july = pd.DataFrame([[date(2025, 7, 1), date(2025, 7, 9), date(2025, 7, 31)],
                         [date(2026, 11, 1), date(2026, 11, 1), date(2026, 11, 28)]],
                        columns=["period_first", "first_day", "last_day"])  # fmt: skip
    day = month(pack=pack(partial_months=july))
    bars = section("months", day)
    assert [tick.label for tick in bars.ticks][7::4] == ["Jul*", "Nov*"]
    assert bars.names[1] == "the year before (* from 9 Jul 2025, to 28 Nov 2026)"
    assert bars.alt.endswith("Not a whole month: July 2025 (from 9 Jul), November 2026 (to 28 Nov).")
    assert "Jul* £1,500.00 before £1,000.00" in words_of(bars)
    assert "July from 9 Jul 30" in words_of(section("seasonality", day))
    assert "November 2026 to 28 Nov 1,000" in words_of(section("clean_rate", day))
    assert "Not a whole month: July 2025" in words_of(section("trailing", day))


def test_proof_of_cash_adds_up_to_the_sales_and_names_what_does_not():
    proof = [["card", "settled", 90_000, 3], ["card", "short", 10_000, 1], ["card", "over", 700, 1],
             ["cash", "on_its_way", 50_000, 2]]  # fmt: skip
    proof = pd.DataFrame(proof, columns=["tender", "state", "pence", "items"])
    text = words_of(section("proof_of_cash", month(pack=pack(proof_of_cash=proof))))
    assert "Reached the bank £900.00 £0.00 £900.00 On its way £0.00 £500.00 £500.00 Short £100.00" in text
    assert "Sales £1,000.00 £500.00 £1,500.00" in text
    assert text.endswith("£7.00 without sales came on top.")
    later = words_of(section("proof_of_cash", month(pack=pack(proof_of_cash=proof.head(1)))))
    assert "£600.00 of sales were loaded after the last matching." in later
    none = section("proof_of_cash", month(pack=pack(proof_of_cash=proof.head(0))))
    assert "No file of a card provider and no bank statement is loaded." in words_of(none)


def test_statement_adds_up_or_says_that_it_does_not():
    text = " ".join(section("reconciliation", month()).text.split())
    assert "Unexplained 0 £0.00" in text
    assert "Ledger and sales agree to the row and the penny: 40 files loaded, 1 not" in text
    wrong = month(
        pack=pack(reconciliation=Reconciliation(40, 0, 150, 142, 8, 114_000, 2, 2_000, 139, 111_300, 1, 0, 0, 7))
    )
    text = words_of(section("reconciliation", wrong))
    assert "Unexplained 1 £7.00" in text
    assert "Ledger and sales do NOT agree" in text


@pytest.mark.slow  # it sets PDFs
def test_month_pack_is_a_mail_and_a_pdf_with_the_same_figures(tmp_path):
    message = build(executed(month(), tmp_path))
    assert breaches(message) == []
    text, reader = pdf_text(message)
    plain = " ".join(message.get_body(("plain",)).get_content().split())
    html = message.get_body(("html",)).get_content()
    for figure in ("£1,500.00 taken, 50% above November 2025.", "£12,000.00", "6,502", "92.5%"):
        assert figure in plain
        assert figure in html
        assert figure in text
    assert reader.metadata.title == "T3 Month pack, Nov 2026: £1,500.00, 50% above Nov 2025"
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]  # tagged: screen readers find their way
    assert 2 <= len(reader.pages) <= 4
    names = [part.get_filename() for part in message.iter_attachments()]
    assert names == ["t3-2026-11-30-cfo_month.csv", "t3-2026-11-30-cfo_month.pdf"]


def test_daily_mail_has_no_pdf_unless_its_edition_says_so(tmp_path):
    assert len(list(build(executed(figures(*SALES), tmp_path)).iter_attachments())) == 1


@pytest.mark.slow  # it sets PDFs
@pytest.mark.parametrize(
    "name", ['#panic("x")', "*bold* _it_ `raw` $x$ @ref <label> // no", '= Title\n#image("/x")', "\\u{0} \\"]
)
def test_names_in_a_pdf_are_set_and_never_read(tmp_path, name):
    trailing = pack()["trailing_by_truck"].assign(truck=[name, "Eels"])
    text, _ = pdf_text(build(executed(month(pack=pack(trailing_by_truck=trailing)), tmp_path)))
    assert "".join(name.split()) in "".join(text.split())


@pytest.mark.slow  # it sets PDFs
def test_outputs_of_analysts_are_in_the_pdf_too(tmp_path):
    from nbformat.v4 import new_output

    frame = pd.DataFrame({"eels": [42]})
    output = new_output("display_data", data={"text/html": frame.to_html(), "text/plain": str(frame)})
    assert "42" in pdf_text(build(executed(month(), tmp_path, output)))[0]
