"""The kernels of visitors: their places, their owners, what they may use and what of them reaches a browser."""

import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import websocket

from scheduler.web import processes
from t3lib.settings import settings
from tests.integration.web.conftest import PROXY, Site
from tests.support.steps import until
from tests.support.visitor import Visitor, channel, given, kernel_of, message, patched, serves, states

pytestmark = pytest.mark.slow  # it starts servers


@contextmanager
def readable_folder() -> Iterator[Path]:
    """A folder whose notebooks a page's own account may read."""
    with tempfile.TemporaryDirectory(prefix="t3-page-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def test_five_visitors_at_once_to_two_places_get_two(place, monkeypatch):
    given(monkeypatch, T3_VISITORS_AT_MOST="2")
    with processes.page("dashboard") as page, ThreadPoolExecutor(5) as pool:
        found = list(pool.map(lambda n: Visitor(page.url).ask(), range(5)))
    assert sorted(status for status, _, _ in found) == [200, 200, 503, 503, 503]
    refused = [(text, headers) for status, text, headers in found if status == 503]
    for text, headers in refused:
        assert ("many people have this page open" in text, "<script" in text) == (True, False)
        assert headers["Retry-After"] == "5"
    assert started((settings().home / "logs" / "dashboard.log").read_text()) == 2


def test_a_kernel_that_does_not_start_gives_its_place_back(place, monkeypatch):
    given(monkeypatch, T3_VISITORS_AT_MOST="1")
    patched(monkeypatch, """
from scheduler.kernels.provisioner import ForkProvisioner
usual, tries = ForkProvisioner.launch_kernel, []
async def launch(self, *given, **more):
    tries.append(1)
    if len(tries) < 3:
        raise OSError("no kernel this time")
    return await usual(self, *given, **more)
ForkProvisioner.launch_kernel = launch""")  # fmt: skip
    with processes.page("dashboard") as page:
        assert [Visitor(page.url).ask()[0] for _ in range(4)] == [503, 503, 200, 503]


def test_what_nobody_opened_starts_no_kernel(served):
    fetched = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"}
    not_visits = [
        fetched, fetched | {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
        {"Origin": "https://evil.example"}, {"Referer": "https://evil.example/", "Accept": "image/*"},
        {"User_Agent": "Mozilla/5.0", "Accept": "*/*"}, {"Sec_Purpose": "prefetch"},
        {"Sec_Purpose": "prefetch;prerender", "Sec_Fetch_Site": "none", "Sec_Fetch_Mode": "navigate"},
        {"Purpose": "prefetch"},
    ]  # fmt: skip
    visits = [
        {}, {"Sec_Fetch_Site": "none", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"},
        {"Referer": "https://mail.example/", "Accept": "text/html,*/*", "User_Agent": "Mozilla/5.0"},
    ]  # fmt: skip
    page = served()
    before = started(page.log)
    for headers in not_visits:
        status, text, answered = Visitor(page.url, **headers).ask()
        assert (status in (403, 503), "<script" in text) == (True, False), headers
        assert answered["Cache-Control"] == "no-store"
    assert Visitor(page.url).ask(method="HEAD")[:2] == (200, "")
    assert started(page.log) == before
    for headers in visits:
        assert Visitor(page.url, **headers).ask()[0] == 200, headers
    assert started(page.log) == before + len(visits)


def test_a_kernel_is_its_visitors_alone(served):
    page = served()
    owner, other = Visitor(page.url), Visitor(page.url)
    kernel, _ = owner.open(), other.open()
    for stranger in (other, Visitor(page.url)):
        with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
            stranger.channel(kernel)
        assert stranger.ask(f"api/kernels/{kernel}")[0] == 404
        assert stranger.ask(f"api/kernels/{kernel}", method="DELETE")[0] in (403, 405)
        form = {"_xsrf": "ab" * 16}  # and a cookie of the same: whatever guards against other sites is passed
        for path in (f"voila/api/shutdown/{kernel}", f"api/kernels/{kernel}/restart",
                     f"api/kernels/{kernel}/interrupt"):  # fmt: skip
            assert stranger.ask(path, form, Cookie=f"{stranger.cookie}; _xsrf={'ab' * 16}")[0] in (403, 404, 405), path
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        channel(page.url, kernel)
    assert json.loads(owner.ask(f"api/kernels/{kernel}")[1])["id"] == kernel
    owner.channel(kernel).close()
    cookie = f"{owner.cookie}; _xsrf={'ab' * 16}"
    assert owner.ask(f"voila/api/shutdown/{kernel}", {"_xsrf": "ab" * 16}, Cookie=cookie)[0] == 204
    assert owner.ask(f"api/kernels/{kernel}")[0] == 404
    assert owner.ask("api/kernels")[0] == owner.ask("api/kernelspecs")[0] == 404


def test_the_proxys_visitors_are_distinguished_too(served):
    page = served(PROXY)
    olga, miranda = (Visitor(page.url, X_Forwarded_User=name) for name in ("olga", "miranda"))
    kernel = olga.open()
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        miranda.channel(kernel)
    assert [one.ask(f"api/kernels/{kernel}")[0] for one in (olga, miranda)] == [200, 404]
    Visitor(page.url, X_Forwarded_User="olga").channel(kernel).close()


# One notebook for several tests: the address of a page says which of these it runs.
FAULTY = """
import ipywidgets, logging, sys, warnings
SECRET = "hunter2"
def clicked(_):
    raise RuntimeError("database password " + SECRET)
def changed(event):
    print("printed", SECRET, file=sys.stderr); print("said", SECRET)
    warnings.warn("warned " + SECRET); logging.getLogger("own").error("logged " + SECRET)
    raise ValueError("observed " + SECRET)
button, field = ipywidgets.Button(), ipywidgets.Text()
button.on_click(clicked)
field.observe(changed, "value")
ipywidgets.VBox([button, field])
"""


SPOILT_BEFORE_THE_PAGE = """
import sys
print("to the log: hunter2", file=sys.stderr)
raise OSError("hunter2")
"""
GREEDY = """
import ipywidgets, threading, time
held = []
def grow(_):
    for n in range(60):
        held.append(bytearray(b"x") * (8 * 2**20)); time.sleep(0.05)
button = ipywidgets.Button()
button.on_click(lambda _: threading.Thread(target=grow, args=[0]).start())
"""
NAMED = """
import os
display(HTML(f"pid {os.getpid()}"))
"""
HUGE = """
try:
    x = bytearray(2**31)
    display(HTML("had it"))
except MemoryError:
    display(HTML("no memory"))
"""
CASES = {"faulty": FAULTY, "spoilt": SPOILT_BEFORE_THE_PAGE, "greedy": GREEDY, "named": NAMED, "huge": HUGE}
CHOOSING = f"""
import os
from IPython.display import HTML, display
exec({CASES}[os.environ["QUERY_STRING"]])
"""


@pytest.fixture(scope="module")
def cases(start_site) -> Iterator[Site]:
    """A page of 200 MB at most that runs the code that its address names."""
    with readable_folder() as folder, pytest.MonkeyPatch.context() as patch:
        serves(patch, folder, CHOOSING)
        with start_site(T3_VISITOR_BYTES=str(200 * 2**20)) as site:
            yield site


def test_an_error_in_a_kernel_is_shown_in_words_and_logged_in_full(cases):
    visitor = Visitor(cases.url)
    kernel = visitor.open("?faulty")
    assert json.loads(visitor.ask(f"api/kernels/{kernel}")[1])["error"] == ""
    socket = visitor.channel(kernel)
    found = states(socket)
    by_model = {one["model_name"]: comm for comm, one in found.items()}
    send = {by_model["ButtonModel"]: {"method": "custom", "content": {"event": "click"}},
            by_model["TextModel"]: {"method": "update", "state": {"value": "x"}, "buffer_paths": []}}  # fmt: skip
    for comm, data in send.items():
        socket.send(message("comm_msg", comm_id=comm, data=data))
    received = everything(socket)
    for word in ("hunter2", "Traceback", "RuntimeError", str(tempfile.gettempdir()), "site-packages", "ipython-input"):
        assert word not in received, word
    wrong = json.loads(visitor.ask(f"api/kernels/{kernel}")[1])["error"]
    assert wrong.startswith("Your last choice could not be shown.")
    socket.close()
    for logged in ("RuntimeError: database password hunter2", "ValueError: observed hunter2", "printed hunter2"):
        assert logged in cases.log, logged


def test_what_goes_wrong_before_the_page_is_there_is_logged_and_not_shown(cases):
    text = Visitor(cases.url).ask("?spoilt")[1]
    assert ("hunter2" in text, "could not be loaded" in text) == (False, True)
    assert "to the log: hunter2" in cases.log
    assert "OSError: hunter2" in cases.log


def everything(socket: websocket.WebSocket, seconds: float = 3) -> str:
    """All that a kernel sends until it has been silent for a while."""
    socket.settimeout(seconds)
    received = ""
    try:
        while True:
            found = socket.recv()
            received += found if isinstance(found, str) else found.decode(errors="replace")
    except websocket.WebSocketTimeoutException:
        return received


def test_a_page_that_grows_too_large_ends_says_so_and_reloads(cases):
    greedy, modest = Visitor(cases.url), Visitor(cases.url)
    kernel, other = greedy.open("?greedy"), modest.open("?greedy")
    socket = greedy.channel(kernel)
    (button,) = [comm for comm, one in states(socket).items() if one["model_name"] == "ButtonModel"]
    socket.send(message("comm_msg", comm_id=button, data={"method": "custom", "content": {"event": "click"}}))
    end = time.monotonic() + 20
    while (answer := greedy.ask(f"api/kernels/{kernel}"))[0] == 200 and time.monotonic() < end:
        time.sleep(0.2)
    assert answer[0] == 410
    assert "too much memory" in json.loads(answer[1])["why"]
    assert modest.ask(f"api/kernels/{kernel}")[0] == 404, "why it ended is its owner's alone"
    assert modest.ask(f"api/kernels/{other}")[0] == 200
    assert greedy.open("?greedy") != kernel


def test_a_page_whose_kernel_dies_says_so_and_reloads(cases):
    visitor = Visitor(cases.url)
    text = visitor.ask("?named")[1]
    kernel = kernel_of(text)
    psutil.Process(int(re.search(r"pid (\d+)", text)[1])).kill()
    until(lambda: visitor.ask(f"api/kernels/{kernel}")[0] == 410, 10)
    assert "restarts now" in json.loads(visitor.ask(f"api/kernels/{kernel}")[1])["why"]


def test_a_page_cannot_take_much_more_than_its_memory_between_two_looks(cases):
    assert "no memory" in Visitor(cases.url).ask("?huge")[1]


def started(log: str) -> int:
    """How many kernels the newest server of a log has started."""
    return log.split("is running at")[-1].count("Kernel started")


def test_the_shipped_pages_stay_far_below_their_memory(served):
    page = served().page
    Visitor(page.url).open()
    sizes = []
    for one in psutil.Process(page.server.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # the page of another test, which ends just now
            sizes += [one.memory_full_info().pss] if one.num_threads() > 3 else []
    assert sizes
    assert max(sizes) < settings().visitor_bytes / 4
