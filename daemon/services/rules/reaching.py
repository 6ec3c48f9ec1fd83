"""The addresses by which this host knows that it is not cut off, as a setting names them. Pure.

Called by `daemon.services.connectivity`.
"""

from typing import NamedTuple
from urllib.parse import urlsplit

FORM = "write host:port, such as 192.0.2.1:53 or [2001:db8::1]:443"
PLACES_MAX = 20


class Place(NamedTuple):
    """Where a connection is tried."""

    host: str
    port: int


def places(text: str) -> list[Place]:
    """The addresses of a text such as `192.0.2.1:53, gateway.example.org:443`. ValueError names what is none."""
    found = [_place(part) for part in (one.strip() for one in text.split(",")) if part]
    if len(found) > PLACES_MAX:
        raise ValueError(f"{len(found)} addresses are more than {PLACES_MAX}")
    return found


def _place(part: str) -> Place:
    try:
        parts = urlsplit(f"//{part}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{part!r}: {error}; {FORM}") from None
    if not host or not port or parts.path or parts.query or "@" in parts.netloc or not part.isprintable():
        raise ValueError(f"{part!r} is no address with a port; {FORM}")
    return Place(host, port)
