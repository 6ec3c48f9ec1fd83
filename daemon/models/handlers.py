"""Answers requests about models."""

from daemon.models.discovery import Discovery
from ipc.messages.models import ListModels, ModelsReply
from ipc.server import Call, Handler


def handlers(discovery: Discovery) -> dict[type, Handler]:
    """The table's part for models."""

    async def listing(call: Call, request: ListModels) -> ModelsReply:
        return await discovery.list(refresh=request.refresh)

    return {ListModels: listing}
