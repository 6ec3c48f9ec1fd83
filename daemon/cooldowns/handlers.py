"""Answers requests about cooldowns."""

from daemon.cooldowns.cooldowns import Cooldowns
from ipc.messages.limits import ClearCooldown, CooldownsReply, ListCooldowns
from ipc.server import Call, Handler


def handlers(cooldowns: Cooldowns) -> dict[type, Handler]:
    """The table's part for cooldowns."""

    async def listing(call: Call, request: ListCooldowns) -> CooldownsReply:
        return await cooldowns.list()

    async def clear(call: Call, request: ClearCooldown) -> CooldownsReply:
        return await cooldowns.clear(request.service, call.asker(request.by), call.id)

    return {ListCooldowns: listing, ClearCooldown: clear}
