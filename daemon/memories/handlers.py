"""Answers requests about memories."""

from daemon.memories.memories import Memories
from ipc.messages.envelope import Done
from ipc.messages.knowledge import (
    AddMemory,
    ChangeMemory,
    DeletedReply,
    DeleteMemories,
    DeleteMemory,
    ListMemories,
    MemoriesReply,
    MemoryReply,
)
from ipc.server import Call, Handler


def handlers(memories: Memories) -> dict[type, Handler]:
    """The table's part for memories."""

    async def page(call: Call, request: ListMemories) -> MemoriesReply:
        return MemoriesReply(memories=await memories.page(request))

    async def add(call: Call, request: AddMemory) -> MemoryReply:
        return await memories.add(request, call.asker(request.by), call.id)

    async def change(call: Call, request: ChangeMemory) -> MemoryReply:
        return await memories.change(request, call.asker(request.by), call.id)

    async def delete(call: Call, request: DeleteMemory) -> Done:
        return await memories.delete(request, call.asker(request.by), call.id)

    async def delete_several(call: Call, request: DeleteMemories) -> DeletedReply:
        return await memories.delete_several(request, call.asker(request.by), call.id)

    return {
        ListMemories: page,
        AddMemory: add,
        ChangeMemory: change,
        DeleteMemory: delete,
        DeleteMemories: delete_several,
    }
