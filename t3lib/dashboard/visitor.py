"""The visitor of a page, as its server signed it; Voilà passes the request headers to the kernel."""

import os

from t3lib.operator_requests import signature
from t3lib.settings import settings

HEADER = "X-T3-Visitor"


def statement() -> str:
    """The signed statement about this visitor; empty on a page that cannot enter requests."""
    return os.environ.get(_variable(HEADER), "")


def name() -> str:
    """The visitor's name as the proxy gave it; empty where nobody signs in."""
    if signed := statement():
        return signature.name_in(signed)
    header = settings().proxy_user_header
    return os.environ.get(_variable(header), "") if header else ""


def _variable(header: str) -> str:
    return f"HTTP_{header.upper().replace('-', '_')}"
