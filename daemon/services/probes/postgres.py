"""PostgreSQL: a sign-in and the smallest question. The server's version is [BODY].

The URL alone says who signs in, to what: for what it leaves out the library would take the daemon's own variables and
files, and it would look the name up by itself.
"""

import getpass
import time
from urllib.parse import parse_qsl, unquote, urlsplit

from daemon.services.probes import connecting
from daemon.services.probes.probe import ProbeError, Target, mark, phases
from daemon.services.probes.resolving import AddressInfo
from schema.facts import Cause, Facts

PORT = 5432


async def postgres(target: Target) -> Facts:
    """One sign-in. OSError, ProbeError, TimeoutError."""
    parts = urlsplit(target.definition.url)
    port, began = parts.port or PORT, time.perf_counter()

    async def sign_in(info: AddressInfo) -> tuple[str, str]:
        mark("wait")
        address = str(info[4][0])
        return address, await _version(target, address, port)

    address, version = await connecting.first_taken(target, parts.hostname or "", port, sign_in)
    end = time.perf_counter()
    return Facts(latency_ms=(end - began) * 1000, connected=True, ip=address, body=version.encode(), phases=phases(end))


async def _version(target: Target, address: str, port: int) -> str:
    # Here and not above: who probes no database does not pay for the library.
    import asyncpg

    parts = urlsplit(target.definition.url)
    settings = dict(parse_qsl(parts.query))
    user = settings.pop("user", "") or unquote(parts.username or "") or getpass.getuser()
    try:
        connection = await asyncpg.connect(
            host=address,
            port=port,
            user=user,
            password=settings.pop("password", "") or unquote(parts.password or ""),
            database=settings.pop("dbname", "") or unquote(parts.path.strip("/")) or user,
            ssl=settings.pop("sslmode", "prefer"),
            direct_tls=False,
            target_session_attrs="any",
            server_settings=settings,
            timeout=target.definition.timeout,
        )
        try:
            return str(await connection.fetchval("SHOW server_version"))
        finally:
            connection.terminate()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise ProbeError(Cause.FAILED, str(error)) from error
    except ConnectionError as error:
        if error.errno is None:  # the library's own word, and not the operating system's
            raise ProbeError(Cause.PROTOCOL, str(error)) from error
        raise
