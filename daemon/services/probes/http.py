"""HTTP and HTTPS: a request over a fresh connection each time, with what each of its phases took.

Fresh, because a kept connection hides what new users meet: name, connect, certificate.
"""

import time

import aiohttp

from daemon.services.probes import connecting
from daemon.services.probes.decoding import Body
from daemon.services.probes.probe import Target, mark
from daemon.services.probes.requesting import REDIRECTS_MAX, Sessions, translated
from schema.facts import Facts

BODY_MAX = 1024 * 1024
HEADERS_MAX = 60


class Http:
    """All HTTP probes of the worker."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def __call__(self, target: Target) -> Facts:
        """One request. OSError, ProbeError, TimeoutError."""
        wanted, seen = target.definition, connecting.watch(target)
        async with self._sessions.of(target) as session:
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
                    found = {"status": response.status, "headers": _headers(response), "body": body.text()}
                    return seen.facts(began, end, **found, unread=body.unread)


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    """By their names in small letters; of two the first. A byte that is no UTF-8 is a surrogate in what the library
    makes of it, which nobody can store or send."""
    found: dict[str, str] = {}
    for name, value in list(response.headers.items())[:HEADERS_MAX]:
        found.setdefault(name.lower(), value.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    return found


async def _read(response: aiohttp.ClientResponse) -> Body:
    """The first part of the body; who sends more is not waited for."""
    body = Body(",".join(response.headers.getall("Content-Encoding", ())), BODY_MAX)
    async for part in response.content.iter_any():
        if not body.add(part):
            response.close()
            break
    return body
