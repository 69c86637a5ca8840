"""Error messages for the people who look at a page."""

import logging

import sqlalchemy as sa

from t3lib.settings import SettingsError

_log = logging.getLogger(__name__)


def explain(error: Exception, previous: str = "") -> str:
    """One plain sentence and what happens next. Details go to the log, never to the page.

    `previous`: the message that the page shows already; the same error again is not logged again."""
    text = _sentence(error)
    if text != previous:
        _log.error("this page could not read its figures", exc_info=error)
    return text


def _sentence(error: Exception) -> str:
    again = "Trying again every few seconds."
    if isinstance(error, SettingsError):
        return f"The dashboard is not set up: no database is configured. {again}"
    text = str(error).lower()
    if "statement timeout" in text:
        return f"The figures took too long to read; choose fewer days. {again}"
    if isinstance(error, sa.exc.ProgrammingError) and "permission denied" in text:
        return "You may not see these figures: the dashboard's database role lacks the right to read them."
    if "password authentication failed" in text or "no password supplied" in text:
        return f"The database refuses this page's log-in; tell whoever runs T3. {again}"
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError):
        return f"The database does not answer. {again}"
    return f"These figures could not be read. {again} If this stays, tell whoever runs T3."
