"""Checks of how people get in: the dashboard's certificate and key, the reverse proxy before it."""

import os
from datetime import UTC, datetime

from ipc.ctl.checkup.host import Finding, Host, bad, ok, warn
from ipc.ctl.place import status_file


def certificate(host: Host) -> Finding | None:
    """Whether certificate and key can be used, belong together, hold, and nobody else may read the key."""
    cert = host.place("tls_cert")
    if not cert:
        return None
    import ssl  # for who speaks TLS alone

    from schema import certificate as file

    key = host.place("tls_key") or cert
    now = datetime.now(UTC)
    try:
        found = file.read(cert)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=lambda: "")
        told = file.key_problem(key)
    except PermissionError as error:
        return warn(f"{error.filename or key} is not open to uid {os.getuid()}; run this as the daemon's user")
    except OSError as error:  # ssl.SSLError is one
        reason = getattr(error, "reason", None) or error.strerror or str(error)
        return bad(
            f"{cert} and {key} can't be used: {str(reason).replace('_', ' ')}; put a matching pair in their place"
        )
    except ValueError as error:
        return bad(f"{cert}: {error}; put a PEM certificate in its place")
    if problem := found.problem(now):
        return bad(f"{cert} {problem}; renew it")
    if told or found.soon(now):
        return warn(told or f"{cert} {found.soon(now)}; renew it")
    return ok(f"{cert} is valid until {found.ends:%Y-%m-%d}")


def proxy(host: Host) -> Finding | None:
    """Whether the reverse proxy that requests came through lately says what it should."""
    if host.pid is None:
        return None
    told = status_file(host.runtime).get("proxy")
    return warn(str(told)) if told else None
