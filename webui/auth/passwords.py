"""Hashing and verifying passwords with argon2, one at a time in a thread. Called by the sign-in and setup forms.

argon2 is imported at the first use: an idle dashboard does without it. A name that nobody has costs the same time as
one that somebody has.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, NamedTuple

from ipc.errors import CallError, Code

if TYPE_CHECKING:
    from argon2 import PasswordHasher

# Between OWASP's recommendations in memory and above them in time; one hash at a time bounds what an attack can take.
MEMORY_KIB, TIME_COST, LANES = 32 * 1024, 3, 1
WAITING_MAX = 16
# The hash of a password that nobody knows, with the parameters above (a test compares them).
NOBODY = "$argon2id$v=19$m=32768,t=3,p=1$gi+cJHWmlbYEz7mEnFH/rw$TkUUKEeDnEud4qwOJnSW6UkeH/ja2/m7AkJ3WlXNpGA"


class Verdict(NamedTuple):
    """Whether a password is right, and a new hash where the stored one is of weaker parameters."""

    right: bool
    rehash: str = ""


class Passwords:
    """The one place where passwords are hashed. `turn` is held around judging a sign-in."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._waiting = 0

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """One sign-in at a time. CallError `overloaded` when too many wait."""
        if self._waiting >= WAITING_MAX:
            raise CallError(Code.OVERLOADED, "Too many sign-ins at a time; try again in a few seconds.")
        self._waiting += 1
        try:
            async with self._lock:
                yield
        finally:
            self._waiting -= 1

    async def hash(self, password: str) -> str:
        """The argon2id hash to store. About 0.1 s in a thread."""
        return await asyncio.to_thread(lambda: _hasher().hash(password))

    async def verify(self, stored: str | None, password: str) -> Verdict:
        """Judges a password; without a stored hash (no such user) it takes as long and is wrong."""
        return await asyncio.to_thread(_verify, stored, password)


def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=LANES)


def _verify(stored: str | None, password: str) -> Verdict:
    from argon2.exceptions import InvalidHashError, VerificationError

    hasher = _hasher()
    try:
        hasher.verify(stored or NOBODY, password)
    except (VerificationError, InvalidHashError):
        return Verdict(False)
    if stored is None:
        return Verdict(False)
    return Verdict(True, hasher.hash(password) if hasher.check_needs_rehash(stored) else "")
