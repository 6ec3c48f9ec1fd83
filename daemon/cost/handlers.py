"""Answers requests about what sessions cost. The dashboard reads the same sums by itself (`schema.cost`)."""

from datetime import UTC, datetime

from daemon.store import Store
from ipc.errors import CallError, Code
from ipc.messages.cost import CostReply, ShowCost
from ipc.server import Call, Handler
from schema import cost


def handlers(store: Store) -> dict[type, Handler]:
    """The table's part for cost."""

    async def show(call: Call, request: ShowCost) -> CostReply:
        if not 1 <= request.days <= cost.DAYS_MAX:
            raise CallError(Code.INVALID, f"days is {request.days}; give a number from 1 to {cost.DAYS_MAX}")
        today = datetime.now(UTC).date()
        return CostReply(cost=await store.read(lambda db: cost.read(db, request.days, today)))

    return {ShowCost: show}
