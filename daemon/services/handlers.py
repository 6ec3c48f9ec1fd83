"""Answers requests about services."""

from daemon.services import asked, reading
from daemon.services.services import Services
from daemon.store import Store
from ipc.messages.envelope import Done
from ipc.messages.incidents import (
    AddWindow,
    IncidentReply,
    IncidentsReply,
    ListIncidents,
    ListWindows,
    NoteIncident,
    RemoveWindow,
    ShowIncident,
    WindowReply,
    WindowsReply,
)
from ipc.messages.services import (
    AddService,
    ChangedReply,
    ChangeService,
    ExportedReply,
    ExportServices,
    HearService,
    ImportedReply,
    ImportServices,
    ListResults,
    ListServiceFiles,
    ListServices,
    PauseServices,
    RemoveServices,
    RenewPush,
    ResultsReply,
    ServiceFilesReply,
    ServiceReply,
    ServicesReply,
    ShowService,
    TagServices,
    TriedReply,
    TryService,
)
from ipc.server import Call, Handler


def handlers(services: Services, store: Store) -> dict[type, Handler]:
    """The table's part for services."""
    catalogue = services.catalogue

    async def page(call: Call, request: ListServices) -> ServicesReply:
        return await store.read(lambda db: reading.page(db, request))

    async def show(call: Call, request: ShowService) -> ServiceReply:
        return await store.read(lambda db: reading.show(db, request))

    async def add(call: Call, request: AddService) -> ServiceReply:
        return await catalogue.add(request, call.asker(request.by), call.id)

    async def change(call: Call, request: ChangeService) -> ServiceReply:
        return await catalogue.change(request, call.asker(request.by), call.id)

    async def pause(call: Call, request: PauseServices) -> ChangedReply:
        return await catalogue.pause(request, call.asker(request.by), call.id)

    async def remove(call: Call, request: RemoveServices) -> ChangedReply:
        return await catalogue.remove(request, call.asker(request.by), call.id)

    async def tag(call: Call, request: TagServices) -> ChangedReply:
        return await catalogue.tag(request, call.asker(request.by), call.id)

    async def test(call: Call, request: TryService) -> TriedReply:
        return await services.trying.test(request)

    async def results(call: Call, request: ListResults) -> ResultsReply:
        return await store.read(lambda db: reading.results(db, request))

    async def hear(call: Call, request: HearService) -> Done:
        await services.heartbeats.hear(request)
        return Done()

    async def renew(call: Call, request: RenewPush) -> ServiceReply:
        return await catalogue.renew(request, call.asker(request.by))

    async def planned(call: Call, request: ListWindows) -> WindowsReply:
        return await services.maintenance.listing(over=request.over)

    async def plan(call: Call, request: AddWindow) -> WindowReply:
        reply = await services.maintenance.add(request, call.asker(request.by), call.id)
        await services.replan()
        return reply

    async def unplan(call: Call, request: RemoveWindow) -> Done:
        await services.maintenance.remove(request, call.asker(request.by))
        await services.replan()
        return Done()

    async def list_incidents(call: Call, request: ListIncidents) -> IncidentsReply:
        return await store.read(lambda db: asked.page(db, request))

    async def show_incident(call: Call, request: ShowIncident) -> IncidentReply:
        return await store.read(lambda db: asked.show(db, request.id))

    async def note_incident(call: Call, request: NoteIncident) -> IncidentReply:
        by = call.asker(request.by)
        reply = await store.write(lambda db: asked.note(db, request, by, call.id))
        services.tell(reply.incident.service_id)
        return reply

    async def take(call: Call, request: ImportServices) -> ImportedReply:
        return await catalogue.take(request, call.asker(request.by), call.id)

    async def give(call: Call, request: ExportServices) -> ExportedReply:
        from daemon.services.rules import files  # not above: it brings the reader of YAML with it

        return ExportedReply(text=files.written([known.stored for known in await catalogue.all()]))

    async def files_watched(call: Call, request: ListServiceFiles) -> ServiceFilesReply:
        return services.files.listing()

    return {
        ListServiceFiles: files_watched,
        ImportServices: take,
        ExportServices: give,
        ListIncidents: list_incidents,
        ShowIncident: show_incident,
        NoteIncident: note_incident,
        ListWindows: planned,
        AddWindow: plan,
        RemoveWindow: unplan,
        HearService: hear,
        RenewPush: renew,
        ListServices: page,
        ShowService: show,
        AddService: add,
        ChangeService: change,
        PauseServices: pause,
        RemoveServices: remove,
        TagServices: tag,
        TryService: test,
        ListResults: results,
    }
