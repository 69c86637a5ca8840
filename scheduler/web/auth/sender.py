"""What a request says of who sent it, how, and why. Only a trusted proxy is believed for others."""

import ipaddress
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest


def address(request: HTTPServerRequest, proxies: Collection[str]) -> str:
    """Where a request comes from: the last address that no trusted proxy vouches for; a /64 of IPv6 is one place."""
    hops = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    found = request.remote_ip or ""
    while found in proxies and hops:
        found = hops.pop()
    try:
        place = ipaddress.ip_address(found)
    except ValueError:
        return "unknown"
    mapped = getattr(place, "ipv4_mapped", None)
    if place.version == 4 or mapped:
        return str(mapped or place)
    return str(ipaddress.ip_network((place, 64), strict=False))


def over_tls(request: HTTPServerRequest, proxies: Collection[str]) -> bool:
    """Whether the visitor reached a trusted proxy by https."""
    said = request.headers.get("X-Forwarded-Proto", "").split(",")[-1].strip().lower()
    return said == "https" and request.remote_ip in proxies


def is_visit(headers: Any, host: str) -> bool:
    """Whether somebody opens the page: not what other sites fetch in the background, nor what a browser loads ahead.

    Browsers say so by themselves (Sec-Fetch-*, to https and this machine only); else by Origin, Referer and Accept."""
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
