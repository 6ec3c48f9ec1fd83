"""Which probe goes with which kind of service. Built by `daemon.services.services`."""

from collections.abc import Mapping

from daemon.services.probes.command import Commands
from daemon.services.probes.container import container
from daemon.services.probes.databases import mysql, postgres
from daemon.services.probes.dns import dns
from daemon.services.probes.domain import domain
from daemon.services.probes.grpc import grpc
from daemon.services.probes.http import Http
from daemon.services.probes.icmp import icmp
from daemon.services.probes.probe import Probe
from daemon.services.probes.redis import redis
from daemon.services.probes.tcp import tcp
from daemon.services.probes.tls import tls
from daemon.settings.live import LiveSettings
from schema.definitions import Kind


class Kinds:
    """The probes of the worker. `close` them at the end."""

    def __init__(self, settings: LiveSettings) -> None:
        self._http = Http()
        self._commands = Commands(settings)
        self.probes: Mapping[Kind, Probe] = {
            Kind.HTTP: self._http,
            Kind.WEBSOCKET: self._http.websocket,
            Kind.TCP: tcp,
            Kind.TLS: tls,
            Kind.ICMP: icmp,
            Kind.REDIS: redis,
            Kind.CONTAINER: container,
            Kind.DNS: dns,
            Kind.DOMAIN: domain,
            Kind.POSTGRES: postgres,
            Kind.MYSQL: mysql,
            Kind.GRPC: grpc,
            Kind.COMMAND: self._commands,
        }

    async def clear(self) -> None:
        """Ends what an earlier worker left."""
        await self._commands.clear()

    async def close(self) -> None:
        """Closes what is open."""
        await self._http.close()
