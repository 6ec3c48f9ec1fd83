"""For whom a reverse proxy asks: X-Forwarded-For, -Proto and -Host, or Forwarded (RFC 7239), of trusted ones alone.

Decided from values; called by `webui.auth.client`. Proxies add to the right, so the first address from the right that
is no proxy of ours is who really asks; what stands left of it, that one may have made up.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from schema.networks import Network
from webui.auth.rules import Address

PAIR = re.compile(r"""\s*([A-Za-z]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;,"]+)\s*""")
HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,255}")
ELEMENTS_MAX = 50


class Asker(NamedTuple):
    """Who asks: an address, by http or https, for which host."""

    address: str
    scheme: str
    host: str


class Said(NamedTuple):
    """What a request's headers say; all of a header's lines, in their order."""

    x_for: Sequence[str] = ()
    x_proto: Sequence[str] = ()
    x_host: Sequence[str] = ()
    forwarded: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.x_for or self.x_proto or self.x_host or self.forwarded)

    @property
    def names_scheme(self) -> bool:
        """Whether it says by which scheme the browser asked."""
        return bool(self.x_proto) or any("proto" in hop for hop in _elements(self.forwarded))


def is_proxy(address: str, trusted: Sequence[Network]) -> bool:
    """Whether an address is one of ours."""
    parsed = _address(address)
    return parsed is not None and any(parsed.version == network.version and parsed in network for network in trusted)


def asker(peer: Asker, said: Said, trusted: Sequence[Network]) -> Asker:
    """Who really asks, as far as it can be believed."""
    if not said or not is_proxy(peer.address, trusted):
        return peer
    by_x = _by_x(peer, said, trusted)
    if not said.forwarded:
        return by_x
    by_forwarded = _by_forwarded(peer, _elements(said.forwarded), trusted)
    if not (said.x_for or said.x_proto or said.x_host):
        return by_forwarded
    # A proxy sends one kind, and passes the other on as it came, from whoever it was.
    return by_x if by_x.address == by_forwarded.address else peer


def _by_x(peer: Asker, said: Said, trusted: Sequence[Network]) -> Asker:
    hops = _listed(said.x_for)
    address, used = peer.address, 0
    while used < len(hops) and is_proxy(address, trusted):
        candidate = _bare(hops[-1 - used])
        if candidate is None:
            break
        address, used = candidate, used + 1
    scheme = _at(_listed(said.x_proto), len(hops), used).lower()
    host = _at(_listed(said.x_host), len(hops), used)
    return _with(peer, address, scheme, host)


def _by_forwarded(peer: Asker, hops: list[dict[str, str]], trusted: Sequence[Network]) -> Asker:
    found = peer
    while hops and is_proxy(found.address, trusted):
        hop = hops.pop()
        candidate = _bare(hop.get("for", ""))
        if candidate is None:
            break
        found = _with(peer, candidate, hop.get("proto", "").lower(), hop.get("host", ""))
    return found


def _with(peer: Asker, address: str, scheme: str, host: str) -> Asker:
    return Asker(
        address,
        scheme if scheme in ("http", "https") else peer.scheme,
        host if HOST.fullmatch(host) else peer.host,
    )


def _at(values: list[str], hops: int, used: int) -> str:
    """The value of the hop that was used last, where each hop has one; else that of the proxy next to us."""
    if not values:
        return ""
    return values[-used] if len(values) == hops and used else values[-1]


def _listed(lines: Sequence[str]) -> list[str]:
    return [part.strip() for line in lines for part in line.split(",")][-ELEMENTS_MAX:]


def _elements(lines: Sequence[str]) -> list[dict[str, str]]:
    """The elements of Forwarded, with their parameters; an element that can't be read is empty."""
    found = []
    for line in lines:
        for element in re.split(r""",(?=(?:[^"]*"[^"]*")*[^"]*$)""", line[:4096]):
            pairs = [PAIR.fullmatch(part) for part in element.split(";") if part.strip()]
            good = {pair[1].lower(): pair[2].strip('"') for pair in pairs if pair}
            found.append(good if len(good) == len(pairs) else {})
    return found[-ELEMENTS_MAX:]


def _bare(text: str) -> str | None:
    """An address without port and brackets; None for what is none, such as "unknown"."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return text if _address(text) is not None else None


def _address(text: str) -> Address | None:
    try:
        parsed = ip_address(text)
    except ValueError:
        return None
    return parsed.ipv4_mapped if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped else parsed
