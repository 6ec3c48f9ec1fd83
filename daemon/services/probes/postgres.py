"""PostgreSQL: a sign-in and the smallest question. The server's version is [BODY]."""

import time
from urllib.parse import urlsplit

from daemon.services.probes import connecting
from daemon.services.probes.probe import ProbeError, Target, phases
from schema.facts import Cause, Facts

PORT = 5432


async def postgres(target: Target) -> Facts:
    """One sign-in. OSError, ProbeError, TimeoutError."""
    # Here and not above: who probes no database does not pay for the library.
    import asyncpg

    parts = urlsplit(target.definition.url)
    began = time.perf_counter()
    address = str((await connecting.first_allowed(target, parts.hostname or "", parts.port or PORT))[4][0])
    try:
        connection = await asyncpg.connect(target.definition.url, timeout=target.definition.timeout)
        try:
            version = str(await connection.fetchval("SHOW server_version"))
        finally:
            connection.terminate()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise ProbeError(Cause.FAILED, str(error)) from error
    except ConnectionError as error:
        if error.errno is None:  # the library's own word, and not the operating system's
            raise ProbeError(Cause.PROTOCOL, str(error)) from error
        raise
    end = time.perf_counter()
    return Facts(latency_ms=(end - began) * 1000, connected=True, ip=address, body=version.encode(), phases=phases(end))
