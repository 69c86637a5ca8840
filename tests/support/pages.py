"""A dashboard's page without a browser, and sales and menus for it."""

import re
from dataclasses import replace
from datetime import date
from html import unescape
from typing import Any

import sqlalchemy as sa

from t3lib import metrics
from t3lib.dashboard.page import Page
from t3lib.dashboard.state import State, parse
from t3lib.dashboard.tabs import TabContext
from t3lib.dashboard.tabs import sheet as sheet_of
from t3lib.metrics import Scope

SUNDAY = date(2025, 11, 23)
FOR_EVER = ("1900-01-01", "3000-01-01")
HOSTILE = "<img src=x onerror=\"document.title='owned'\">&amp;'</script>"


def sell(db: sa.Connection, truck: int, day: date, hour: int, payment: str, transactions: int, pence: int) -> None:
    insert = sa.text("INSERT INTO mart.sales_hourly VALUES (:t, :d, :h, 0, :p, :n, :pence)")
    db.execute(insert, {"t": truck, "d": day, "h": hour, "p": payment, "n": transactions, "pence": pence})


def loaded(db: sa.Connection, last_sale_at: str) -> None:
    move = "UPDATE mart.watermark SET version = version + 1, loaded_at = now(), last_sale_at = :last"
    db.execute(sa.text(move), {"last": last_sale_at})


def shown(query: str = "") -> Page:
    page = Page(parse(query))
    page.refresh()
    return page


def table_rows(html: str) -> list[list[str]]:
    """The texts of every table row."""
    found = re.findall(r"<tr>(.*?)</tr>", html)
    return [[unescape(re.sub(r"<.*?>", "", cell)) for cell in re.split(r"</t[dh]>", row)[:-1]] for row in found]


def offer(
    db: sa.Connection, truck: int, dish: str, price: int, cost: int | None = None, menu_type: str = "Hot",
    first: date | str = FOR_EVER[0], until: date | str = FOR_EVER[1],
) -> None:  # fmt: skip
    """A dish on the menu of a truck from the start of a business day until that of another, or from and until a local
    time such as 2025-11-03 12:00."""
    db.execute(
        sa.text("""INSERT INTO core.menu_item (truck_id, menu_item, menu_type, price_pence, unit_cost_pence, days,
                       on_menu)
                   VALUES (:truck, :dish, :type, :price, :cost,
                           daterange(CAST(:first AS date), CAST(:until AS date) + :more),
                           tstzrange(CAST(:from_at AS timestamp) AT TIME ZONE 'Europe/London',
                                     CAST(:until_at AS timestamp) AT TIME ZONE 'Europe/London'))"""),
        {"truck": truck, "dish": dish, "type": menu_type, "price": price, "cost": cost, "first": str(first)[:10],
         "until": str(until)[:10], "more": int(" " in str(until)), "from_at": _moment(first),
         "until_at": _moment(until)},
    )  # fmt: skip


def _moment(given: date | str) -> str:
    return str(given) if " " in str(given) else f"{given} 04:00"


def charge(db: sa.Connection, cost: str, amount: int, truck: int | None = None, since: str = "2025-01-01") -> None:
    """A cost in percent from a day on."""
    db.execute(
        sa.text("INSERT INTO core.cost (truck_id, cost, amount, per, from_date) VALUES (:t, :c, :a, 'percent', :s)"),
        {"t": truck, "c": cost, "a": amount, "s": since},
    )


def sold(
    db: sa.Connection, truck: int, day: date, prices: dict[int, int], place: int = 0, hour: int = 12,
    payment: str = "card",
) -> None:  # fmt: skip
    """So many sales at each price, in all rollups."""
    about = {"t": truck, "d": day, "l": place, "h": hour, "p": payment}
    db.execute(
        sa.text("""INSERT INTO mart.sales_hourly VALUES (:t, :d, :h, :l, :p, :n, :pence)"""),
        about | {"n": sum(prices.values()), "pence": sum(price * n for price, n in prices.items())},
    )
    rows = [about | {"price": price, "n": n} for price, n in prices.items()]
    db.execute(sa.text("INSERT INTO mart.price_hourly VALUES (:t, :d, :h, :l, :p, :price, :n)"), rows)
    db.execute(
        sa.text("""INSERT INTO mart.price_daily VALUES (:t, :d, :price, :n)
                   ON CONFLICT (business_date, truck_id, price_pence)
                   DO UPDATE SET transactions = price_daily.transactions + excluded.transactions"""),
        rows,
    )


def sheet(db: sa.Connection, tab: str, scope: Scope, until_hour: int | None = None, **state: Any) -> str:
    """A tab as the page asks for it, against the week before."""
    earlier = metrics.earlier(replace(scope, until_hour=until_hour))
    return sheet_of(db, TabContext(State(tab=tab, **state), scope, until_hour, earlier))
