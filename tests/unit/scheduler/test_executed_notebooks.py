"""Executed notebooks as HTML: what a notebook showed, without anything that could run or fetch."""

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from scheduler.web.executed_notebooks import clean, render
from tests.support.pages import HOSTILE


@pytest.mark.parametrize(
    ("html", "kept"),
    [("<b>1 &lt; 2</b><script>alert(1)</script><style>b{}</style>", "<b>1 &lt; 2</b>"),
     ('<p onclick="a()" style="x" class="c" id="i">p</p>', '<p class="c">p</p>'),
     ('<img src="data:image/png;base64,AA" alt="a" onerror="x">', '<img src="data:image/png;base64,AA" alt="a">'),
     ('<img src="https://evil.example/x.png"><img src=" data:text/html,x"><img src="/x.png">', "<img><img><img>"),
     ("<iframe src=x>i</iframe><form action=/x><input></form><svg onload=x></svg><base href=//x><link rel=x>", "i"),
     ("<table><tbody><tr><td colspan=2>2</td></tr></tbody></table><!-- <script> -->",
      '<table><tbody><tr><td colspan="2">2</td></tr></tbody></table>')],
)  # fmt: skip
def test_only_known_tags_and_attributes_stay(html: str, kept: str) -> None:
    assert clean(html) == kept


@pytest.mark.parametrize("href", ["javascript:alert(1)", "data:text/html,<script>", " JaVaScRiPt:x", "vbscript:x"])
def test_a_link_leads_to_a_page_or_nowhere(href: str) -> None:
    assert "href" not in clean(f'<a href="{href}">a</a>')
    assert 'href="https://x.example/"' in clean('<a href="https://x.example/">a</a>')


def test_hostile_outputs_of_every_kind_come_out_as_text() -> None:
    outputs = [new_output("display_data", {kind: HOSTILE}) for kind in ("text/html", "text/plain", "text/markdown")]
    outputs += [new_output("stream", text=HOSTILE), new_output("error", ename=HOSTILE, evalue="", traceback=[HOSTILE])]
    shown = render(new_notebook(cells=[new_markdown_cell(HOSTILE), new_code_cell(HOSTILE, outputs=outputs)]))
    found = BeautifulSoup(shown, "html.parser")
    assert found.select("script, img[src], [onerror], style") == []
    assert "document.title" in found.get_text()
