"""What is shared by probes that speak HTTP: sessions of the library, and its errors in words.

Called by the probes of `daemon.services.probes`. The phases of a request come from the library's own extension points:
resolver, socket factory, SSL context, connector.
"""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import aiohttp
from aiohttp import abc
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from daemon.services.probes import connecting
from daemon.services.probes.decoding import ACCEPTED
from daemon.services.probes.probe import DeniedError, ProbeError, Target, mark
from daemon.services.probes.resolving import AddressInfo, Lookups
from schema.facts import Cause
from schema.version import VERSION

REDIRECTS_MAX = 10
AGENT = f"ClaudeOps/{VERSION}"
SAID_MAX = 200
# How the library's parser says that no answer begins there, and where it begins to quote what was sent.
NOT_BEGUN = "Bad status line:\n  Expected HTTP/"
QUOTED = re.compile(r":?\s*\bb['\"]")
NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class Resolver(abc.AbstractResolver):
    """The worker's lookups, with their time told."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[abc.ResolveResult]:
        """The addresses of a name."""
        mark("dns")
        found = await self._lookups.addresses(host, port, family, socket.AI_ADDRCONFIG)
        return [
            abc.ResolveResult(hostname=host, host=_text(info), port=port, family=info[0], proto=info[2], flags=NUMERIC)
            for info in found
        ]

    async def close(self) -> None:
        """Nothing is kept open."""


def _text(info: AddressInfo) -> str:
    """An address with the interface that a link-local one is of."""
    scope = info[4][3] if info[0] == socket.AF_INET6 else 0
    return f"{info[4][0]}%{scope}" if scope else str(info[4][0])


class Connector(aiohttp.TCPConnector):
    """A connection for each request, with the moment told at which it stood."""

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """As the library's own. A trace would tell the same, and cost each request its dozen of signals."""
        made = await super().connect(req, traces, timeout)
        mark("wait")
        return made


class Way:
    """A way of connecting: its session, by which files it was made, and how many requests go by it."""

    def __init__(self, session: aiohttp.ClientSession, files: connecting.Stamps) -> None:
        self.session, self.files = session, files
        self.users = 0
        self.replaced = False

    async def tidy(self) -> None:
        """Closes it where nothing goes by it any more, nor will."""
        if self.replaced and not self.users:
            await self.session.close()


class Sessions:
    """The library's sessions of all HTTP probes. `close` them at the end."""

    def __init__(self) -> None:
        self._ways: dict[tuple[object, ...], Way] = {}

    @asynccontextmanager
    async def of(self, target: Target) -> AsyncIterator[aiohttp.ClientSession]:
        """One for each way of connecting: those that differ in nothing share it, and no connection. OSError."""
        wanted = target.definition
        # What is never encrypted may lead on to what is, so each has a context; making one takes its time once.
        paths = (wanted.ca_file, wanted.certificate_file, wanted.key_file)
        key = (bool(wanted.proxy), wanted.family, wanted.verify, *paths)
        files, before = connecting.stamps(wanted), self._ways.get(key)
        if before is not None and before.files == files:
            way, before = before, None
        else:
            way = self._ways[key] = Way(_session(target), files)
        way.users += 1
        try:
            if before is not None:
                before.replaced = True
                await before.tidy()
            yield way.session
        finally:
            way.users -= 1
            await way.tidy()

    async def close(self) -> None:
        """Closes what is open."""
        await asyncio.gather(*(way.session.close() for way in self._ways.values()))
        self._ways.clear()


def _session(target: Target) -> aiohttp.ClientSession:
    wanted = target.definition
    connector = Connector(
        ssl=connecting.context(wanted),
        family=connecting.FAMILIES[wanted.family],
        force_close=True,
        use_dns_cache=False,
        limit=0,
        resolver=Resolver(target.lookups),
        socket_factory=connecting.allowed_socket,
    )
    return aiohttp.ClientSession(
        connector=connector,
        headers={"User-Agent": AGENT, "Accept-Encoding": ACCEPTED},
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        middlewares=(_allowed_beyond,) if wanted.proxy else (),
        max_line_size=65536,
        max_field_size=65536,
    )


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
        raise ProbeError(Cause.PROTOCOL, _in_words(error)) from error


def _in_words(error: aiohttp.ClientError) -> str:
    """What has happened. The library's own text may hold a URL, with the password in it."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy answers {error.status}"
    if isinstance(error, aiohttp.NonHttpUrlClientError):
        where = "an address that is not of HTTP"
    elif isinstance(error, aiohttp.InvalidURL):
        where = "an address that is none"
    elif isinstance(error, aiohttp.ClientResponseError):
        return f"it answers in broken HTTP: {_fault(error.message)}"
    else:
        return f"no answer in HTTP: {type(error).__name__}"
    return f"its answer leads to {where}" if isinstance(error, aiohttp.RedirectClientError) else f"the URL is {where}"


def _fault(said: str) -> str:
    """What the library's parser says, in one line and without the bytes that it quotes."""
    if said.startswith(NOT_BEGUN):
        return "it sends something else where an answer begins, or more than the answer's length says"
    return " ".join(QUOTED.split(said, maxsplit=1)[0].split())[:SAID_MAX]
