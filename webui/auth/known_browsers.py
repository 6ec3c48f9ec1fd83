"""Browsers in which somebody has signed in before: their failures count apart from those of their address.

So nobody is kept out by another who guesses from the same address: behind the same router, or behind a proxy that is
not trusted, where all come from one. The cookie is worth nothing but this. It is tied to the person and their password
by a MAC, so nothing is stored for it, and it ends with the password. Called by the forms that sign in.
"""

import hashlib
import hmac
import secrets

from aiohttp import web

from schema.access import digest
from webui.auth.sign_ins import SignIns

COOKIE = "claudeops_known"
PLACE = "/sign-in"  # where it is sent to, and nowhere else
DAYS = 180
VALUE_MAX = 200
COUNTED_AS = "browser "


def value(user_id: int, password_hash: str, nonce: str) -> str:
    """What the cookie holds."""
    text = f"claudeops known browser {user_id} {nonce}".encode()
    return f"{nonce}.{hmac.new(password_hash.encode(), text, hashlib.sha256).hexdigest()}"


def counted_as(shown: str, user_id: int | None, password_hash: str | None) -> str:
    """In the place of which address this browser's failures count; empty where it is not known to this person."""
    nonce = shown.rpartition(".")[0]
    if user_id is None or not password_hash or not nonce or len(shown) > VALUE_MAX:
        return ""
    good = hmac.compare_digest(shown.encode("utf-8", "replace"), value(user_id, password_hash, nonce).encode())
    return f"{COUNTED_AS}{digest(nonce)[:16]}" if good else ""


def remember(
    request: web.Request, response: web.StreamResponse, sign_ins: SignIns, user_id: int, password_hash: str
) -> None:
    """Makes this browser a known one of a person who is let in."""
    response.set_cookie(
        COOKIE,
        value(user_id, password_hash, secrets.token_urlsafe(16)),
        max_age=DAYS * 86400,
        path=PLACE,
        httponly=True,
        samesite="Strict",
        secure=sign_ins.is_secure(request),
    )
