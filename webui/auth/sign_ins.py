"""Signed-in browsers: from the cookie to the person. Called by the guard for every request, and by live streams.

Only the SHA-256 of a cookie's value is stored. Sign-outs that happen here take effect at once; those that another
program makes, within CACHE_SECONDS.
"""

import asyncio
import time
from typing import NamedTuple

from aiohttp import web

from ipc.errors import CallError
from ipc.messages.envelope import Done
from ipc.messages.users import SignInSeen
from schema import timestamps
from schema.access import Scope, digest
from schema.database import Database
from schema.networks import Network
from schema.states import Role
from webui.auth.client import SECURE, asker
from webui.auth.rules import LOOPBACK_NAMES, host_of
from webui.state import State
from webui.worker import Worker

COOKIE = "claudeops"
FORM_COOKIE = "claudeops_form"
CACHE_SECONDS = 5.0
CACHE_MAX = 1000
SEEN_SECONDS = 3600.0
TOKEN_MAX = 200


class SignedIn(NamedTuple):
    """Who asks, by which sign-in or API token. `scopes` is None for people; `csrf` is empty for tokens.

    `expires_at` is a token's end, None if it has none.
    """

    user_id: int
    name: str
    role: Role
    csrf: str
    token_hash: str
    seen_at: str
    token_id: int = 0
    scopes: frozenset[Scope] | None = None
    expires_at: str | None = None


SIGNED_IN: web.RequestKey[SignedIn] = web.RequestKey("signed_in", SignedIn)


class SignIns:
    """Looks cookies up."""

    def __init__(self, state: State, worker: Worker, days: int, public_url: str, trusted: list[Network]) -> None:
        self._state = state
        self._worker = worker
        self._max_age = days * 86400
        self._public_url = public_url
        self._trusted = trusted
        self._cache: dict[str, tuple[float, SignedIn]] = {}
        self._forgotten = 0
        self._telling: set[asyncio.Task[None]] = set()

    async def find(self, request: web.Request) -> SignedIn | None:
        """The person that a request's cookie belongs to. CallError if the database can't be read."""
        token = request.cookies.get(COOKIE, "")
        if not token or len(token) > TOKEN_MAX:
            return None
        return await self.check(digest(token))

    async def check(self, token_hash: str) -> SignedIn | None:
        """The person of a sign-in, as long as it lasts."""
        cached = self._cache.get(token_hash)
        if cached is not None and time.monotonic() - cached[0] < CACHE_SECONDS:
            return cached[1]
        self._cache.pop(token_hash, None)

        def look(database: Database) -> SignedIn | None:
            row = database.one("users.by_sign_in", token_hash=token_hash, now=timestamps.now())
            if row is None:
                return None
            return SignedIn(row["id"], row["name"], Role(row["role"]), row["csrf"], token_hash, row["seen_at"])

        forgotten = self._forgotten
        found = await self._state.read(look)
        # What was read before something was forgotten may be what was to be forgotten.
        if found is not None and forgotten == self._forgotten:
            if len(self._cache) >= CACHE_MAX:
                self._cache.clear()
            self._cache[token_hash] = (time.monotonic(), found)
        return found

    def forget(self, token_hash: str | None = None) -> None:
        """Trusts one sign-in, or every one, no longer without looking it up anew."""
        self._forgotten += 1
        if token_hash is None:
            self._cache.clear()
        else:
            self._cache.pop(token_hash, None)

    def is_stale(self, person: SignedIn) -> bool:
        """Whether its expiry should be moved forward: at most once an hour."""
        seen = timestamps.parse(person.seen_at).timestamp()
        return time.time() - seen > SEEN_SECONDS and self._worker.ok

    def renew(self, person: SignedIn) -> None:
        """Moves a sign-in's expiry forward, without keeping the page waiting."""
        self.forget(person.token_hash)
        task = asyncio.create_task(self._seen(person.token_hash))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _seen(self, token_hash: str) -> None:
        try:
            await self._worker.call(SignInSeen(sign_in_hash=token_hash), Done, timeout=2.0)
        except CallError:
            return  # the next request tries again; nobody is signed out for it

    def set_cookie(self, request: web.Request, response: web.StreamResponse, token: str) -> None:
        """Signs the browser in."""
        response.set_cookie(
            COOKIE, token, max_age=self._max_age, httponly=True, samesite="Lax", secure=self.is_secure(request)
        )

    def is_secure(self, request: web.Request) -> bool:
        """Whether cookies are for HTTPS alone. A visit by plain HTTP over this host's own loopback goes without."""
        if asker(request, self._trusted).scheme == SECURE:
            return True
        return self._public_url.startswith("https://") and host_of(request.host) not in LOOPBACK_NAMES
