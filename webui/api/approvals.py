"""The API's approvals: list, one, approve, deny; and the standing rules, which admins make and revoke."""

from aiohttp import web
from msgspec import UNSET, convert

from ipc.errors import CallError, Code
from ipc.messages.limits import AddRule, ApprovalReply, Decide, RevokeRule, RuleReply
from schema import timestamps
from schema.limits import Approval, ApprovalRule
from webui.api import lists
from webui.api.answered import ApprovalList, RuleList
from webui.api.asked import ApprovalQuery, DenyBody, KeyedPage, NewRule
from webui.pages import approval_view
from webui.pages import approvals as page
from webui.parts import parts, signed_in


async def listing(request: web.Request, query: ApprovalQuery) -> ApprovalList:
    """GET /api/v1/approvals."""
    found = await lists.rows(
        request,
        "api.approvals" if query.status is UNSET else "api.approvals_of_status",
        approval_view.from_row,
        before=query.before,
        limit=query.limit,
        offset=query.offset,
        status=query.status,
    )
    return ApprovalList(approvals=found)


async def one(request: web.Request, id_: int) -> Approval:
    """GET /api/v1/approvals/{id}."""
    return await page.read_one(parts(request), id_)


async def approve(request: web.Request, id_: int) -> Approval:
    """POST /api/v1/approvals/{id}/approve."""
    return await _decide(request, Decide(id=id_, approve=True, by=signed_in(request).name))


async def deny(request: web.Request, id_: int, body: DenyBody) -> Approval:
    """POST /api/v1/approvals/{id}/deny."""
    return await _decide(request, Decide(id=id_, approve=False, reason=body.reason.strip(), by=signed_in(request).name))


async def _decide(request: web.Request, message: Decide) -> Approval:
    return (await parts(request).worker.call(message, ApprovalReply)).approval


async def rules(request: web.Request, query: KeyedPage) -> RuleList:
    """GET /api/v1/rules."""
    values = {"before": query.before or lists.FAR, "limit": query.limit}
    rows = await parts(request).state.read(lambda database: database.rows("pages.rules", **values))
    return RuleList(rules=[convert(row, ApprovalRule) for row in rows])


async def add_rule(request: web.Request, body: NewRule) -> ApprovalRule:
    """POST /api/v1/rules."""
    try:
        expires = timestamps.stamp(timestamps.parse(body.expires_at)) if body.expires_at else None
    except ValueError:
        raise CallError(Code.INVALID, "expires_at: it is no time; give one such as 2030-01-31T08:00:00Z.") from None
    rule = ApprovalRule(
        decision=body.decision,
        tool=body.tool,
        pattern=body.pattern,
        host=body.host or None,
        tier=body.tier,
        reason=body.reason or None,
        expires_at=expires,
    )
    message = AddRule(rule=rule, by=signed_in(request).name)
    return (await parts(request).worker.call(message, RuleReply)).rule


async def revoke_rule(request: web.Request, id_: int) -> None:
    """DELETE /api/v1/rules/{id}."""
    await parts(request).worker.call(RevokeRule(id=id_, by=signed_in(request).name), RuleReply)
