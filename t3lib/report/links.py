"""Links into the dashboard with its filters set (`t3lib.dashboard.state` reads them); none without its address."""

from datetime import date
from urllib.parse import urlencode, urlsplit

from t3lib.settings import settings


def dashboard(day: date, truck_id: int | None = None) -> str | None:
    """The dashboard on one business day, and on one truck."""
    base = settings().dashboard_url
    if not base or urlsplit(base).scheme not in ("http", "https"):
        return None
    filters = {"from": day.isoformat(), "to": day.isoformat()}
    if truck_id is not None:
        filters["truck"] = str(truck_id)
    return f"{base}{'&' if '?' in base else '?'}{urlencode(filters)}"
