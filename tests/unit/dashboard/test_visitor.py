"""The name that a visitor's kernel gets of its visitor."""

from jupyter_server.auth.identity import User
from tornado.httputil import HTTPHeaders

from scheduler.web.auth.access import Rules
from t3lib.dashboard import visitor
from t3lib.dashboard.visitor import HEADER
from t3lib.operator_requests import signature

KEY = bytes(32)


def test_what_a_browser_says_of_its_visitor_is_replaced():
    headers = HTTPHeaders({HEADER: signature.statement(b"forged", "Ann")})
    Rules(user_header="X-Forwarded-User", key=KEY).sign(headers, User("olga"))
    assert signature.name_in(headers[HEADER]) == "olga"
    assert headers[HEADER].rpartition("|")[2] != signature.statement(b"forged", "olga").rpartition("|")[2]


def test_nobody_is_named_where_nobody_signs_in():
    headers = HTTPHeaders()
    Rules(token="a token that all type", key=KEY).sign(headers, User("anonymous"))
    assert signature.name_in(headers[HEADER]) == ""


def test_a_page_without_the_key_signs_for_nobody():
    headers = HTTPHeaders({HEADER: "anything"})
    Rules(user_header="X-Forwarded-User").sign(headers, User("olga"))
    assert HEADER not in headers


def test_a_kernel_knows_its_visitor_by_what_the_server_signed(monkeypatch):
    assert visitor.name() == ""
    monkeypatch.setenv("HTTP_X_T3_VISITOR", signature.statement(KEY, "  Olga   Özil "))
    assert visitor.name() == "Olga Özil"
