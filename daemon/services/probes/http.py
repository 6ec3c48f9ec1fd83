"""HTTP and HTTPS: a request over a fresh connection each time, with what each of its phases took.

Fresh, because a kept connection hides what new users meet: name, connect, certificate. The phases come from the
library's own extension points: resolver, socket factory, SSL context, connector.
"""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import aiohttp
from aiohttp import abc
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from daemon.services.probes import connecting
from daemon.services.probes.probe import DeniedError, ProbeError, Target, mark, phases
from schema.facts import Cause, Facts
from schema.version import VERSION

BODY_MAX = 1024 * 1024
REDIRECTS_MAX = 10
AGENT = f"ClaudeOps/{VERSION}"
HEADERS_MAX = 60
CLOSE = aiohttp.ClientWSTimeout(ws_close=1.0)


class Resolver(abc.AbstractResolver):
    """The system's resolver, with its time told."""

    def __init__(self) -> None:
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[abc.ResolveResult]:
        """The addresses of a name."""
        mark("dns")
        return await self._system.resolve(host, port, family)

    async def close(self) -> None:
        """Nothing is kept open."""


class Connector(aiohttp.TCPConnector):
    """A connection for each request, with the moment told at which it stood."""

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """As the library's own. A trace would tell the same, and cost each request its dozen of signals."""
        made = await super().connect(req, traces, timeout)
        mark("wait")
        return made


class Http:
    """All HTTP probes of the worker. `close` it at the end."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[object, ...], aiohttp.ClientSession] = {}

    async def __call__(self, target: Target) -> Facts:
        """One request. OSError, ProbeError, TimeoutError."""
        wanted, session = target.definition, self._session(target)
        seen = connecting.watch(target)
        began = time.perf_counter()
        with translated():
            async with session.request(
                wanted.method,
                wanted.url,
                headers=wanted.headers or None,
                data=wanted.body.encode() if wanted.body else None,
                allow_redirects=wanted.redirects,
                max_redirects=REDIRECTS_MAX,
                proxy=wanted.proxy or None,
                server_hostname=wanted.server_name or None,
            ) as response:
                mark("transfer")
                body = await _read(response)
                end = time.perf_counter()
                return self._facts(response, body, seen, began, end)

    async def websocket(self, target: Target) -> Facts:
        """One handshake of a WebSocket, and its close. OSError, ProbeError, TimeoutError."""
        wanted, session = target.definition, self._session(target)
        seen = connecting.watch(target)
        began = time.perf_counter()
        with translated():
            async with session.ws_connect(
                wanted.url, headers=wanted.headers or None, proxy=wanted.proxy or None, timeout=CLOSE
            ):
                end = time.perf_counter()
        certificate, left = seen.certificate()
        return Facts(
            latency_ms=(end - began) * 1000,
            connected=True,
            status=101,
            ip=seen.ip,
            certificate=certificate,
            certificate_s=left,
            phases=phases(end),
        )

    def _facts(
        self, response: aiohttp.ClientResponse, body: bytes, seen: connecting.Seen, began: float, end: float
    ) -> Facts:
        certificate, left = seen.certificate()
        return Facts(
            latency_ms=(end - began) * 1000,
            connected=True,
            status=response.status,
            headers=_headers(response),
            body=body,
            ip=seen.ip,
            certificate=certificate,
            certificate_s=left,
            phases=phases(end),
        )

    def _session(self, target: Target) -> aiohttp.ClientSession:
        """One for each way of connecting: those that differ in nothing share it, and no connection."""
        wanted = target.definition
        # What is never encrypted may lead on to what is, so each has a context; making one takes its time once.
        proxied = bool(wanted.proxy)
        key = (proxied, wanted.family, wanted.verify, wanted.ca_file, wanted.certificate_file, wanted.key_file)
        found = self._sessions.get(key)
        if found is None:
            connector = Connector(
                ssl=connecting.context(wanted),
                family={0: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}[wanted.family],
                force_close=True,
                use_dns_cache=False,
                limit=0,
                resolver=Resolver(),
                socket_factory=connecting.allowed_socket,
            )
            found = self._sessions[key] = aiohttp.ClientSession(
                connector=connector,
                headers={"User-Agent": AGENT},
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                middlewares=(_allowed_beyond,) if proxied else (),
                max_line_size=65536,
                max_field_size=65536,
            )
        return found

    async def close(self) -> None:
        """Closes what is open."""
        await asyncio.gather(*(session.close() for session in self._sessions.values()))
        self._sessions.clear()


async def _allowed_beyond(request: aiohttp.ClientRequest, ask: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """A proxy connects by itself, so what it is asked for is judged here, also where a redirect leads.

    By address alone: what a name stands for is known there.
    """
    host = request.url.host or ""
    with suppress(OSError, UnicodeError):
        host = socket.inet_ntoa(socket.inet_aton(host))  # 2852039166 is an address as well
    if why := connecting.SEEN.get().denied(host):
        raise DeniedError(why)
    return await ask(request)


@contextmanager
def translated() -> Iterator[None]:
    """Turns the library's errors into causes."""
    try:
        yield
    except aiohttp.ClientConnectorDNSError as error:
        raise ProbeError(Cause.DNS, f"the name can't be resolved: {error.os_error.strerror or error}") from error
    except aiohttp.ClientConnectorCertificateError as error:
        raise error.certificate_error from error
    except aiohttp.ClientOSError as error:
        raise connecting.inner(error) from error
    except aiohttp.TooManyRedirects as error:
        raise ProbeError(Cause.PROTOCOL, f"more than {REDIRECTS_MAX} redirects") from error
    except aiohttp.WSServerHandshakeError as error:
        raise ProbeError(Cause.PROTOCOL, f"no WebSocket: it answers {error.status}") from error
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError) as error:
        raise ProbeError(Cause.RESET, "it closed the connection in the middle of its answer") from error
    except aiohttp.ClientError as error:
        raise ProbeError(Cause.PROTOCOL, f"no answer in HTTP: {str(error)[:200]}") from error


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    """By their names in small letters; of two the first. A byte that is no UTF-8 is a surrogate in what the library
    makes of it, which nobody can store or send."""
    found: dict[str, str] = {}
    for name, value in list(response.headers.items())[:HEADERS_MAX]:
        found.setdefault(name.lower(), value.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    return found


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The first part of the body; who sends more is not waited for."""
    parts, size = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size >= BODY_MAX:
            response.close()
            break
    return b"".join(parts)[:BODY_MAX]
