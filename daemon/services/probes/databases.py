"""PostgreSQL, and MySQL or MariaDB: a sign-in and the smallest question. The server's version is [BODY]."""

import time
from urllib.parse import unquote, urlsplit

from daemon.services.probes import connecting
from daemon.services.probes.probe import DeniedError, ProbeError, Target, mark, phases
from schema.facts import Cause, Facts

POSTGRES_PORT, MYSQL_PORT = 5432, 3306


async def _allowed(target: Target, host: str, port: int) -> str:
    """The address that is asked. OSError."""
    (info, *_) = await connecting.addresses(target, host, port)
    address = str(info[4][0])
    if why := target.denied(address):
        raise DeniedError(why)
    mark("wait")
    return address


async def postgres(target: Target) -> Facts:
    """One sign-in. OSError, ProbeError, TimeoutError."""
    # Here and not above: who probes no database does not pay for the library.
    import asyncpg

    parts = urlsplit(target.definition.url)
    began = time.perf_counter()
    address = await _allowed(target, parts.hostname or "", parts.port or POSTGRES_PORT)
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
    return _facts(began, address, version)


async def mysql(target: Target) -> Facts:
    """One sign-in and a ping. OSError, ProbeError, TimeoutError."""
    # Here and not above: who probes no database does not pay for the library.
    import aiomysql
    import pymysql

    parts = urlsplit(target.definition.url)
    began = time.perf_counter()
    address = await _allowed(target, parts.hostname or "", parts.port or MYSQL_PORT)
    try:
        connection = await aiomysql.connect(
            host=address,
            port=parts.port or MYSQL_PORT,
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
    return _facts(began, address, version)


def _facts(began: float, address: str, version: str) -> Facts:
    end = time.perf_counter()
    return Facts(latency_ms=(end - began) * 1000, connected=True, ip=address, body=version.encode(), phases=phases(end))
