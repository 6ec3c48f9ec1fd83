"""The worker's own part for services, over the stand-in's database: it probes, and answers as the worker does."""

import asyncio

from daemon.services.handlers import handlers
from daemon.services.services import Services
from daemon.settings.live import LiveSettings
from daemon.status_pages import handlers as status_pages_of
from daemon.store import Store
from ipc.messages import incidents, services, status_pages
from ipc.messages.envelope import Reply, Request
from ipc.server import Call, Publisher

SERVICES: tuple[type[Request], ...] = (
    services.ListServices,
    services.ListResults,
    services.ListServiceFiles,
    services.ShowService,
    services.AddService,
    services.ChangeService,
    services.PauseServices,
    services.RemoveServices,
    services.TryService,
    services.HearService,
    services.RenewPush,
    services.TagServices,
    services.ImportServices,
    services.ExportServices,
    status_pages.ListStatusPages,
    status_pages.AddStatusPage,
    status_pages.ChangeStatusPage,
    status_pages.RemoveStatusPage,
    incidents.ListIncidents,
    incidents.ShowIncident,
    incidents.NoteIncident,
    incidents.ListWindows,
    incidents.AddWindow,
    incidents.RemoveWindow,
)


class RealServices:
    """Built with the first request that it answers; most tests ask none."""

    def __init__(self, store: Store, settings: LiveSettings, publisher: Publisher) -> None:
        self._failed: list[BaseException] = []
        self.services = Services(store, settings, publisher, self._ended)
        self._handlers = {**handlers(self.services, store), **status_pages_of.handlers(store)}
        self._task = asyncio.create_task(self.services.run())

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed.append(error)

    async def answer(self, call: Call, request: Request) -> Reply:
        """As the worker does."""
        return await self._handlers[type(request)](call, request)

    async def close(self) -> None:
        """Stops probing. A probe that failed by our own fault fails the test."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._failed:
            raise self._failed[0]
