"""The made mail: its parts, its rules, and what the notebook cannot smuggle in."""

import base64
import copy
import tempfile
from email import message_from_bytes
from email.policy import SMTP, default
from functools import cache
from html.parser import HTMLParser

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from t3lib.report.output.delivery import browser_copy
from t3lib.report.output.exporter import ReportError
from t3lib.report.output.message import build
from t3lib.report.output.message_rules import breaches
from tests.support.reporting import executed, figures, rows, totals, typical

SALES = (totals(112_000, 140), totals(100_000, 125), typical(100_000, 125))
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@cache  # most tests look at the same report
def cells():
    with tempfile.TemporaryDirectory() as folder:
        return nbformat.read(executed(figures(*SALES), folder), 4).cells


def executed_sales(folder, *more):
    """An executed notebook of these sales, with more outputs."""
    made = copy.deepcopy(cells())
    made[-1:-1] = [new_code_cell("more", outputs=[output]) for output in more]
    path = folder / "4_report.ipynb"
    nbformat.write(new_notebook(cells=made), path)
    return path


@pytest.fixture
def message(tmp_path):
    return read_back(build(executed_sales(tmp_path)))


def read_back(message):
    """The message as another program reads it."""
    return message_from_bytes(message.as_bytes(policy=SMTP), policy=default)


def html(message):
    return message.get_body(("html",)).get_content()


def shown(text):
    """The text of some HTML as a reader sees it, without styles."""
    parts = []

    class Reader(HTMLParser):
        style = False

        def handle_starttag(self, tag, attrs):
            self.style = tag in ("style", "title")

        def handle_endtag(self, tag):
            self.style = False

        def handle_data(self, data):
            parts.append("" if self.style else data)

    Reader().feed(text)
    return " ".join(" ".join(parts).split())


def test_parts_are_nested_as_mail_clients_expect(message):
    assert message.get_content_type() == "multipart/mixed"
    body, table = message.iter_parts()
    assert (body.get_content_type(), table.get_content_type()) == ("multipart/alternative", "text/csv")
    plain, related = body.iter_parts()
    assert (plain.get_content_type(), related.get_content_type()) == ("text/plain", "multipart/related")
    assert [part.get_content_type() for part in related.iter_parts()] == ["text/html", "image/png", "image/png"]


def test_headers_say_what_it_is(message):
    assert message["Subject"] == "T3 Morning figures, Fri 20 Nov 2026: £1,120.00, 12% above usual"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] == "<mailto:operations@t3.example?subject=unsubscribe>"
    assert message["X-T3-Gross-Sales-Pence"] == "112000"


def test_every_rule_holds(message):
    assert breaches(message) == []


def test_headline_is_the_same_in_html_text_and_csv(message):
    plain = message.get_body(("plain",)).get_content()
    table = next(message.iter_attachments()).get_content()
    assert "£1,120.00 taken, 12% above a usual Friday." in shown(html(message))
    assert "£1,120.00 taken, 12% above a usual Friday." in plain
    assert "All trucks,140,125,125,1120.00" in table


def test_mail_reads_without_style_blocks_and_without_pictures(message):
    bare = html(message).partition("</head>")[2]
    assert "font-size:25px" in bare.replace(" ", "")  # the style is on the headline itself
    assert 'alt="Sales by hour: most from 1–2pm with £1,120.00' in bare
    assert bare.count("display:none") + bare.count("display: none") == 2  # first words, and the picture for dark


def test_mail_of_many_trucks_stays_small(tmp_path):
    names = (f"Truck {n} with a rather long name & more" for n in range(500))
    trucks = rows("truck_id", *((n, name, 1, 7, 1, 7, 1, 7) for n, name in enumerate(names)), label="truck")
    made = build(executed(figures(*SALES, trucks=trucks), tmp_path))
    assert len(made.get_body(("html",)).get_payload()) < 40_000
    assert next(made.iter_attachments()).get_content().count("\n") == 502


def test_correction_says_so(tmp_path):
    assert build(executed_sales(tmp_path), revision=2)["Subject"].endswith("usual (corrected)")


def test_last_expressions_and_pictures_of_analysts_are_shown(tmp_path):
    frame = new_output(
        "execute_result", data={"text/html": "<table class='dataframe'><tr><td>42 eels</td></tr></table>"}
    )
    picture = new_output("display_data", data={"image/png": base64.b64encode(PNG).decode(), "text/plain": "<Figure>"})
    made = read_back(build(executed_sales(tmp_path, frame, picture)))
    assert "42 eels" in shown(html(made))
    assert 'src="cid:picture-' in html(made)
    assert breaches(made) == []


def test_no_output_vanishes_for_its_kind(tmp_path):
    drawing = new_output("display_data", data={"image/svg+xml": "<svg></svg>", "text/plain": "a drawing of eels"})
    note = new_output("display_data", data={"text/markdown": "**bold** eels", "text/plain": "<Markdown>"})
    made = html(read_back(build(executed_sales(tmp_path, drawing, note))))
    assert "a drawing of eels" in made
    assert "bold</strong> eels" in made


def test_printed_lines_and_workings_stay_in_the_notebook(tmp_path):
    made = build(executed_sales(tmp_path, new_output("stream", name="stdout", text="debug 12345")))
    assert "debug 12345" not in html(made)
    assert "report.envelope" not in html(made)


def test_failed_notebook_makes_no_mail(tmp_path):
    error = new_output("error", ename="KeyError", evalue="x", traceback=[])
    with pytest.raises(ReportError, match="KeyError"):
        build(executed_sales(tmp_path, error))


@pytest.mark.parametrize(
    "markup",
    [
        "<script>1</script>",
        "<img src='https://tracker.example/1.png' alt='1' width='1'>",
        "<img src='data:image/png;base64,AAAA' alt='1' width='1'>",
        "<img src='cid:nowhere' alt='1' width='1'>",
        "<p onclick='go()'>x</p>",
        "<p style='background:url(https://tracker.example)'>x</p>",
        "<a href='javascript:go()'>x</a>",
        "<style>@import 'https://tracker.example';</style>",
    ],
)
def test_what_a_mail_must_not_have_stops_it(tmp_path, markup):
    with pytest.raises(ReportError, match="must not be sent"):
        build(executed_sales(tmp_path, new_output("display_data", data={"text/html": markup})))


def test_hostile_truck_names_reach_no_header_and_no_markup(tmp_path):
    name = "<img src=x onerror=alert(1)>\r\nBcc: everyone@example.com"
    trucks = rows("truck_id", (1, name, 140, 112_000, 1, 100, 1, 100), (2, "Eels", 0, 0, 0, 0, 0, 0), label="truck")
    made = read_back(build(executed(figures(*SALES, trucks=trucks), tmp_path)))
    assert made["Bcc"] is None
    assert "&lt;img src=x" in html(made)
    assert "<img src=x" not in html(made)


def test_browser_copy_carries_its_pictures(tmp_path):
    copy = browser_copy(build(executed_sales(tmp_path)))
    assert copy.count('src="data:image/png;base64,') == 2
    assert "cid:" not in copy
