"""The API's memories: list, one, add, change, delete. Every change is a message to the worker."""

from aiohttp import web
from msgspec import UNSET

from ipc.errors import CallError, Code
from ipc.messages.envelope import Done
from ipc.messages.knowledge import AddMemory, ChangeMemory, DeleteMemory, MemoryReply
from schema.knowledge import Memory
from webui.api import lists
from webui.api.answered import MemoryList
from webui.api.asked import ChangedMemory, MemoryQuery, NewMemory
from webui.pages import memory_rows
from webui.parts import parts, signed_in


async def listing(request: web.Request, query: MemoryQuery) -> MemoryList:
    """GET /api/v1/memories."""
    found = await lists.rows(
        request,
        "api.memories",
        memory_rows.from_row,
        limit=query.limit,
        offset=query.offset,
        service=query.service,
        category=query.category,
    )
    return MemoryList(memories=found)


async def one(request: web.Request, id_: int) -> Memory:
    """GET /api/v1/memories/{id}."""
    row = await parts(request).state.read(lambda database: database.one("pages.memory", id=id_))
    if row is None:
        raise CallError(Code.NOT_FOUND, f"There is no memory {id_}.")
    return memory_rows.from_row(row)


async def add(request: web.Request, body: NewMemory) -> Memory:
    """POST /api/v1/memories."""
    message = AddMemory(
        category=body.category,
        observation=body.observation,
        service=body.service or "",
        confidence=body.confidence,
        by=signed_in(request).name,
    )
    return (await parts(request).worker.call(message, MemoryReply)).memory


async def change(request: web.Request, id_: int, body: ChangedMemory) -> Memory:
    """PUT /api/v1/memories/{id}."""
    message = ChangeMemory(
        id=id_,
        observation=body.observation,
        confidence=body.confidence,
        active=body.active,
        category=None if body.category is UNSET else body.category,
        service=None if body.service is UNSET else body.service or "",
        by=signed_in(request).name,
    )
    return (await parts(request).worker.call(message, MemoryReply)).memory


async def delete(request: web.Request, id_: int) -> None:
    """DELETE /api/v1/memories/{id}."""
    await parts(request).worker.call(DeleteMemory(id=id_, by=signed_in(request).name), Done)
