"""The models that the API of the sessions offers. The worker asks it and keeps the key; here they are only shown."""

from aiohttp import web

from ipc.messages.models import ListModels, ModelsReply
from webui.api.answered import ModelList
from webui.api.asked import ModelsQuery
from webui.parts import parts

PATIENCE = 8.0  # above what the worker gives the API


async def show(request: web.Request, query: ModelsQuery) -> ModelList:
    """GET /api/v1/models/available."""
    return await _ask(request, anew=query.refresh)


async def refresh(request: web.Request) -> ModelList:
    """POST /api/v1/models/available/refresh."""
    return await _ask(request, anew=True)


async def _ask(request: web.Request, *, anew: bool) -> ModelList:
    reply = await parts(request).worker.call(ListModels(refresh=anew), ModelsReply, timeout=PATIENCE)
    return ModelList(models=reply.models, last_refreshed=reply.refreshed_at, discovery_available=reply.available)
