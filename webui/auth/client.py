"""Where a request comes from, for the rate limits of the sign-in form and of API tokens."""

from aiohttp import web

from webui.auth import rules
from webui.auth.rules import Network


def client_address(request: web.Request, trusted: list[Network]) -> str:
    """Who really asks, as the rate limit counts: behind a proxy of ours, whom it speaks for."""
    peer = request.transport.get_extra_info("peername") if request.transport else None
    forwarded = request.headers.getall("X-Forwarded-For", [])
    return rules.rate_address(rules.client_address(peer[0] if peer else "", forwarded, trusted))
