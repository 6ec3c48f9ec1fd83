"""The API's status pages: list, add, change, remove; and tags for several services at once. Each is a message."""

from aiohttp import web

from ipc.messages.envelope import Done
from ipc.messages.services import ChangedReply, TagServices
from ipc.messages.status_pages import (
    AddStatusPage,
    ChangeStatusPage,
    ListStatusPages,
    RemoveStatusPage,
    StatusPageReply,
    StatusPagesReply,
)
from schema.status_pages import Page, StatusPage
from webui.api.service_types import ChangedStatusPage, ServicesChanged, ServiceTags, StatusPageList
from webui.parts import parts, signed_in

SECONDS = 10.0


async def listing(request: web.Request) -> StatusPageList:
    """GET /api/v1/status-pages."""
    reply = await parts(request).worker.call(ListStatusPages(), StatusPagesReply, timeout=SECONDS)
    return StatusPageList(pages=reply.pages)


async def add(request: web.Request, body: Page) -> StatusPage:
    """POST /api/v1/status-pages."""
    return await _changed(request, AddStatusPage(page=body, by=signed_in(request).name))


async def change(request: web.Request, id_: int, body: ChangedStatusPage) -> StatusPage:
    """PUT /api/v1/status-pages/{id}."""
    message = ChangeStatusPage(id=id_, version=body.version, page=body.page, by=signed_in(request).name)
    return await _changed(request, message)


async def _changed(request: web.Request, message: AddStatusPage | ChangeStatusPage) -> StatusPage:
    here = parts(request)
    reply = await here.worker.call(message, StatusPageReply, timeout=SECONDS)
    here.public.forget()
    return reply.page


async def remove(request: web.Request, id_: int) -> None:
    """DELETE /api/v1/status-pages/{id}."""
    here = parts(request)
    await here.worker.call(RemoveStatusPage(id=id_, by=signed_in(request).name), Done, timeout=SECONDS)
    here.public.forget()


async def tag(request: web.Request, body: ServiceTags) -> ServicesChanged:
    """POST /api/v1/services/tag."""
    message = TagServices(ids=body.ids, add=body.add, remove=body.remove, by=signed_in(request).name)
    reply = await parts(request).worker.call(message, ChangedReply, timeout=SECONDS)
    return ServicesChanged(done=reply.done, failed=reply.failed)
