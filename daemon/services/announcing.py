"""Has those who look after services hear how each is stored now, whoever changes it meanwhile.

Built by `daemon.services.catalogue`; `each` is called by `daemon.services.services`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

from daemon.services import stored
from daemon.store import Store
from schema.database import Database, Row

AT_ONCE = 100
K = TypeVar("K")


class Announcing(Generic[K]):
    """What is told of services. `known` makes of a row what is told; `told` hears it, or None for one that is gone."""

    def __init__(
        self, store: Store, known: Callable[[Row], K], told: Callable[[int, K | None], Awaitable[None]]
    ) -> None:
        self._store, self._known, self._told = store, known, told
        # Held while rows are read and told of: what is stored meanwhile is told after that, never before.
        self._telling = asyncio.Lock()

    async def of(self, ids: Sequence[int]) -> None:
        """Some services: they were changed, or may have been."""
        for first in range(0, len(ids), AT_ONCE):
            async with self._telling:
                for id_, row in await self._store.read(partial(_rows, ids[first : first + AT_ONCE])):
                    await self._told(id_, None if row is None else self._known(row))

    async def each(self, hears: Callable[[K], Awaitable[None]]) -> None:
        """Every service, to somebody else, in the order in which they were added."""
        after: int | None = 0
        while after is not None:
            async with self._telling:
                rows = await self._store.read(partial(stored.page, after))
                for row in rows:
                    await hears(self._known(row))
            after = rows[-1]["id"] if rows else None


def _rows(ids: Sequence[int], db: Database) -> list[tuple[int, Row | None]]:
    return [(id_, db.one("definitions.one", id=id_)) for id_ in ids]
