"""Who looks at a page, as its server signed it; Voilà hands the headers to the kernel."""

import os

from t3lib.operator_requests import signature
from t3lib.settings import settings

HEADER = "X-T3-Visitor"


def statement() -> str:
    """What the page's server signed for this visitor; empty at a page that cannot ask."""
    return os.environ.get(_variable(HEADER), "")


def name() -> str:
    """The visitor as the proxy named them; empty where nobody signs in."""
    if said := statement():
        return signature.name_in(said)
    header = settings().proxy_user_header
    return os.environ.get(_variable(header), "") if header else ""


def _variable(header: str) -> str:
    return f"HTTP_{header.upper().replace('-', '_')}"
