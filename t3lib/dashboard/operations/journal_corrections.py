"""The corrections of journals that wait, for pages that ask every few seconds."""

import sqlalchemy as sa

from t3lib.dashboard.shared_figures import half_minute, shared
from t3lib.journal import corrections
from t3lib.journal.corrections import Correction

# Every change of figures raises the version.
_STATE = sa.text("SELECT version, (SELECT max(journal_id) FROM ops.journal) FROM mart.watermark")
_State = tuple[int, int | None]
_remembered: dict[str, tuple[_State, list[Correction]]] = {}


def waiting(db: sa.Connection) -> list[Correction]:
    """As `corrections.waiting`, read again after a change of figures or journals only. All pages of a server share one
    reading of a half-minute, as years of exported days take a while and loads come every few seconds."""
    version, journal = db.execute(_STATE).one()
    if journal is None:
        return []
    server, state = str(db.engine.url), (version, journal)
    if _remembered.get(server, (None,))[0] != state:
        key = "journal corrections", server, journal, half_minute()
        _remembered[server] = shared(key, lambda: (state, corrections.waiting(db)))
    return _remembered[server][1]
