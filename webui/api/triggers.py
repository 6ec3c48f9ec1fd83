"""The API's triggers: the queue, into which programs put what is to be looked into when its tier is free."""

from aiohttp import web
from msgspec import UNSET

from ipc.messages.triggers import AddTrigger, CancelTrigger, TriggerReply
from schema.states import Trigger
from schema.triggers import QueuedTrigger, explained, from_row
from webui.api import lists
from webui.api.answered import TriggerList
from webui.api.asked import TriggerBody, TriggerQuery
from webui.pages import triggers as page
from webui.parts import parts, signed_in


async def listing(request: web.Request, query: TriggerQuery) -> TriggerList:
    """GET /api/v1/triggers."""
    name, more = "api.triggers", {}
    if query.status is not UNSET:
        name, more = "api.triggers_of_status", {"status": query.status.value}
    found = await lists.rows(
        request, name, from_row, before=query.before, limit=query.limit, offset=query.offset, **more
    )
    state = parts(request).state
    waiting = await state.read(lambda database: int(database.value("pages.triggers_count")))
    return TriggerList(triggers=await state.read(lambda database: explained(database, found)), waiting=waiting)


async def one(request: web.Request, id_: int) -> QueuedTrigger:
    """GET /api/v1/triggers/{id}."""
    return await page.read_one(parts(request), id_)


async def add(request: web.Request, body: TriggerBody) -> QueuedTrigger:
    """POST /api/v1/triggers."""
    message = AddTrigger(
        tier=body.tier, prompt=body.prompt, kind=Trigger(body.kind), key=body.key, by=signed_in(request).name
    )
    return (await parts(request).worker.call(message, TriggerReply)).trigger


async def cancel(request: web.Request, id_: int) -> QueuedTrigger:
    """POST /api/v1/triggers/{id}/cancel."""
    message = CancelTrigger(id=id_, by=signed_in(request).name)
    return (await parts(request).worker.call(message, TriggerReply)).trigger
