"""Where a request comes from: for rate limits, cookies and the Origin check; and whether a proxy is set up wrongly."""

import time

from aiohttp import web

from schema.networks import Network
from webui.auth import forwarded, rules
from webui.auth.forwarded import Asker, Said

SECURE = "https"
REMEMBERED = 600.0
ASKER: web.RequestKey[Asker] = web.RequestKey("asker", Asker)


def asker(request: web.Request, trusted: list[Network]) -> Asker:
    """Who really asks: behind a proxy of ours, whom it speaks for."""
    if ASKER not in request:
        request[ASKER] = forwarded.asker(_peer(request), _said(request), trusted)
    return request[ASKER]


def is_passed_on(request: web.Request) -> bool:
    """Whether somebody, trusted or not, says that it asks for another."""
    return bool(_said(request)) or any(name in request.headers for name in ("X-Real-IP", "Via"))


def client_address(request: web.Request, trusted: list[Network]) -> str:
    """Its address, as the rate limit counts."""
    return rules.rate_address(asker(request, trusted).address)


def _peer(request: web.Request) -> Asker:
    name = request.transport.get_extra_info("peername") if request.transport else None
    return Asker(name[0] if name else "", request.scheme, request.host)


def _said(request: web.Request) -> Said:
    headers = request.headers
    return Said(
        headers.getall("X-Forwarded-For", ()),
        headers.getall("X-Forwarded-Proto", ()),
        headers.getall("X-Forwarded-Host", ()),
        headers.getall("Forwarded", ()),
    )


class Proxies:
    """What was seen of proxies that are set up wrongly. For `claudeopsctl doctor`: anybody can make such a request."""

    def __init__(self, trusted: list[Network]) -> None:
        self._trusted = trusted
        self._seen: dict[str, tuple[float, str]] = {}

    def note(self, request: web.Request) -> None:
        """Looks at a request."""
        said = _said(request)
        if not said:
            return
        peer, now = _peer(request), time.monotonic()
        if not forwarded.is_proxy(peer.address, self._trusted):
            text = f"requests from {peer.address} say for whom they ask, and CLAUDEOPS_TRUSTED_PROXIES does not name it"
            self._seen["trusted"] = (now, f"{text}: if it is your proxy, name it there, else all count as one address")
        elif not said.names_scheme and peer.scheme != SECURE:
            text = f"the proxy at {peer.address} does not send X-Forwarded-Proto, so cookies are not for HTTPS alone"
            self._seen["scheme"] = (now, f"{text}: have it send the scheme, or set CLAUDEOPS_PUBLIC_URL")

    def problem(self) -> str:
        """What is wrong with the proxy that requests came through lately, as a sentence; empty if nothing."""
        now = time.monotonic()
        return "; ".join(text for at, text in self._seen.values() if now - at < REMEMBERED)
