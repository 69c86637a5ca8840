"""Who gets a page, who does not, and what one cannot do with a page that one has got."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
import uuid
from datetime import date

import pytest
import sqlalchemy as sa
import websocket

from scheduler.web import processes
from scheduler.web.auth.access import Rules
from t3lib import warehouse
from t3lib.dashboard.operations import Operations
from t3lib.dashboard.operations.choices import parse
from t3lib.problems import ServiceError
from t3lib.settings import SettingsError, settings
from tests.integration.web.conftest import PROXY, TOKEN, TOKENS
from tests.support.visitor import Visitor, channel, given, kernel_of, message, states

pytestmark = pytest.mark.slow  # it starts servers


def asked(url: str, data: dict[str, str] | None = None, /, **headers: str) -> tuple[int, str, str]:
    """(status, text, cookie) of one request; redirections are followed."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    body = urllib.parse.urlencode(data).encode() if data else None
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, names), timeout=60) as answer:
            return answer.status, answer.read().decode(), answer.headers.get("Set-Cookie", "")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers.get("Set-Cookie", "")


def signed_in(url: str, typed: str, query: str = "") -> tuple[int, str]:
    """(status, address) after a person typed a token into the form."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    form = browser.open(f"{url}login", timeout=30).read().decode()
    given = {"password": typed, "_xsrf": re.search(r'name="_xsrf" value="([^"]+)"', form)[1]}
    try:
        with browser.open(f"{url}login{query}", urllib.parse.urlencode(given).encode(), timeout=60) as answer:
            return answer.status, answer.url
    except urllib.error.HTTPError as error:
        return error.code, error.url


def test_a_token_is_required_and_cannot_be_bypassed(served, tmp_path):
    page = served(TOKENS)
    status, text, _ = asked(page.url)
    assert (status, "Sign in" in text, "t3-page" in text) == (200, True, False)
    assert "Sign in" in asked(f"{page.url}?token={urllib.parse.quote(TOKEN)}")[1], "an address is no safe place"
    assert asked(f"{page.url}login", {"password": TOKEN})[0] == 403, "a form of another site"
    assert signed_in(page.url, "wrong") == (401, page.url + "login")
    assert signed_in(page.url, TOKEN) == (200, page.url)
    assert signed_in(page.url, TOKEN, "?next=https://evil.example/") == (200, page.url)
    program = Visitor(page.url, Authorization=f"token {TOKEN}")
    status, text, _ = program.ask()
    assert (status, "t3-page" in text, TOKEN in text) == (200, True, False)
    kernel = kernel_of(text)
    for path in (f"api/kernels/{kernel}", f"api/kernels/{kernel}/channels"):
        assert asked(page.url + path)[0] == 403
    assert "Sign in" in asked(f"{page.url}voila/tree/")[1] or asked(f"{page.url}voila/tree/")[0] in (403, 404)
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        channel(page.url, kernel)
    _no_code_runs(program, kernel, tmp_path / "owned")
    assert page.answer() == 200


def _no_code_runs(visitor: Visitor, kernel: str, file) -> None:
    """A visitor's own channel takes widget messages and nothing that executes."""
    socket = visitor.channel(kernel)
    code = f"open({str(file)!r}, 'w').close()"
    for kind in ("execute_request", "complete_request", "inspect_request"):
        socket.send(message(kind, code=code, silent=False, cursor_pos=0, user_expressions={"x": code}))
    socket.send(message("kernel_info_request"))
    kinds = set()
    while "kernel_info_reply" not in kinds:
        kinds.add(json.loads(socket.recv())["header"]["msg_type"])
    socket.close()
    assert not kinds & {"execute_reply", "execute_input", "complete_reply", "inspect_reply"}
    assert not file.exists()


HOSTILE = "<img src=x onerror=owned>"
ATTACKS = (
    {"value": HOSTILE}, {"value": 10**12}, {"value": None}, {"value": ["__import__('os')"]}, {"index": 9_999},
    {"options": [HOSTILE]}, {"children": ["IPY_MODEL_none"]}, {"layout": "IPY_MODEL_none"}, {"_dom_classes": [HOSTILE]},
    {"_model_module": "os", "_model_name": "system"}, {"option": {"renderer": HOSTILE}}, {"value": "9" * 100_000},
)  # fmt: skip


def test_widget_messages_are_checked_in_the_kernel_and_reach_no_other_visitor(served):
    page = served()
    with warehouse.connect(page.database) as db:
        db.execute(sa.text("INSERT INTO core.truck (truck_id, name) VALUES (1, 'Burrito Madness')"))
        db.execute(sa.text("INSERT INTO mart.sales_hourly VALUES (1, current_date - 3, 13, 0, 'card', 2, 1234)"))
        db.execute(sa.text("UPDATE mart.watermark SET version = 1, loaded_at = now(), last_sale_at = now()"))
    socket = (visitor := Visitor(page.url)).channel(visitor.open())
    for comm in states(socket):
        for state in ATTACKS:
            _widget(socket, comm, method="update", state=state, buffer_paths=[])
        _widget(socket, comm, method="custom", content={"event": "click", "dataIndex": 10**9})
        _widget(socket, comm, method=HOSTILE)
    for target, name in (("jupyter.widget", "os.system"), (HOSTILE, ""), ("jupyter.widget.version", "")):
        data = {"state": {"_model_module": name, "_model_name": name, "_view_module": name}, "buffer_paths": []}
        opening = {"comm_id": uuid.uuid4().hex, "target_name": target, "data": data}
        socket.send(message("comm_open", **opening))
    socket.close()

    other = (another := Visitor(page.url)).ask("?range=4weeks")[1]
    assert "£12.34" in other
    assert HOSTILE not in other
    socket = another.channel(kernel_of(other))
    typed = [name for name, one in states(socket).items() if "t3-typed" in one["state"].get("_dom_classes", ())]
    query = urllib.parse.urlencode({"truck": HOSTILE, "menu": HOSTILE, "tab": "money", "from": "9999-99-99"})
    _widget(socket, typed[0], method="update", state={"value": query}, buffer_paths=[])
    shown = ""
    while "Trucks and their share" not in shown:
        shown += str(json.loads(socket.recv())["content"].get("data", ""))
    socket.close()
    assert HOSTILE not in shown


def _widget(socket: websocket.WebSocket, comm: str, **data: object) -> None:
    socket.send(message("comm_msg", comm_id=comm, data=data))


def test_the_proxy_names_operators_and_only_the_proxy(place, monkeypatch):
    given(monkeypatch, **PROXY)
    with processes.page("operations") as page:
        assert [asked(page.url)[0], asked(page.url, X_Forwarded_User="miranda")[0]] == [403, 403]
        status, text, _ = asked(page.url, X_Forwarded_User="miranda", X_Forwarded_Groups="staff")
        assert (status, "You may not see this page" in text) == (403, True)
        operator = {"X_Forwarded_User": "olga", "X_Forwarded_Groups": "staff, t3-operators"}
        status, text, _ = asked(page.url, **operator)
        assert (status, "Operations" in text) == (200, True)
        assert asked(f"{page.url}runs/none", **operator)[0] == 404
        assert asked(f"{page.url}runs/none")[0] == 403
        with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
            channel(page.url, kernel_of(text), header=["X-Forwarded-User: miranda"])


def test_headers_are_believed_of_trusted_addresses_only():
    rules = Rules(user_header="X-User", groups_header="X-Groups", group="ops", proxies=("10.0.0.1",))
    headers = {"X-User": "olga", "X-Groups": "ops"}
    assert rules.user_of(headers, "10.0.0.1") == "olga"
    assert rules.user_of(headers, "10.0.0.2") is None
    assert rules.user_of(headers | {"X-Groups": "opsy"}, "10.0.0.1") is None


def test_a_page_for_this_machine_answers_to_no_other_name(served):
    page = served()
    port = urllib.parse.urlsplit(page.url).port
    assert asked(page.url, Host=f"evil.example:{port}")[0] == 403
    assert asked(page.url, Host=f"localhost:{port}")[0] == 200
    html = asked(page.url)[1]
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        channel(page.url, kernel_of(html), origin="https://evil.example")
    for path in ("api/contents", "api/kernels", "voila/render/6_operations.ipynb", "notebooks/5_dashboard.ipynb",
                 "voila/files/README.md", "static/..%2f..%2fREADME.md"):  # fmt: skip
        assert asked(page.url + path)[0] in (403, 404, 405), path


def test_an_open_page_does_not_listen_to_the_network(monkeypatch, place):
    given(monkeypatch, T3_PAGES_HOST="0.0.0.0")
    with pytest.raises(ServiceError, match="set T3_DASHBOARD_TOKEN"), processes.page("dashboard"):
        pass
    given(monkeypatch, T3_OPERATIONS_TOKEN="short")
    with pytest.raises(SettingsError, match=r"T3_OPERATIONS_TOKEN.*at least 16"):
        settings()


def test_who_signed_in_at_the_proxy_asks_under_that_name(place, monkeypatch):
    given(monkeypatch, **PROXY, HTTP_X_FORWARDED_USER="olga")
    page = Operations(parse("do=backfill"))
    page.refresh()
    typed = {"by": "Ann", "why": "A test", "first": date(2026, 11, 1), "last": date(2026, 11, 2)}
    for name, value in typed.items():
        page.form._inputs[name].value = value
    page.form.review.click()
    page.form.confirm.click()
    with warehouse.connect() as db:
        assert db.scalar(sa.text("SELECT asked_by FROM ops.request")) == "olga"
