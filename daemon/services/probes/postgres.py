"""PostgreSQL: a sign-in and the smallest question, over TLS where the server offers it. Its version is [BODY].

The URL alone says who signs in, to what: for what it leaves out the library would take the daemon's own variables and
files, and it would look the name up by itself.
"""

import getpass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from daemon.services.probes import connecting
from daemon.services.probes.probe import ProbeError, Target
from daemon.services.probes.signing_in import signed_in
from schema.facts import Cause, Facts

if TYPE_CHECKING:
    import asyncpg

PORT = 5432
# The values of sslmode, and whether there has to be TLS.
MODES = {"disable": False, "allow": False, "prefer": False, "require": True, "verify-ca": True, "verify-full": True}
JUDGED = ("verify-ca", "verify-full")


async def postgres(target: Target) -> Facts:
    """One sign-in. OSError, ProbeError, TimeoutError."""
    return await signed_in(target, PORT, _version)


async def _version(target: Target, address: str, port: int) -> str:
    # Here and not above: who probes no database does not pay for the library.
    import asyncpg

    try:
        connection = await _connected(target, address, port)
        try:
            return str(await connection.fetchval("SHOW server_version"))
        finally:
            connection.terminate()
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise ProbeError(Cause.FAILED, str(error)) from error
    except ConnectionError as error:
        if _is_of_the_system(error):
            raise
        raise ProbeError(Cause.PROTOCOL, str(error)) from error


async def _connected(target: Target, address: str, port: int) -> "asyncpg.Connection[asyncpg.Record]":
    import asyncpg  # not above: see there

    parts = urlsplit(target.definition.url)
    settings = dict(parse_qsl(parts.query))
    user = settings.pop("user", "") or unquote(parts.username or "") or getpass.getuser()
    password = settings.pop("password", "") or unquote(parts.password or "")
    database = settings.pop("dbname", "") or unquote(parts.path.strip("/")) or user
    mode = settings.pop("sslmode", "prefer")
    if mode not in MODES:
        raise ProbeError(Cause.FAILED, f"sslmode is one of {', '.join(MODES)}")
    connect = partial(
        asyncpg.connect,
        host=address,
        port=port,
        user=user,
        password=password,
        database=database,
        server_settings=settings,
        direct_tls=False,
        target_session_attrs="any",
        timeout=target.definition.timeout,
    )
    if mode == "disable":
        return await connect(ssl=False)
    try:
        return await connect(ssl=connecting.database_context(target.definition, judged=mode in JUDGED))
    except ConnectionError as error:
        if MODES[mode] or _is_of_the_system(error):
            raise
    return await connect(ssl=False)  # it offers no TLS


def _is_of_the_system(error: ConnectionError) -> bool:
    """Whether the operating system says so, and not the library."""
    return error.errno is not None
