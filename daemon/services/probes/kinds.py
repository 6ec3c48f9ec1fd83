"""Which probe goes with which kind of service. Built by `daemon.services.services`.

A probe is imported with the first service of its kind: who probes nothing has nothing of it in memory.
"""

from importlib import import_module

from daemon.services.probes.command import Commands
from daemon.services.probes.probe import Probe
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
    Kind.POSTGRES: ("databases", "postgres"),
    Kind.MYSQL: ("databases", "mysql"),
    Kind.GRPC: ("grpc", "grpc"),
}


class Probes(dict[Kind, Probe]):
    """Each probe from its first use on."""

    def __missing__(self, kind: Kind) -> Probe:
        """Imports it. KeyError for a kind that is not asked but tells of itself."""
        module, name = PLACES[kind]
        found: Probe = getattr(import_module(f"daemon.services.probes.{module}"), name)
        self[kind] = found
        return found


class Kinds:
    """The probes of the worker. `close` them at the end."""

    def __init__(self, settings: LiveSettings) -> None:
        self._commands = Commands(settings)
        self.probes = _WithHttp()
        self.probes[Kind.COMMAND] = self._commands

    async def clear(self) -> None:
        """Ends what an earlier worker left."""
        await self._commands.clear()

    async def close(self) -> None:
        """Closes what is open."""
        await self.probes.close()


class _WithHttp(Probes):
    """HTTP and WebSocket share their sessions, which are closed at the end."""

    def __missing__(self, kind: Kind) -> Probe:
        if kind not in (Kind.HTTP, Kind.WEBSOCKET):
            return super().__missing__(kind)
        from daemon.services.probes.http import Http  # not above: it brings the HTTP library with it

        self._http = Http()
        self[Kind.HTTP], self[Kind.WEBSOCKET] = self._http, self._http.websocket
        return self[kind]

    async def close(self) -> None:
        """Closes what was opened."""
        if Kind.HTTP in self:
            await self._http.close()
