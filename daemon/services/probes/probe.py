"""The protocol of probes: a target goes in, facts come out. To add a kind: a file with one such coroutine, a line in
`daemon.services.probes.kinds`, and the kind in `schema.definitions`.

`ask` is what everybody calls: it keeps the timeout, turns errors into causes, so that a probe may simply fail, and
takes the service's secrets out of what they say.
"""

import asyncio
import errno
import socket
import ssl
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from urllib.parse import urlsplit

import msgspec

from daemon.services.probes.resolving import Lookups
from daemon.services.rules.masking import without_secrets
from schema.definitions import Definition
from schema.facts import Cause, Facts

DETAIL_MAX = 300
# Where the probe of this task has got to: ms since its begin, by phase; read where it ends before its time.
MARKS: ContextVar[dict[str, float]] = ContextVar("MARKS")


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What is probed: a definition whose variables and passwords are filled in. It is never shown or stored.

    `denied` says of an address, as text, why it may not be asked; None if it may. `lookups` finds out what names stand
    for.
    """

    id: int
    definition: Definition
    denied: Callable[[str], str | None] = lambda address: None
    lookups: Lookups = msgspec.field(default_factory=Lookups)


Probe = Callable[[Target], Awaitable[Facts]]


class ProbeError(Exception):
    """There is no answer to judge, and why."""

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(detail)
        self.cause, self.detail = cause, detail


class DeniedError(OSError):
    """The address is one that may not be asked. An OSError, so that it goes the way of one that can't be."""


def mark(phase: str) -> None:
    """The phase begins that goes on until the next mark. It begins once: what a redirect leads to is waited for."""
    MARKS.get().setdefault(phase, time.perf_counter())


def phases(end: float | None = None) -> dict[str, float]:
    """How long each phase took, in ms, in their order; the last goes on until `end`, or now."""
    marks = list(MARKS.get().items())
    if not marks:
        return {}
    ends = [at for _, at in marks[1:]] + [time.perf_counter() if end is None else end]
    return {name: (until - at) * 1000 for (name, at), until in zip(marks, ends, strict=True) if name}


def parts(target: Target) -> tuple[str, int]:
    """Host and port of a URL that names both."""
    found = urlsplit(target.definition.url)
    return found.hostname or "", found.port or 0


async def ask(probe: Probe, target: Target) -> Facts:
    """Probes once, within the timeout of the definition. Never raises."""
    timeout, marks = target.definition.timeout, dict[str, float]()
    token = MARKS.set(marks)
    began = time.perf_counter()
    try:
        async with asyncio.timeout(timeout):
            return await probe(target)
    except TimeoutError:
        where = next(reversed(marks), "")
        detail = f"no answer within {timeout:g} s" + (f" ({WHERE[where]})" if where in WHERE else "")
        found = (Cause.TIMEOUT, detail)
    except ProbeError as error:
        found = (error.cause, error.detail)
    except OSError as error:
        found = cause_of(error)
        if found[0] is Cause.RESET and next(reversed(marks), "") == "tls":
            found = (
                Cause.RESET,
                "it closed the connection in the TLS handshake; perhaps it speaks no TLS at that port",
            )
    except Exception as error:  # noqa: BLE001 - one probe's fault is no reason to stop all the others
        log_fault(error, target.definition)
        found = (Cause.FAILED, f"the probe itself failed, as the daemon's log tells: {type(error).__name__}")
    finally:
        took = phases()
        MARKS.reset(token)
    latency = (time.perf_counter() - began) * 1000
    detail = without_secrets(found[1], target.definition)[:DETAIL_MAX]
    return Facts(cause=found[0], detail=detail, latency_ms=latency, phases=took)


def log_fault(error: Exception, definition: Definition) -> None:
    """Tells the daemon's log of a fault of ours, without what the service is signed in to with."""
    told = "".join(traceback.format_exception(error))
    print(without_secrets(told, definition), end="", file=sys.stderr, flush=True)


WHERE = {
    "dns": "while the name was resolved",
    "connect": "while connecting",
    "tls": "in the TLS handshake",
    "wait": "while it was to answer",
    "transfer": "in the middle of its answer",
}
NUMBERS = {
    errno.ECONNREFUSED: (Cause.REFUSED, "connection refused"),
    errno.EHOSTUNREACH: (Cause.UNREACHABLE, "no route to the host"),
    errno.ENETUNREACH: (Cause.UNREACHABLE, "no route to its network"),
    errno.ECONNRESET: (Cause.RESET, "the connection was reset"),
    errno.EPIPE: (Cause.RESET, "the connection was cut"),
    errno.ECONNABORTED: (Cause.RESET, "the connection was cut"),
    errno.ETIMEDOUT: (Cause.TIMEOUT, "the connection timed out"),
    errno.EMFILE: (Cause.FAILED, "this daemon has no descriptor left; see claudeopsctl status"),
}

NO_TLS = "what answers there speaks no TLS; perhaps it wants http://, or is at another port"
TOO_OLD = "it speaks only versions of TLS that are too old to be safe"
# What OpenSSL calls what people meet most often.
HANDSHAKES = {
    "WRONG_VERSION_NUMBER": NO_TLS,
    "HTTP_REQUEST": NO_TLS,
    "PACKET_LENGTH_TOO_LONG": NO_TLS,
    "RECORD_LAYER_FAILURE": NO_TLS,
    "UNSUPPORTED_PROTOCOL": TOO_OLD,
    "TLSV1_ALERT_PROTOCOL_VERSION": TOO_OLD,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "it refuses the handshake; perhaps it wants a client certificate",
    "TLSV1_UNRECOGNIZED_NAME": "it knows no such host name",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it wants a client certificate",
}


def cause_of(error: OSError) -> tuple[Cause, str]:
    """What an error of the operating system or of TLS means."""
    if isinstance(error, DeniedError):
        return Cause.DENIED, str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Cause.CERTIFICATE, f"certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        reason = error.reason or str(error)
        return Cause.TLS, f"{HANDSHAKES[reason]} ({reason})" if reason in HANDSHAKES else f"TLS: {reason}"
    if isinstance(error, socket.gaierror):
        return Cause.DNS, f"the name can't be resolved: {error.strerror or error}"
    if isinstance(error, ConnectionResetError):  # asyncio raises it without a number, too
        return NUMBERS[errno.ECONNRESET]
    known = NUMBERS.get(error.errno or 0)
    return known or (Cause.UNREACHABLE, error.strerror or str(error) or type(error).__name__)
