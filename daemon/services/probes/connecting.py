"""What probes share that connect: which addresses they may ask, TLS as a service wants it, the certificate they met.

Called by the probes of `daemon.services.probes`. What a connection learns lands in `Seen`, which is the task's own.
"""

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, TypeVar

from msgspec.structs import replace

from daemon.services.probes.probe import DeniedError, Target, mark, phases
from daemon.services.probes.resolving import AddressInfo
from schema import certificate as certificate_file
from schema import certificate_names, timestamps
from schema.definitions import Definition
from schema.facts import Certificate, Facts

T = TypeVar("T")
FAMILIES = {0: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}


class Seen:
    """What was met on the way: the address, and what TLS knows of the other side.

    `name`: whose certificate is wanted, where a library that connects by itself is told an address; else empty.
    """

    def __init__(self, denied: Callable[[str], str | None], name: str) -> None:
        self.denied, self.name = denied, name
        self.ip: str | None = None
        self.tls: ssl.SSLObject | None = None

    def certificate(self) -> tuple[Certificate | None, float | None]:
        """The certificate, and in how many seconds it ends; None without TLS."""
        if self.tls is None:
            return None, None
        raw = self.tls.getpeercert(binary_form=True)
        if not raw:
            return None, None
        found, ends = _read(raw)
        return found, ends - time.time()

    def facts(self, began: float, end: float, **more: Any) -> Facts:
        """What was found between two moments of `time.perf_counter`, with what was met on the way."""
        certificate, left = self.certificate()
        return Facts(
            latency_ms=(end - began) * 1000,
            connected=True,
            ip=self.ip,
            certificate=certificate,
            certificate_s=left,
            phases=phases(end),
            **more,
        )


@lru_cache(maxsize=4096)
def _read(der: bytes) -> tuple[Certificate, float]:
    """A certificate and when it ends, s since 1970: verified or not. Most services show the same one for months."""
    ends, names = certificate_file.of_der(der).ends, certificate_names.of_der(der)
    found = Certificate(
        subject=names.subject, issuer=names.issuer, expires_at=timestamps.stamp(ends), names=names.others
    )
    return found, ends.timestamp()


SEEN: ContextVar[Seen] = ContextVar("SEEN")


def watch(target: Target, name: str = "") -> Seen:
    """From now on, what this task connects to lands here."""
    seen = Seen(target.denied, name)
    SEEN.set(seen)
    return seen


def allowed_socket(info: AddressInfo) -> socket.socket:
    """A socket for an address that may be asked. DeniedError."""
    seen, address = SEEN.get(), str(info[4][0])
    if why := seen.denied(address):
        raise DeniedError(why)
    mark("connect")
    seen.ip = address
    made = socket.socket(info[0], info[1], info[2])
    made.setblocking(False)
    return made


class Context(ssl.SSLContext):
    """A context that tells when a handshake begins, and of which connection it is."""

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """As the library's own."""
        seen = SEEN.get()
        if seen.name:
            kwargs["server_hostname"] = seen.name
        else:
            mark("tls")
        made = seen.tls = super().wrap_bio(*args, **kwargs)
        return made


Stamps = tuple[tuple[int, int], ...]


def stamps(wanted: Definition) -> Stamps:
    """What tells the files of a service from those that take their place when they are renewed. OSError."""
    found = [os.stat(path) for path in (wanted.ca_file, wanted.certificate_file, wanted.key_file) if path]
    return tuple((one.st_mtime_ns, one.st_ino) for one in found)


def context(wanted: Definition, protocols: tuple[str, ...] = ()) -> ssl.SSLContext:
    """TLS as a service wants it; `protocols` by ALPN. OSError for files that can't be read."""
    files = (wanted.ca_file, wanted.certificate_file, wanted.key_file)
    return _context(wanted.verify, *files, protocols, stamps(wanted))


def database_context(wanted: Definition, *, judged: bool = False) -> ssl.SSLContext:
    """TLS to a database. As its own clients do, it judges a certificate only where it is told to, by whom it is signed.

    Most such servers have made theirs themselves.
    """
    return context(wanted if judged or wanted.ca_file else replace(wanted, verify=False))


@lru_cache(maxsize=64)
def _context(
    verify: bool, ca_file: str, certificate_file: str, key_file: str, protocols: tuple[str, ...], _: Stamps
) -> ssl.SSLContext:
    made = Context(ssl.PROTOCOL_TLS_CLIENT)
    if protocols:
        made.set_alpn_protocols(list(protocols))
    if verify:
        made.load_verify_locations(ca_file) if ca_file else made.load_default_certs()
    else:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if certificate_file:
        made.load_cert_chain(certificate_file, key_file)
    return made


async def addresses(target: Target, host: str, port: int) -> list[AddressInfo]:
    """What a name stands for. OSError."""
    mark("dns")
    return await target.lookups.addresses(host, port, FAMILIES[target.definition.family])


async def first_allowed(target: Target, host: str, port: int) -> AddressInfo:
    """The first address of a name, for what is asked without a connection. OSError."""
    (info, *_) = await addresses(target, host, port)
    if why := target.denied(str(info[4][0])):
        raise DeniedError(why)
    mark("wait")
    return info


async def first_taken(target: Target, host: str, port: int, ask: Callable[[AddressInfo], Awaitable[T]]) -> T:
    """What comes of the first address of a name that may be asked and takes a connection. OSError."""
    failed: OSError | None = None
    for info in await addresses(target, host, port):
        if why := target.denied(str(info[4][0])):
            failed = failed or DeniedError(why)
            continue
        try:
            return await ask(info)
        except ssl.SSLError:  # it has taken the connection
            raise
        except OSError as error:
            failed = error
    raise failed or OSError(f"{host} has no address")


async def connect(target: Target, host: str, port: int) -> socket.socket:
    """A TCP connection. OSError."""
    return await first_taken(target, host, port, _connected)


async def _connected(info: AddressInfo) -> socket.socket:
    made = allowed_socket(info)
    try:
        await asyncio.get_running_loop().sock_connect(made, info[4])
    except BaseException:
        made.close()
        raise
    return made


async def streams(
    target: Target, host: str, port: int, *, tls: bool, protocols: tuple[str, ...] = ()
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to talk over, encrypted where wanted. OSError."""
    made = await connect(target, host, port)
    try:
        found = await asyncio.open_connection(
            sock=made,
            ssl=context(target.definition, protocols) if tls else None,
            server_hostname=(target.definition.server_name or host) if tls else None,
        )
    except BaseException:
        made.close()
        raise
    mark("wait")
    return found


def inner(error: OSError) -> OSError:
    """The error that a library has wrapped, for its number says what has happened."""
    return error.__cause__ if isinstance(error.__cause__, OSError) else error
