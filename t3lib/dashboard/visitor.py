"""Who looks at a page, where a proxy signs people in."""

import os

from t3lib.settings import settings


def name() -> str:
    """The visitor as the proxy named them; empty where nobody signs in. Voilà hands the header to the kernel."""
    header = settings().proxy_user_header
    return os.environ.get(f"HTTP_{header.upper().replace('-', '_')}", "") if header else ""
