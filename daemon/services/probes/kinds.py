"""Which probe goes with which kind of service. Built by `daemon.services.services`.

A probe is imported with the first service of its kind: who probes nothing has nothing of it in memory.
"""

from collections.abc import Awaitable, Callable
from importlib import import_module

from daemon.services.probes.command import Commands
from daemon.services.probes.probe import Probe
from daemon.services.probes.resolving import Lookups
from daemon.settings.live import LiveSettings
from schema.definitions import Kind

# The module below `daemon.services.probes`, and the coroutine in it.
PLACES = {
    Kind.TCP: ("tcp", "tcp"),
    Kind.TLS: ("tls", "tls"),
    Kind.ICMP: ("icmp", "icmp"),
    Kind.REDIS: ("redis", "redis"),
    Kind.CONTAINER: ("container", "container"),
    Kind.DNS: ("dns", "dns"),
    Kind.DOMAIN: ("domain", "domain"),
    Kind.POSTGRES: ("postgres", "postgres"),
    Kind.MYSQL: ("mysql", "mysql"),
    Kind.GRPC: ("grpc", "grpc"),
}


class Kinds(dict[Kind, Probe]):
    """The probes of the worker, each from its first use on, and the lookups of all. `close` them at the end."""

    def __init__(self, settings: LiveSettings) -> None:
        self.lookups = Lookups(lambda: settings.current.probes_at_once)
        self._commands = Commands(settings)
        self._close: list[Callable[[], Awaitable[None]]] = []
        super().__init__({Kind.COMMAND: self._commands})

    def __missing__(self, kind: Kind) -> Probe:
        """Imports it. KeyError for a kind that is not asked but tells of itself."""
        if kind in (Kind.HTTP, Kind.WEBSOCKET):
            # They share their sessions, which are closed at the end.
            # Not above: they bring the HTTP library with them.
            from daemon.services.probes.http import Http
            from daemon.services.probes.requesting import Sessions
            from daemon.services.probes.websocket import WebSocket

            sessions = Sessions()
            self[Kind.HTTP], self[Kind.WEBSOCKET] = Http(sessions), WebSocket(sessions)
            self._close.append(sessions.close)
        else:
            module, name = PLACES[kind]
            self[kind] = getattr(import_module(f"daemon.services.probes.{module}"), name)
        return self[kind]

    def load(self, kind: Kind) -> None:
        """Imports a probe before its first use: that holds everything up for a moment, the probes that are due too."""
        self.__getitem__(kind)

    async def tidy(self) -> None:
        """Ends what an earlier worker left."""
        await self._commands.clear()

    async def close(self) -> None:
        """Closes what is open."""
        for close in self._close:
            await close()
