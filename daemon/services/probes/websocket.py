"""WebSocket: a handshake, and its close."""

import time

import aiohttp

from daemon.services.probes import connecting
from daemon.services.probes.probe import Target
from daemon.services.probes.requesting import Sessions, translated
from schema.facts import Facts

CLOSE = aiohttp.ClientWSTimeout(ws_close=1.0)


class WebSocket:
    """All WebSocket probes of the worker."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def __call__(self, target: Target) -> Facts:
        """One handshake. OSError, ProbeError, TimeoutError."""
        wanted, seen = target.definition, connecting.watch(target)
        async with self._sessions.of(target) as session:
            began = time.perf_counter()
            with translated():
                async with session.ws_connect(
                    wanted.url, headers=wanted.headers or None, proxy=wanted.proxy or None, timeout=CLOSE
                ):
                    end = time.perf_counter()
        return seen.facts(began, end, status=101)
