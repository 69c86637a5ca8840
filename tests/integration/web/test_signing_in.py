"""Wrong tokens, sessions and their cookies, and signing out, over real connections."""

import asyncio
import time
from urllib.parse import quote

import pytest

from scheduler.embedded.processes import free_port
from scheduler.web import processes
from scheduler.web.auth import attempts, sessions
from scheduler.web.auth.attempts import Attempts, TooManyError
from tests.integration.web.conftest import SHORTER_WAITS, TOKEN, TOKENS, WRONG_TOKEN_SECONDS
from tests.support.visitor import Visitor, ends, given, patched

pytestmark = pytest.mark.slow  # it starts servers


@pytest.fixture
def place(place, monkeypatch):
    given(monkeypatch, T3_DASHBOARD_TOKEN=TOKEN)


def test_an_address_with_many_wrong_tokens_is_locked_out_and_nobody_else(served):
    page = served(TOKENS)
    staff = Visitor(page.url)
    assert staff.sign_in(TOKEN, X_Forwarded_For="10.0.0.9") == 200
    thief, begun = Visitor(page.url, X_Forwarded_For="10.0.0.9"), time.monotonic()
    assert [thief.sign_in(f"guess {n}") for n in range(attempts.WRONG_AT_MOST)] == [401] * attempts.WRONG_AT_MOST
    assert time.monotonic() - begun > attempts.WRONG_AT_MOST * WRONG_TOKEN_SECONDS
    assert attempts.DELAY_SECONDS >= 1, "as shipped"
    assert thief.sign_in(TOKEN) == 429, "the right one must not be found out either"
    status, text, headers = thief.ask(Authorization=f"token {TOKEN}")
    assert (status, "Try again in" in text, 0 < int(headers["Retry-After"]) <= 60) == (429, True, True)
    assert Visitor(page.url, X_Forwarded_For="10.0.0.8").sign_in(TOKEN) == 200
    assert staff.ask("mails", X_Forwarded_For="10.0.0.9")[0] == 200, "who is signed in stays so"
    assert Visitor(page.url, X_Forwarded_For="6.6.6.6, 10.0.0.9").sign_in(TOKEN) == 429, "only the proxy's own entry"


def test_tokens_tried_by_header_count_too(served):
    page = served(TOKENS)
    for n in range(attempts.WRONG_AT_MOST):
        assert Visitor(page.url, Authorization=f"token guess {n}", X_Forwarded_For="10.0.3.1").ask()[0] == 401
    assert Visitor(page.url, X_Forwarded_For="10.0.3.1").sign_in(TOKEN) == 429


def test_where_no_proxy_is_trusted_no_header_moves_the_lock_to_another_address_or_makes_https(place, monkeypatch):
    given(monkeypatch, T3_TRUSTED_PROXIES="10.0.0.1")
    patched(monkeypatch, SHORTER_WAITS)
    with processes.page("dashboard") as page:
        sends_cookies(page.url, X_Forwarded_Proto="https", secure=False)
        for n in range(attempts.WRONG_AT_MOST):
            assert Visitor(page.url, X_Forwarded_For=f"10.0.1.{n}").sign_in(f"guess {n}") == 401
        assert Visitor(page.url, X_Forwarded_For="10.0.2.1").sign_in(TOKEN) == 429


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_many_addresses_slow_everybody_and_shut_nobody_out(monkeypatch):
    monkeypatch.setattr(attempts, "DELAY_SECONDS", 0.01)
    monkeypatch.setattr(attempts, "BUSY_DELAY_SECONDS", 0.2)
    clock = Clock()

    async def attack() -> tuple[float, float, int]:
        tries = Attempts(clock)
        await tries.check("10.9.9.9", True)  # staff, yesterday
        for n in range(attempts.BUSY_PER_MINUTE):
            await tries.check(f"10.1.0.{n}", False)
        flood = [asyncio.ensure_future(tries.check(f"10.2.{n // 250}.{n % 250}", False)) for n in range(500)]
        await asyncio.sleep(0)
        begun = time.monotonic()
        assert await tries.check("10.9.9.9", True)
        known = time.monotonic() - begun
        refused = sum(isinstance(one, TooManyError) for one in await asyncio.gather(*flood, return_exceptions=True))
        begun = time.monotonic()
        assert await tries.check("10.9.9.8", True), "a new address gets in as well"
        fresh = time.monotonic() - begun
        clock.now += 61
        assert not tries.busy
        return known, fresh, refused

    known, fresh, refused = asyncio.run(attack())
    assert known < 0.1 < fresh
    assert refused == 500 - attempts.WAITING_AT_MOST


def test_locks_grow_end_and_take_bounded_memory(monkeypatch):
    monkeypatch.setattr(attempts, "DELAY_SECONDS", 0.0)
    monkeypatch.setattr(attempts, "BUSY_DELAY_SECONDS", 0.0)
    clock = Clock()

    async def lock(tries: Attempts) -> int:
        for _ in range(attempts.WRONG_AT_MOST):
            await tries.check("10.0.0.1", False)
        with pytest.raises(TooManyError) as refused:
            await tries.check("10.0.0.1", True)
        return refused.value.seconds

    async def attack() -> list[int]:
        tries, seconds = Attempts(clock), []
        for _ in range(6):
            seconds.append(await lock(tries))
            clock.now += seconds[-1] + 1
        for n in range(attempts.ADDRESSES_AT_MOST + 1000):
            await tries.check(f"10.{n // 65536}.{n // 256 % 256}.{n % 256}", False)
        assert len(tries._histories) <= attempts.ADDRESSES_AT_MOST
        return seconds

    assert asyncio.run(attack()) == [60, 120, 240, 480, 900, 900]


def sends_cookies(url: str, secure: bool, **headers: str) -> None:
    """The cookies of the form and of the session are for https only, or not."""
    form = Visitor(url, **headers).ask("login")[2].get_all("Set-Cookie")
    session = Visitor(url, Authorization=f"token {TOKEN}", **headers).ask("mails")[2].get_all("Set-Cookie")
    assert len(form) == len(session) == 1
    assert ["Secure" in cookie for cookie in (*form, *session)] == [secure, secure]
    assert all("SameSite=Lax" in cookie for cookie in (*form, *session))
    assert "HttpOnly" in session[0]


def test_cookies_are_secure_where_the_trusted_proxy_uses_https(served):
    sends_cookies(served(TOKENS).url, X_Forwarded_Proto="https", secure=True)
    sends_cookies(served(TOKENS).url, secure=False)


def test_cookies_go_by_https_only_where_the_setting_says_so(place, monkeypatch):
    given(monkeypatch, T3_SECURE_COOKIES="1")
    with processes.page("dashboard") as page:
        sends_cookies(page.url, secure=True)


def test_who_signs_out_is_out_everywhere_and_after_a_restart(place):
    port = free_port(None, "dashboard", print)  # a cookie is its port's
    with processes.page("dashboard", port) as page:
        visitor = Visitor(page.url)
        assert visitor.sign_in(TOKEN) == 200
        kernel = visitor.open()
        socket, stolen = visitor.channel(kernel), visitor.cookie
        status, text, _ = visitor.ask()
        form = text.split("t3-sign-out")[1]
        assert visitor.ask("logout")[0] == 200, "an address alone, such as a picture's, signs nobody out"
        assert visitor.ask("mails")[1].count("Reports by mail")
        assert Visitor(page.url, Cookie=stolen).ask("logout", {"_xsrf": "guessed"})[0] == 403
        status, text, _ = visitor.ask("logout", {"_xsrf": form.split('value="')[1].split('"')[0]})
        assert (status, "You are signed out" in text) == (200, True)
        assert "Sign in" in Visitor(page.url, Cookie=stolen).ask("mails")[1]
        assert ends(socket), "what was open has ended"
        again = Visitor(page.url)
        assert again.sign_in(TOKEN) == 200
        kept = again.cookie
    with processes.page("dashboard", port) as page:
        assert "Sign in" in Visitor(page.url, Cookie=stolen).ask("mails")[1]
        assert "Reports by mail" in Visitor(page.url, Cookie=kept).ask("mails")[1], "a restart signs nobody else out"


def test_a_session_ends_after_its_hours(place, monkeypatch):
    given(monkeypatch, T3_SESSION_HOURS=str(10 / 3600))
    patched(monkeypatch, "from jupyter_server.base import websocket; websocket.WS_PING_INTERVAL = 500")
    with processes.page("dashboard") as page:
        visitor, begun = Visitor(page.url), time.monotonic()
        assert visitor.sign_in(TOKEN) == 200
        cookie, socket = visitor.cookie, visitor.channel(visitor.open())
        assert "Reports by mail" in Visitor(page.url, Cookie=cookie).ask("mails")[1]
        time.sleep(begun + 11 - time.monotonic())
        assert "Sign in" in Visitor(page.url, Cookie=cookie).ask("mails")[1]
        assert ends(socket), "an open page ends too"


def test_the_key_of_cookies_takes_time_and_the_salt_of_this_home(tmp_path):
    begun = time.process_time()
    one = sessions.cookie_key(TOKEN, "5_dashboard", tmp_path / "one")
    assert time.process_time() - begun > 0.02
    assert one == sessions.cookie_key(TOKEN, "5_dashboard", tmp_path / "one")
    others = [("another token of some length", "5_dashboard", "one"), (TOKEN, "6_operations", "one"),
              (TOKEN, "5_dashboard", "two")]  # fmt: skip
    assert one not in [sessions.cookie_key(token, page, tmp_path / folder) for token, page, folder in others]
    assert (tmp_path / "one" / "salt").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "after", ["//evil.example", "/\\evil.example", "https:/evil.example", "/%09/evil.example", "\\\\evil.example",
              "javascript:alert(1)", "%0d%0aSet-Cookie:a=b", "/\u2028x", "/" * 5000],
)  # fmt: skip
def test_signing_in_leads_nowhere_else(served, after):
    visitor = Visitor(served(TOKENS).url)
    status, text, _ = visitor.ask(f"login?next={after if '%' in after else quote(after, safe='')}")
    assert status == 200
    assert "evil" not in text
    assert visitor.sign_in(TOKEN, f"?next={after if '%' in after else quote(after, safe='')}") == 200
