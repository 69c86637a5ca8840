"""The dashboard page: widgets that show a view, follow new loads and apply the visitor's choices."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import ipywidgets as w
import sqlalchemy as sa

from t3lib import business_day, warehouse
from t3lib.charts import echarts
from t3lib.dashboard import download
from t3lib.dashboard.error_messages import explain
from t3lib.dashboard.html import parts, static_page, tiles
from t3lib.dashboard.html.cards import alert, page_message
from t3lib.dashboard.html.fragments import PARTS, Fragments, render
from t3lib.dashboard.shared_figures import half_minute, shared
from t3lib.dashboard.state import State, parse
from t3lib.dashboard.tabs import TabContext, chart, sheet
from t3lib.dashboard.view import View, read
from t3lib.dashboard.widgets import controls
from t3lib.dashboard.widgets.boxes import batched_comm_messages, box, hideable, html, unstyled
from t3lib.dashboard.widgets.display import show
from t3lib.dashboard.widgets.echart import Chart
from t3lib.dashboard.widgets.live import Follower
from t3lib.metrics import freshness

Connect = Callable[[], AbstractContextManager[sa.Connection]]
Option = dict[str, Any]
# state, view, tab's HTML, option of the tab's chart with the head of its card, fragments, error message
Found = tuple[State, View | None, str, tuple[Option, str] | None, Fragments | None, str]


def dashboard(range: str = "today", refresh_seconds: float = 1.0) -> None:
    """Show the dashboard: first as static HTML, then as widgets that follow new loads.

    The query string of the address overrides the parameters."""
    state = parse(os.environ.get("QUERY_STRING", ""), State(preset=range))
    with batched_comm_messages():
        page = Page(state)
        page.refresh()
    drawn = (page.tab_title.value, page.tab_chart.option) if page.tab_chart.option else None
    show(static_page.page(page.view, page.error_message, page.sheet.value, page.fragments, drawn), page.widget)
    page.follow(refresh_seconds)


class Page:
    """One visitor's page. `view` is what it shows; `error_message` says why it may be out of date."""

    def __init__(self, state: State, connect: Connect = warehouse.connect) -> None:
        self.state, self.error_message, self._connect = state, "", connect
        self.view: View | None = None
        self.fragments: Fragments | None = None
        self._follower: Follower[Found] = Follower(self._stale, self._read, self._show)
        self.controls = controls.Controls(self.choose)
        self.notice = html("t3-notice")
        self.heading = html("t3-heading")
        self.tiles = [html("t3-card t3-tile") for _ in tiles.MEASURES]
        self.hours, self.days, self.tab_chart, self.tab_title = Chart(), Chart(), Chart(), html()
        self.hours.on_click(self._choose_hour)
        self.days.on_click(self._choose_day)
        self.parts = {name: html() for name in PARTS}
        self.address = html("t3-address")
        self.typed = unstyled(w.Text, "t3-typed", continuous_update=False)
        self.typed.observe(lambda event: self.choose(parse(event["new"])), "value")
        self.controls.csv.on_click(lambda _: self._download(download.CSV))
        self.controls.xlsx.on_click(lambda _: self._download(download.XLSX))
        self.download, self._downloads = html("t3-download"), 0
        self.body = hideable(box("t3-body", *self._figure_widgets()))
        self.empty = hideable(html("t3-nothing"))
        self.widget = box(
            "t3-page t3-live",
            self.controls.widget,
            self.notice,
            self.body,
            self.empty,
            self.address,
            self.typed,
            self.download,
        )

    def choose(self, state: State) -> None:
        """Apply a choice of the visitor and refresh the figures."""
        self.state = state
        self._follower.request_refresh()

    def refresh(self) -> None:
        """Read and show."""
        self._show(self._read())

    def follow(self, seconds: float) -> None:
        """Follow new loads, the clock and the visitor's choices until the kernel ends."""
        self._follower.start(seconds)

    def _stale(self) -> bool:
        """Whether there are newer figures, a new business day, or an error to retry."""
        if self.view is None or self.error_message or business_day.today() != self.view.today:
            return True
        try:
            with self._connect() as db:
                return freshness(db).version != self.view.freshness.version
        except Exception:
            return True

    def _read(self) -> Found:
        state = self.state
        try:
            with self._connect() as db:
                warehouse.one_moment(db)
                now = (freshness(db).version, business_day.today(), half_minute())
                return state, *shared((*now, state), lambda: self._figures_of(db, state)), ""
        except Exception as error:
            return state, None, "", None, None, explain(error, self.error_message)

    def _figures_of(
        self, db: sa.Connection, state: State
    ) -> tuple[View, str, tuple[Option, str] | None, Fragments | None]:
        view = read(db, state)
        context = TabContext(view.state, view.scope, view.until_hour, view.earlier)
        return view, self._sheet(db, context), self._chart(db, context), render(view) if view.recorded else None

    def _chart(self, db: sa.Connection, context: TabContext) -> tuple[Option, str] | None:
        """The chart of a tab and the head of its card; None without one, or if it cannot be read, as its table says."""
        try:
            with db.begin_nested():
                return chart(db, context)
        except sa.exc.SQLAlchemyError:
            return None

    def _sheet(self, db: sa.Connection, context: TabContext) -> str:
        """The tab's cards; on an error a message in their place, and the rest of the page stays."""
        try:
            return sheet(db, context)
        except Exception as error:
            return page_message("This page could not be read", explain(error, self.error_message))

    def _show(self, found: Found) -> None:
        """Put a view into the widgets. Unchanged values are not sent; after an error the old figures stay."""
        state, view, sheet_html, charted, fragments, error_message = found
        if state != self.state:  # the visitor has since chosen something else, which is being read
            return
        self.error_message = error_message
        self.notice.value = alert(error_message)
        if view is None:
            self._show_figures(bool(self.view and self.view.recorded), parts.no_answer())
            return
        self.view, self.state = view, view.state
        self._show_figures(view.recorded is not None, parts.no_sales())
        self.controls.show(view)
        self.address.value = f'<span data-query="{view.state.query()}"></span>'
        if fragments is None:
            return
        self.fragments = fragments
        self.heading.value = fragments.heading
        for widget, tile in zip(self.tiles, fragments.tiles, strict=True):
            widget.value = tile
        self.sheet.value = sheet_html
        self.sheet.layout.display = "" if sheet_html else "none"
        self.grid.layout.display = "none" if sheet_html else ""
        option, self.tab_title.value = charted or ({}, "")
        self.tab_chart.show(option)
        self.tab_card.layout.display = "" if charted else "none"
        for name, part in fragments.parts.items():
            self.parts[name].value = part
        self.hours.show(echarts.sales_by_hour(view.hours, view.usual_hours, view.line, clickable=view.one_day))
        self.days.show(echarts.sales_by_day(view.days, view.scope.first, view.scope.last))

    def _choose_hour(self, column: int) -> None:
        """A click on an hour of one day opens its single sales."""
        if self.view is None or not self.view.one_day:
            return
        hours, day = parts.shown_hours(self.view), self.view.scope.first
        if 0 <= column < len(hours):
            self._choose_custom(first=day, last=day, hour=hours[column], tab="rows")

    def _choose_day(self, column: int) -> None:
        """A click on a day selects it; a second click goes back to all days of the chart."""
        if self.view is None:
            return
        days, scope = list(self.view.days["business_date"]), self.view.scope
        if 0 <= column < len(days):
            already_alone = scope.first == scope.last == days[column]
            first, last = (days[0], days[-1]) if already_alone else (days[column], days[column])
            self._choose_custom(first=first, last=last)

    def _choose_custom(self, **changes: Any) -> None:
        self.choose(replace(self.state, preset="custom", pages=(), **changes))

    def _download(self, kind: download.Kind) -> None:
        """Start the download of what is shown, with every page of a long list."""
        view = self.view
        if view is None:
            return
        try:
            with self._connect() as db:
                warehouse.one_moment(db)
                context = TabContext(view.state, view.scope, view.until_hour, view.earlier, for_download=True)
                sheet_html = self._sheet(db, context)
        except Exception as error:
            self.notice.value = alert(explain(error, self.error_message))
            return
        self._downloads += 1
        self.download.value = download.link(view, sheet_html, kind, self._downloads)

    def _show_figures(self, visible: bool, message: str) -> None:
        """Show the figures, or a message in their place."""
        self.body.layout.display = "" if visible else "none"
        self.empty.layout.display = "none" if visible else ""
        self.empty.value = message

    def _figure_widgets(self) -> list[w.Widget]:
        parts = self.parts
        grid = box(
            "t3-grid",
            box("t3-card t3-hours", parts["hours_title"], self.hours.widget, parts["hours_table"]),
            box("t3-card t3-look", parts["attention"]),
            box("t3-card t3-pay", parts["payments"]),
            box("t3-card t3-trucks", parts["trucks"]),
            box("t3-card t3-map", parts["heat"]),
            box("t3-card t3-days", parts["days_title"], self.days.widget, parts["days_table"]),
        )
        self.grid, self.sheet = hideable(grid), hideable(html("t3-sheet"))
        self.tab_card = hideable(box("t3-card t3-tab-chart", self.tab_title, self.tab_chart.widget))
        return [self.heading, box("t3-tiles", *self.tiles), self.grid, self.tab_card, self.sheet]
