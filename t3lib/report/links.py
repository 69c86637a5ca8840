"""Links into the dashboard with its filters set (`t3lib.dashboard.state` reads them); None without T3_DASHBOARD_URL."""

from urllib.parse import urlencode, urlsplit

from t3lib.period import Period
from t3lib.settings import settings


def dashboard(period: Period, truck_id: int | None = None) -> str | None:
    """The dashboard filtered to the days of a report, and to one truck; for a month its Money tab."""
    base = settings().dashboard_url
    if not base or urlsplit(base).scheme not in ("http", "https"):
        return None
    filters = {"from": period.first.isoformat(), "to": period.last.isoformat()}
    if truck_id is not None:
        filters["truck"] = str(truck_id)
    if period.kind == "month":
        filters |= {"compare": "year", "tab": "money"}
    return f"{base}{'&' if '?' in base else '?'}{urlencode(filters)}"
