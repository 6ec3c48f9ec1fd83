"""MySQL and MariaDB: a sign-in and a ping. The server's version is [BODY]."""

import time
from urllib.parse import unquote, urlsplit

from daemon.services.probes import connecting
from daemon.services.probes.probe import ProbeError, Target, mark, phases
from daemon.services.probes.resolving import AddressInfo
from schema.facts import Cause, Facts

PORT = 3306


async def mysql(target: Target) -> Facts:
    """One sign-in and a ping. OSError, ProbeError, TimeoutError."""
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
    import aiomysql
    import pymysql

    parts = urlsplit(target.definition.url)
    try:
        connection = await aiomysql.connect(
            host=address,
            port=port,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            db=unquote(parts.path.strip("/")) or None,
        )
        try:
            await connection.ping(reconnect=False)
            return str(connection.get_server_info())
        finally:
            connection.close()
    except pymysql.MySQLError as error:
        cause = error.__cause__
        if isinstance(cause, OSError):
            raise cause from error
        raise ProbeError(Cause.FAILED, str(error.args[-1] if error.args else error)) from error
