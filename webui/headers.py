"""Headers that every answer carries, live streams included."""

from aiohttp import web

from webui.auth.client import SECURE, asker
from webui.auth.rules import LOOPBACK_NAMES, host_of
from webui.parts import PARTS

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


async def add(request: web.Request, response: web.StreamResponse) -> None:
    """Before an answer goes out; what says nothing about caching is not kept."""
    for name, value in ALWAYS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Server"] = "claudeops"
    here = request.app[PARTS]
    came = asker(request, here.trusted)
    # Not for localhost, where other programs of a developer speak plain HTTP.
    if came.scheme == SECURE and here.settings.hsts_days and host_of(came.host) not in LOOPBACK_NAMES:
        response.headers["Strict-Transport-Security"] = f"max-age={here.settings.hsts_days * 86400}"
