"""Answers requests about approvals and standing rules."""

from daemon.approvals.approvals import Approvals
from ipc.messages.limits import (
    AddRule,
    ApprovalReply,
    ApprovalsReply,
    Decide,
    ListApprovals,
    ListRules,
    RevokeRule,
    RuleReply,
    RulesReply,
    ShowApproval,
)
from ipc.server import Call, Handler


def handlers(approvals: Approvals) -> dict[type, Handler]:
    """The table's part for approvals."""

    async def listing(call: Call, request: ListApprovals) -> ApprovalsReply:
        return await approvals.page(request)

    async def show(call: Call, request: ShowApproval) -> ApprovalReply:
        return ApprovalReply(approval=await approvals.show(request.id))

    async def decide(call: Call, request: Decide) -> ApprovalReply:
        return await approvals.decide(request, call.asker(request.by), call.id)

    async def rules(call: Call, request: ListRules) -> RulesReply:
        return await approvals.rules(every=request.all)

    async def add(call: Call, request: AddRule) -> RuleReply:
        return await approvals.add_rule(request.rule, call.asker(request.by), call.id)

    async def revoke(call: Call, request: RevokeRule) -> RuleReply:
        return await approvals.revoke_rule(request.id, call.asker(request.by), call.id)

    return {
        ListApprovals: listing,
        ShowApproval: show,
        Decide: decide,
        ListRules: rules,
        AddRule: add,
        RevokeRule: revoke,
    }
