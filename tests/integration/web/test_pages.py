"""The pages that people open, served as the commands serve them."""

import gzip
import json
import re
import shutil
import socket
import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlsplit

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from scheduler.web import processes
from t3lib.problems import ServiceError
from t3lib.settings import ROOT

pytestmark = pytest.mark.slow  # it starts servers


def test_the_operations_page_answers_and_ends_with_its_block(place):
    with processes.page("operations") as page:
        answers_and_shows_no_executed_notebook(page)
    assert not page.server.alive


def answers_and_shows_no_executed_notebook(page: processes.Page) -> None:
    assert page.answer() == 200
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{page.url}runs/none", timeout=30)  # executed notebooks are for operators


def test_static_files_are_sent_compressed_and_cached(served):
    page = served()
    for path in ("voila/templates/t3/static/t3.css", "voila/static/voila.js"):
        asked = urllib.request.Request(page.url + path, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(asked, timeout=30) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            content, etag = gzip.decompress(answer.read()), answer.headers["Etag"]
        with urllib.request.urlopen(page.url + path, timeout=30) as answer:
            assert answer.read() == content
        asked.add_header("If-None-Match", etag)
        with pytest.raises(urllib.error.HTTPError, match="304"):
            urllib.request.urlopen(asked, timeout=30)
    outside = page.url + "voila/static/..%2f..%2f..%2fvoila.json"
    asked = urllib.request.Request(outside, headers={"Accept-Encoding": "gzip"})
    with pytest.raises(urllib.error.HTTPError, match=r"40[34]"):
        urllib.request.urlopen(asked, timeout=30)


def test_a_returning_visitor_requests_no_script_again(served):
    page = served()
    html = urllib.request.urlopen(page.url, timeout=60).read().decode()
    (script,) = re.findall(r'<script async src="/(voila/static/[0-9a-f]{32}/voila\.js)">', html)
    styles = re.findall(r'(?:href|src)="/(voila/templates/t3/static/t3\.\w+\?v=[0-9a-f]+)"', html)
    assert len(styles) == 2
    for path in (script, *styles):
        asked = urllib.request.Request(page.url + path, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(asked, timeout=30) as answer:
            assert "immutable" in answer.headers["Cache-Control"], path
    with pytest.raises(urllib.error.HTTPError, match=r"40[34]"):
        urllib.request.urlopen(f"{page.url}voila/static/{'0' * 32}/voila.js", timeout=30)


def test_a_port_taken_while_the_server_started_is_avoided(place, monkeypatch):
    find = processes.free_port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = iter([taken.getsockname()[1]])
        monkeypatch.setattr(processes, "free_port", lambda *wanted: next(found, None) or find(*wanted))
        with processes.lab() as lab:
            assert urlsplit(lab.url).port != taken.getsockname()[1]
            assert lab.answer() == 200


def test_jupyterlab_offers_the_kernel_of_t3_to_those_with_the_token(lab):
    root, token = lab.url.split("/lab")[0], parse_qs(urlsplit(lab.url).query)["token"][0]
    with urllib.request.urlopen(f"{root}/api/kernelspecs?token={token}", timeout=30) as answer:
        found = json.load(answer)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{root}/api/kernelspecs", timeout=30)
    assert (found["default"], "t3" in found["kernelspecs"]) == ("t3", True)


def test_a_notebook_saved_in_jupyterlab_holds_no_outputs(lab):
    """Saved over HTTP as the page does it, in a folder that the page made and the test removes."""
    path = ROOT / "notebooks" / "saved_by_a_test" / "sums.ipynb"
    cell = new_code_cell("1 + 1", outputs=[new_output("stream", text="2")], execution_count=1)
    notebook = {"type": "notebook", "format": "json", "content": new_notebook(cells=[cell])}
    root, token = lab.url.split("/lab")[0], parse_qs(urlsplit(lab.url).query)["token"][0]
    try:
        for made, model in ((path.parent, {"type": "directory"}), (path, notebook)):
            url = f"{root}/api/contents/{made.relative_to(ROOT)}?token={token}"
            asked = urllib.request.Request(url, json.dumps(model).encode(), method="PUT")
            urllib.request.urlopen(asked, timeout=30).close()
        (saved,) = nbformat.read(path, 4).cells
    finally:
        shutil.rmtree(path.parent, ignore_errors=True)
    assert (saved.source, saved.outputs, saved.execution_count) == ("1 + 1", [], None)


def test_a_page_that_cannot_start_says_so_at_once(place, monkeypatch):
    monkeypatch.setattr(processes.voila_server, "command", lambda *page: ["/bin/sh", "-c", "echo no luck; exit 3"])
    with pytest.raises(ServiceError, match="no luck"), processes.page("dashboard"):
        pass


def test_the_dashboard_leaves_a_port_to_the_program_that_took_it_first_and_ends_with_its_block(place, monkeypatch):
    usual = processes.voila_server.command

    def overtaken(port, *rest):
        """Between the look for a free port and the start, somebody else listens there, once."""
        if not taken:
            other = socket.create_server(("127.0.0.1", port))
            taken.append(other)
        return usual(port, *rest)

    taken: list[socket.socket] = []
    monkeypatch.setattr(processes.voila_server, "command", overtaken)
    with processes.page("dashboard") as page:
        answers_and_shows_no_executed_notebook(page)
        assert urlsplit(page.url).port != taken[0].getsockname()[1]
    assert not page.server.alive
    taken[0].close()


def test_jupyterlab_shows_executed_copies_to_those_with_the_token_only(lab):
    root, token = lab.url.split("/lab")[0], parse_qs(urlsplit(lab.url).query)["token"][0]
    with urllib.request.urlopen(f"{root}/t3/executed?notebook=first_look&token={token}", timeout=30) as answer:
        assert "was not run here yet" in answer.read().decode()
        assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    with urllib.request.urlopen(f"{root}/t3/executed?notebook=first_look", timeout=30) as answer:
        assert urlsplit(answer.url).path == "/login"
    for wrong in ("../runs/x", "*", "first_look.ipynb"):
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(f"{root}/t3/executed?notebook={wrong}&token={token}", timeout=30)
