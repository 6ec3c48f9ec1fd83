"""Decisions about who may do what, from values alone: roles, sign-in delays, Origin, redirect targets.

Called by `webui.auth.guard` for every request and by the sign-in form.
"""

from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from schema import access
from schema.states import Role

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
WINDOW_SECONDS = 15 * 60.0
DELAY_MAX = 300.0
PAIR_FREE = 5  # wrong passwords for one name from one address
ADDRESS_FREE = 20  # wrong passwords for any names from one address
NAME_FREE = 50  # wrong passwords for one name from everywhere
NAME_DELAY = 30.0
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

Address = IPv4Address | IPv6Address


class Access(StrEnum):
    """Who a route answers. SCRAPE is a viewer, or a program on the same host that no proxy speaks for."""

    PUBLIC = "public"
    SCRAPE = "scrape"
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


class Door(StrEnum):
    """What else lets a program in, beside a sign-in or a token of the route's role.

    The chat key; a signed body; the address itself, which nobody knows who was not told it.
    """

    NONE = "none"
    KEY = "key"
    SIGNED = "signed"
    ADDRESS = "address"


def may(role: Role, access: Access) -> bool:
    """Whether a signed-in person of `role` may use a route of `access`."""
    if access in (Access.PUBLIC, Access.SCRAPE):
        return True
    order = list(Role)
    return order.index(role) >= order.index(Role(access.value))


def may_grant(scopes: frozenset[access.Scope] | None, expires_at: str | None) -> bool:
    """Whether somebody may let others in: people may, and a token that is no narrower than its role and has no end.

    Or it would be worth more than it is: it could make another without its bounds, or an admin with a password.
    """
    return scopes is None or (scopes == frozenset(access.SCOPES_OF[Role.ADMIN]) and expires_at is None)


class Failures(NamedTuple):
    """Failed sign-ins within the window: how many, and how many seconds ago the last was."""

    times: int
    last_ago: float


def sign_in_delay(pair: Failures, address: Failures, name: Failures) -> float:
    """Seconds to wait before the next attempt may be judged; 0 lets it through.

    A name under attack from elsewhere slows only addresses that have failed with it themselves, so that its owner gets
    in from a fresh one.
    """
    waits = [_growing(pair, PAIR_FREE), _growing(address, ADDRESS_FREE)]
    if name.times >= NAME_FREE and pair.times:
        waits.append(NAME_DELAY - pair.last_ago)
    return max(0.0, *waits)


def token_delay(address: Failures) -> float:
    """The same for API tokens, of which there is nothing to tell apart but the address."""
    return max(0.0, _growing(address, ADDRESS_FREE))


def _growing(failures: Failures, free: int) -> float:
    over = failures.times - free
    return float(min(DELAY_MAX, 2.0 ** min(over, 16))) - failures.last_ago if over >= 0 else 0.0


def rate_address(address: str) -> str:
    """What the rate limit counts as one address: an IPv6 customer owns a /64."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(IPv6Network((int(parsed), 64), strict=False))
    return str(parsed)


def is_loopback(address: str) -> bool:
    """Whether a peer is on this host."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def host_of(netloc: str) -> str:
    """The name in a Host header, without its port; empty for what is none."""
    try:
        return (urlsplit(f"//{netloc}").hostname or "").lower()
    except ValueError:
        return ""


def host_allowed(host: str, public_url: str) -> bool:
    """Whether a Host header names this dashboard; without CLAUDEOPS_PUBLIC_URL every name does."""
    return not public_url or host_of(host) in LOOPBACK_NAMES | {host_of(urlsplit(public_url).netloc)}


def origin_allowed(origin: str | None, fetch_site: str | None, host: str, public_url: str) -> bool:
    """Whether an unsafe request comes from a page of ours. Programs that are no browsers send neither header."""
    if fetch_site is not None and fetch_site not in ("same-origin", "none"):
        return False
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return False
    if public_url:
        public = urlsplit(public_url)
        if (parts.scheme, parts.netloc.lower()) == (public.scheme, public.netloc.lower()):
            return True
    # A proxy that ends TLS makes the scheme unknown here; the host is what tells pages apart.
    return parts.netloc.lower() == host.lower()


def local_target(target: str) -> str:
    """Where to go after signing in: a path on this site, whatever the link said."""
    if not target.startswith("/") or target.startswith(("//", "/\\")):
        return "/"
    return "/" if any(ord(character) < 32 or character == "\\" for character in target) else target


NAME_MAX = access.NAME_MAX
PASSWORD_MIN = 12
PASSWORD_MAX = 1024


def name_problem(name: str) -> str | None:
    """Why a new user can't be called so."""
    return access.name_problem(name)


def password_problem(password: str, again: str, name: str) -> str | None:
    """Why a new password can't be used."""
    if len(password) < PASSWORD_MIN:
        return f"A password has at least {PASSWORD_MIN} characters."
    if len(password) > PASSWORD_MAX:
        return f"A password has at most {PASSWORD_MAX} characters."
    if password.strip().lower() == name.strip().lower():
        return "The password must differ from the name."
    if password != again:
        return "The two passwords differ."
    return None
