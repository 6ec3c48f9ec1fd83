"""The models that the API offers, for fields that name one. Asked of the worker, which alone knows the key.

An answer that does not come is no mistake: the field takes any text.
"""

from datetime import datetime
from typing import NamedTuple

from ipc.errors import CallError
from ipc.messages.models import ListModels, ModelsReply
from webui.pages import formats
from webui.pages.ansi import plain
from webui.pages.formats import At
from webui.parts import Parts

PATIENCE = 6.0  # seconds: above what the worker gives the API
SHOWN_MAX = 200
ALIASES = ("haiku", "sonnet", "opus")  # what the claude CLI takes for the newest of each


class Discovered(NamedTuple):
    """What fields offer (`names`), what of it the API told (`told`) and when; `problem`: why it can't tell now."""

    names: list[str]
    told: list[str]
    at: At | None
    problem: str


async def look(here: Parts, now: datetime) -> Discovered:
    """The CLI's own names, then what was discovered; only the former where nothing was."""
    try:
        reply = await here.worker.call(ListModels(), ModelsReply, timeout=PATIENCE)
    except CallError as error:
        return Discovered(list(ALIASES), [], None, error.message.rstrip("."))
    told = [plain(model) for model in reply.models[:SHOWN_MAX]]
    at = formats.ago(reply.refreshed_at, now) if reply.refreshed_at else None
    return Discovered(
        [*ALIASES, *(model for model in told if model not in ALIASES)], told, at, plain(reply.problem.rstrip("."))
    )
