"""Connections as T3's roles, by their own passwords."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import pytest
import sqlalchemy as sa

from t3lib.warehouse.db.connection import libpq_url
from tests.conftest import PASSWORDS


def login(url: str, role: str) -> str:
    """The URL by which a role logs in."""
    made = sa.make_url(url).set(username=f"t3_{role}", password=PASSWORDS[role])
    return made.render_as_string(hide_password=False)


@contextmanager
def session(url: str, role: str) -> Iterator[psycopg2.extensions.cursor]:
    """A session of a role in which each statement commits."""
    connection = psycopg2.connect(libpq_url(login(url, role)))
    connection.autocommit = True
    try:
        yield connection.cursor()
    finally:
        connection.close()


def as_role(url: str, role: str, statement: str) -> list:
    """What a role gets back; its own connection, its own transaction."""
    with session(url, role) as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def refused(url: str, role: str, statement: str) -> str:
    """What the database says to a role that may not."""
    with pytest.raises(psycopg2.Error) as error:
        as_role(url, role, statement)
    return str(error.value)
