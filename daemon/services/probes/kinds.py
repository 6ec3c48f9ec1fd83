"""Which probe goes with which kind of service. Built by `daemon.services.services`."""

from collections.abc import Mapping

from daemon.services.probes.http import Http
from daemon.services.probes.probe import Probe
from daemon.settings.live import LiveSettings
from schema.definitions import Kind


class Kinds:
    """The probes of the worker. `close` them at the end."""

    def __init__(self, settings: LiveSettings) -> None:
        self._http = Http()
        self.probes: Mapping[Kind, Probe] = {Kind.HTTP: self._http}

    async def close(self) -> None:
        """Closes what is open."""
        await self._http.close()
