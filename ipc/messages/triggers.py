"""Messages about the queue of triggers: add, list, cancel."""

from typing import ClassVar

from ipc.messages.envelope import Event, Reply, Request
from schema.states import Trigger, TriggerStatus
from schema.triggers import QueuedTrigger


class TriggerReply(Reply, frozen=True):
    """One trigger. `merged`: the same thing waited already, and this is that one."""

    trigger: QueuedTrigger
    merged: bool = False


class AddTrigger(Request, frozen=True):
    """Puts a trigger into the queue; answers at once with its row. Nothing is refused because a tier is busy.

    `key` says what is the same: while one with it waits, another is merged into it. Kinds: manual, api, alert. Tier 0
    has a model choose by the prompt, some seconds later; tier 1 if it can't.
    """

    subject: ClassVar[str] = "triggers.add"
    reply: ClassVar[type[Reply]] = TriggerReply
    changes: ClassVar[bool] = True
    tier: int = 1
    prompt: str = ""
    kind: Trigger = Trigger.MANUAL
    key: str = ""
    by: str = ""


class CancelTrigger(Request, frozen=True):
    """Takes a waiting trigger out of the queue. One that does not wait any more is the error `conflict`."""

    subject: ClassVar[str] = "triggers.cancel"
    reply: ClassVar[type[Reply]] = TriggerReply
    changes: ClassVar[bool] = True
    id: int
    by: str = ""


class TriggersReply(Reply, frozen=True):
    """A page of triggers: what waits in the order in which it will start, anything else newest first."""

    triggers: list[QueuedTrigger]
    waiting: int = 0


class ListTriggers(Request, frozen=True):
    """Triggers of one status, or of all; below an id (0: from the newest), at most `limit`."""

    subject: ClassVar[str] = "triggers.list"
    reply: ClassVar[type[Reply]] = TriggersReply
    status: TriggerStatus | None = None
    before: int = 0
    limit: int = 50


class TriggersChanged(Event, frozen=True):
    """The queue has changed: what waits now, over all tiers."""

    subject: ClassVar[str] = "triggers.changed"
    waiting: int
