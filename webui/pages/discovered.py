"""The models that the API offers, for fields that name one. Asked of the worker, which alone knows the key.

An answer that does not come is no mistake: the field takes any text.
"""

from ipc.errors import CallError
from ipc.messages.models import ListModels, ModelsReply
from webui.parts import Parts

PATIENCE = 6.0  # seconds: above what the worker gives the API
SHOWN_MAX = 200
ALIASES = ("haiku", "sonnet", "opus")  # what the claude CLI takes for the newest of each


async def models(here: Parts) -> list[str]:
    """The CLI's own names, then what was discovered; only the former where nothing was."""
    try:
        reply = await here.worker.call(ListModels(), ModelsReply, timeout=PATIENCE)
    except CallError:
        return list(ALIASES)  # the field takes any text
    return [*ALIASES, *(model for model in reply.models[:SHOWN_MAX] if model not in ALIASES)]
