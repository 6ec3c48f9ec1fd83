"""MySQL and MariaDB: a sign-in and a ping, over TLS where the server offers it. The server's version is [BODY]."""

from urllib.parse import unquote, urlsplit

from daemon.services.probes import connecting
from daemon.services.probes.probe import ProbeError, Target
from daemon.services.probes.signing_in import signed_in
from schema.facts import Cause, Facts

PORT = 3306
NEEDS_TLS = "it asks for full authentication, which needs TLS, and offers none: switch TLS on at the server"


async def mysql(target: Target) -> Facts:
    """One sign-in and a ping. OSError, ProbeError, TimeoutError."""
    return await signed_in(target, PORT, _version)


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
            ssl=connecting.database_context(target.definition),
        )
        try:
            await connection.ping(reconnect=False)
            return str(connection.get_server_info())
        finally:
            connection.close()
    except RuntimeError as error:  # the library lacks another, which encrypts a password where TLS does not
        raise ProbeError(Cause.FAILED, NEEDS_TLS) from error
    except pymysql.MySQLError as error:
        cause = error.__cause__
        if isinstance(cause, OSError):
            raise cause from error
        raise ProbeError(Cause.FAILED, str(error.args[-1] if error.args else error)) from error
