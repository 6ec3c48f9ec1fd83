"""TLS: a handshake, and what the certificate says of itself. One that is not valid is a cause of its own."""

import time

from daemon.services.probes import connecting
from daemon.services.probes.probe import Target, parts
from schema.facts import Facts


async def tls(target: Target) -> Facts:
    """One handshake. OSError, TimeoutError."""
    host, port = parts(target)
    seen, began = connecting.watch(target), time.perf_counter()
    _, writer = await connecting.streams(target, host, port, tls=True)
    connected = time.perf_counter()
    writer.transport.abort()
    return seen.facts(began, connected)
