"""Where a request comes from: its address, its scheme, and whether it is a visit. Only trusted proxies are believed."""

import ipaddress
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest


def address(request: HTTPServerRequest, proxies: Collection[str]) -> str:
    """The client's address: the last one in X-Forwarded-For that is no trusted proxy's. A /64 of IPv6 counts as one."""
    hops = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    found = request.remote_ip or ""
    while found in proxies and hops:
        found = hops.pop()
    try:
        client = ipaddress.ip_address(found)
    except ValueError:
        return "unknown"
    mapped = getattr(client, "ipv4_mapped", None)
    if client.version == 4 or mapped:
        return str(mapped or client)
    return str(ipaddress.ip_network((client, 64), strict=False))


def over_tls(request: HTTPServerRequest, proxies: Collection[str]) -> bool:
    """Whether the visitor reached a trusted proxy by HTTPS."""
    scheme = request.headers.get("X-Forwarded-Proto", "").split(",")[-1].strip().lower()
    return scheme == "https" and request.remote_ip in proxies


def is_visit(headers: Any, host: str) -> bool:
    """Whether a person opens the page, as opposed to another site fetching it or a browser prefetching it.

    Browsers say so in Sec-Fetch-* (over HTTPS and to this machine); otherwise Origin, Referer and Accept decide."""
    ahead = " ".join(headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz")).lower()
    if "prefetch" in ahead or "prerender" in ahead or "preview" in ahead:
        return False
    if site := headers.get("Sec-Fetch-Site"):
        opened = headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest", "document") == "document"
        return site in ("same-origin", "none") or opened
    if (origin := headers.get("Origin")) and urlsplit(origin).netloc.lower() != host.lower():
        return False
    foreign = urlsplit(headers.get("Referer", "")).netloc.lower() not in ("", host.lower())
    browser = headers.get("User-Agent", "").startswith("Mozilla/")
    return "text/html" in headers.get("Accept", "") or not (foreign or browser)
