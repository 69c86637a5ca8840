"""Links into the dashboard with its filters set (`t3lib.dashboard.state` reads them); none without its address."""

from urllib.parse import urlencode, urlsplit

from t3lib.period import Period
from t3lib.settings import settings


def dashboard(period: Period, truck_id: int | None = None) -> str | None:
    """The dashboard on the days of a report, and on one truck; of a week or month on its money."""
    base = settings().dashboard_url
    if not base or urlsplit(base).scheme not in ("http", "https"):
        return None
    filters = {"from": period.first.isoformat(), "to": period.last.isoformat()}
    if truck_id is not None:
        filters["truck"] = str(truck_id)
    if period.kind == "month":
        filters |= {"compare": "year", "tab": "money"}
    return f"{base}{'&' if '?' in base else '?'}{urlencode(filters)}"
