"""A sign-in to a database, at each address of its name in turn until one takes a connection.

Called by `daemon.services.probes.mysql` and `daemon.services.probes.postgres`, whose libraries are told an address, so
that none is asked that was not checked.
"""

import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from daemon.services.probes import connecting
from daemon.services.probes.probe import Target, mark
from daemon.services.probes.resolving import AddressInfo
from schema.facts import Facts


async def signed_in(target: Target, port: int, version: Callable[[Target, str, int], Awaitable[str]]) -> Facts:
    """What was found; `version` signs in at an address and a port. `port`: where the URL has none. OSError."""
    parts = urlsplit(target.definition.url)
    host, began = parts.hostname or "", time.perf_counter()
    seen = connecting.watch(target, target.definition.server_name or host)

    async def at(info: AddressInfo) -> str:
        mark("wait")
        seen.ip = str(info[4][0])
        return await version(target, seen.ip, parts.port or port)

    found = await connecting.first_taken(target, host, parts.port or port, at)
    return seen.facts(began, time.perf_counter(), body=found.encode())
