"""Error messages for the people who look at a page."""

import logging

import sqlalchemy as sa

from t3lib.settings import SettingsError

_log = logging.getLogger(__name__)


def explain(error: Exception, previous: str = "") -> str:
    """What is wrong and what happens next. Details go to the log, never to the page.

    `previous` is the message that the page already shows; the same error is logged once."""
    text = _sentence(error)
    if text != previous:
        _log.error("the page could not read its figures", exc_info=error)
    return text


def _sentence(error: Exception) -> str:
    retry = "Trying again every few seconds."
    if isinstance(error, SettingsError):
        return f"The dashboard is not set up: no database is configured. {retry}"
    text = str(error).lower()
    if "statement timeout" in text:
        return f"The figures took too long to read; choose fewer days. {retry}"
    if isinstance(error, sa.exc.ProgrammingError) and "permission denied" in text:
        return "You may not see these figures: the dashboard's database role lacks the right to read them."
    if "password authentication failed" in text or "no password supplied" in text:
        return f"The database refuses this page's login; tell T3's operators. {retry}"
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError):
        return f"The database does not answer. {retry}"
    return f"These figures could not be read. {retry} If this persists, tell T3's operators."
