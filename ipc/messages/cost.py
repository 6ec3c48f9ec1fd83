"""Messages about what sessions cost."""

from typing import ClassVar

from ipc.messages.envelope import Reply, Request
from schema.cost import CostReport


class CostReply(Reply, frozen=True):
    """What some days cost: by day, tier, model and trigger, and the dearest chains."""

    cost: CostReport


class ShowCost(Request, frozen=True):
    """What the sessions of the last days have cost, today (UTC) included."""

    subject: ClassVar[str] = "cost.show"
    reply: ClassVar[type[Reply]] = CostReply
    days: int = 30
