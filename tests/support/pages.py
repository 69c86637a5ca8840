"""A dashboard's page without a browser, and sales for it."""

import re
from datetime import date
from html import unescape

import sqlalchemy as sa

from t3lib.dashboard.page import Page
from t3lib.dashboard.state import parse

SUNDAY = date(2025, 11, 23)
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
