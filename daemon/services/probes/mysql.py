"""MySQL and MariaDB: a sign-in and a ping. The server's version is [BODY]."""

import time
from urllib.parse import unquote, urlsplit

from daemon.services.probes import connecting
from daemon.services.probes.probe import ProbeError, Target, phases
from schema.facts import Cause, Facts

PORT = 3306


async def mysql(target: Target) -> Facts:
    """One sign-in and a ping. OSError, ProbeError, TimeoutError."""
    # Here and not above: who probes no database does not pay for the library.
    import aiomysql
    import pymysql

    parts = urlsplit(target.definition.url)
    began = time.perf_counter()
    address = str((await connecting.first_allowed(target, parts.hostname or "", parts.port or PORT))[4][0])
    try:
        connection = await aiomysql.connect(
            host=address,
            port=parts.port or PORT,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            db=parts.path.strip("/") or None,
        )
        try:
            await connection.ping(reconnect=False)
            version = str(connection.get_server_info())
        finally:
            connection.close()
    except pymysql.MySQLError as error:
        cause = error.__cause__
        if isinstance(cause, OSError):
            raise cause from error
        raise ProbeError(Cause.FAILED, str(error.args[-1] if error.args else error)) from error
    end = time.perf_counter()
    return Facts(latency_ms=(end - began) * 1000, connected=True, ip=address, body=version.encode(), phases=phases(end))
