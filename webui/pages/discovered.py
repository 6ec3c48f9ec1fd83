"""The models that the API offers, for fields that name one. Asked of the worker, which alone knows the key.

An answer that does not come is no mistake: the field takes any text.
"""

from typing import Any

from ipc.errors import CallError
from ipc.messages import tables
from webui.parts import Parts

SUBJECT = "models.list"
SHOWN_MAX = 200
ALIASES = ("haiku", "sonnet", "opus")  # what the claude CLI takes for the newest of each


async def models(here: Parts) -> list[str]:
    """The CLI's own names, then what was discovered; only the former where nothing was."""
    # By its subject: a worker of a version that discovers nothing knows no such request.
    kind: Any = tables.REQUESTS.get(SUBJECT)
    found: list[str] = []
    if kind is not None:
        try:
            reply = await here.worker.call(kind(refresh=False), kind.reply, timeout=6.0)
            found = list(reply.models) if reply.discovery_available else []
        except CallError:
            found = []  # the field takes any text
    return [*ALIASES, *(model for model in found[:SHOWN_MAX] if model not in ALIASES)]
