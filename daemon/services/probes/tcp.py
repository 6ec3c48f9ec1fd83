"""TCP: whether a connection comes about. What the other side says at once, such as a banner, is [BODY]."""

import asyncio
import contextlib
import time

from daemon.services.probes import connecting
from daemon.services.probes.probe import Target, parts
from schema.facts import Facts

BANNER_MAX = 4096
BANNER_SECONDS = 0.3


async def tcp(target: Target) -> Facts:
    """One connection. OSError, TimeoutError."""
    host, port = parts(target)
    seen, began = connecting.watch(target), time.perf_counter()
    reader, writer = await connecting.streams(target, host, port, tls=False)
    connected = time.perf_counter()
    banner = b""
    try:
        if any("[BODY]" in text for text in (*target.definition.conditions, *target.definition.warnings)):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BANNER_SECONDS):
                    banner = await reader.read(BANNER_MAX)
    finally:
        writer.transport.abort()
    return seen.facts(began, connected, body=banner)
