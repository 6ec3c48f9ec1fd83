"""Messages about the models that the sessions' API offers. The worker asks it, for it alone holds the key."""

from typing import ClassVar

from ipc.messages.envelope import Reply, Request


class ModelsReply(Reply, frozen=True):
    """Model ids, sorted; when they were told. `available`: the last question was answered; `problem`: why not."""

    models: list[str]
    refreshed_at: str | None = None
    available: bool = False
    problem: str = ""


class ListModels(Request, frozen=True):
    """Which models are there? Asked at most every five minutes; with `refresh`, now. May take six seconds."""

    subject: ClassVar[str] = "models.list"
    reply: ClassVar[type[Reply]] = ModelsReply
    refresh: bool = False
