"""The API's approvals: list, one, approve, deny. Standing rules are made in the dashboard."""

from aiohttp import web
from msgspec import UNSET

from ipc.messages.limits import ApprovalReply, Decide
from schema.limits import Approval
from webui.api import lists
from webui.api.answered import ApprovalList
from webui.api.asked import ApprovalQuery, DenyBody
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


async def one(request: web.Request, id: int) -> Approval:  # noqa: A002 - the parameter's name in the address
    """GET /api/v1/approvals/{id}."""
    return await page.read_one(parts(request), id)


async def approve(request: web.Request, id: int) -> Approval:  # noqa: A002 - the parameter's name in the address
    """POST /api/v1/approvals/{id}/approve."""
    return await _decide(request, Decide(id=id, approve=True, by=signed_in(request).name))


async def deny(request: web.Request, id: int, body: DenyBody) -> Approval:  # noqa: A002 - as in the address
    """POST /api/v1/approvals/{id}/deny."""
    return await _decide(request, Decide(id=id, approve=False, reason=body.reason.strip(), by=signed_in(request).name))


async def _decide(request: web.Request, message: Decide) -> Approval:
    return (await parts(request).worker.call(message, ApprovalReply, timeout=10.0)).approval
