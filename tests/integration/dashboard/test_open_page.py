"""A page that stays open: loads reach it, only what changed is sent, and it survives its database."""

import asyncio

import ipywidgets as w
import pytest
import sqlalchemy as sa

from t3lib import metrics, warehouse
from t3lib.dashboard import shared_figures
from t3lib.dashboard.html import static_page
from t3lib.dashboard.page import Page
from t3lib.dashboard.shared_figures import FOLDER
from t3lib.dashboard.state import State
from t3lib.dashboard.view import read
from t3lib.dashboard.widgets.boxes import batched_comm_messages
from tests.support.pages import SUNDAY, loaded, sell, shown


def test_only_what_changed_is_sent(fleet: str):
    page = shown()
    sent = []
    for widget in (page.heading, *page.tiles, *page.parts.values()):
        widget.observe(lambda event: sent.append(event["owner"]), "value")
    page.refresh()
    assert sent == []
    with warehouse.connect() as db:
        sell(db, 1, SUNDAY, 13, "cash", 1, 5)
    page.refresh()
    assert page.tiles[0] in sent
    assert page.parts["days_title"] not in sent


def test_load_reaches_an_open_page(fleet: str):
    page = shown()

    async def watch() -> None:
        page.follow(0.01)
        with warehouse.connect() as db:
            sell(db, 1, SUNDAY, 19, "cash", 1, 123)
            loaded(db, "2025-11-23 19:01+00")
        while ">£15.23<" not in page.tiles[0].value:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(watch(), 10))
    assert page.hours.option["series"][0]["data"][-1]["value"] == 1.23


def test_widgets_are_sent_to_the_browser_once_with_all_that_they_hold(fleet: str, monkeypatch: pytest.MonkeyPatch):
    opened_widgets: list[w.Widget] = []
    opened = w.Widget.open

    def open_and_note(widget: w.Widget) -> None:
        opened_widgets.append(widget)
        opened(widget)

    monkeypatch.setattr(w.Widget, "open", open_and_note)
    updates: list[w.Widget] = []
    monkeypatch.setattr(w.Widget, "send_state", lambda widget, key=None: updates.append(widget))
    with batched_comm_messages():
        page = shown()
        late = w.Label("made after the box that holds it")
        page.body.children = (*page.body.children, late)
        assert not opened_widgets
    assert len(opened_widgets) == len(set(map(id, opened_widgets))) < 100
    assert late in opened_widgets
    assert page.widget.model_id in page.widget.comm.comm_id
    assert opened_widgets.index(late) < opened_widgets.index(page.body), (
        "a widget names only those that the browser knows"
    )
    assert updates == []
    page.heading.value = "later"
    assert updates == [page.heading]


def test_figures_of_one_page_are_of_one_moment(fleet: str, monkeypatch: pytest.MonkeyPatch):
    by_day = metrics.by_day

    def a_load_comes_between(db: sa.Connection, scope: metrics.Scope) -> object:
        with warehouse.connect() as other:
            sell(other, 1, SUNDAY, 14, "card", 1, 777)
            loaded(other, "2025-11-23 14:00+00")
        return by_day(db, scope)

    monkeypatch.setattr(metrics, "by_day", a_load_comes_between)
    page = shown("from=2025-11-23")
    assert page.view.totals.gross_sales_pence == page.view.days["gross_sales_pence"].iloc[-1] == 1400
    assert page._stale()


def test_pages_of_one_server_read_the_same_figures_once(fleet: str, tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(FOLDER, str(tmp_path))
    monkeypatch.setattr(shared_figures, "SHARED_SECONDS", 10**12)  # no new half-minute begins within the test
    readings: list[State] = []

    def read_and_note(db: sa.Connection, state: State) -> object:
        readings.append(state)
        return read(db, state)

    monkeypatch.setattr("t3lib.dashboard.page.read", read_and_note)
    first_page, second = shown("range=week"), shown("range=week")
    assert len(readings) == 1
    assert second.tiles[0].value == first_page.tiles[0].value
    assert shown("range=week&payment=cash").view.totals != second.view.totals
    assert len(readings) == 2
    with warehouse.connect() as db:
        sell(db, 1, SUNDAY, 15, "card", 1, 777)
        loaded(db, "2025-11-23 15:00+00")
    second.refresh()
    assert second.view.totals.gross_sales_pence == first_page.view.totals.gross_sales_pence + 777
    assert len(readings) == 3


def test_database_that_goes_away_leaves_the_figures_and_says_so(fleet: str):
    page = shown()
    connect, page._connect = page._connect, lambda: warehouse.connect("postgresql://nobody@127.0.0.1:1/none")
    page.refresh()
    assert "The database does not answer" in page.notice.value
    assert ">£14.00<" in page.tiles[0].value
    page._connect = connect
    page.refresh()
    assert page.notice.value == ""


def test_a_refused_login_is_not_called_a_silent_database(fleet: str, database: str):
    url = sa.make_url(database).set(username="nobody", password="wrong").render_as_string(hide_password=False)
    page = Page(State(), lambda: warehouse.connect(url))
    page.refresh()
    assert "refuses this page's login" in page.error_message
    assert "nobody" not in page.error_message


def test_page_opened_without_a_database_fills_when_it_is_back(fleet: str):
    page = Page(State(), lambda: warehouse.connect("postgresql://nobody@127.0.0.1:1/none"))
    page.refresh()
    html = static_page.page(page.view, page.error_message)
    assert "The database does not answer" in html
    assert "127.0.0.1" not in html
    page._connect = warehouse.connect
    page.refresh()
    assert ">£14.00<" in page.tiles[0].value
