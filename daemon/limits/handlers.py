"""Answers the hook's question, the same question by a person, and requests for the audit log."""

from collections.abc import Callable

from daemon import audit
from daemon.limits.judge import Judge
from daemon.limits.origin import run_of
from daemon.store import Store
from ipc.errors import CallError, Code
from ipc.messages.limits import AskCall, AuditReply, CallReply, CheckCommand, JudgementReply, ListAudit
from ipc.server import Call, Handler


def handlers(judge: Judge, store: Store, origin: Callable[[int], str | None] = run_of) -> dict[type, Handler]:
    """The table's part for limits. `origin` tells of a process which run it is part of."""

    async def ask(call: Call, request: AskCall) -> CallReply:
        if origin(call.peer.pid) != request.run_id:
            raise CallError(Code.FORBIDDEN, "only the hook of a run may ask about its calls, so nothing was run")
        return await judge.ask(request, call.deadline)

    async def check(call: Call, request: CheckCommand) -> JudgementReply:
        return await judge.check(request)

    async def log(call: Call, request: ListAudit) -> AuditReply:
        return await store.read(lambda db: audit.page(db, request))

    return {AskCall: ask, CheckCommand: check, ListAudit: log}
