"""What a person says to a call that waits: once, or with a standing rule. The questions (GET) and the answers (POST).

A link alone never decides: GET shows the exact call whole and asks. Who comes second is told who was first.
"""

import uuid
from typing import NamedTuple

from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.limits import ApprovalReply, Decide
from schema.limits import Approval
from webui import shell
from webui.auth.rules import Access, may
from webui.forms import form_key, id_of, read_form
from webui.negotiation import is_json, json_response
from webui.pages import approval_view, approvals, formats, remember
from webui.pages.approval_view import Card
from webui.pages.keyed import Choice
from webui.pages.remember import Scope
from webui.parts import Parts, parts, signed_in

REASON_MAX = 2000
ALIKE_MAX = 50


class DecidePage(NamedTuple):
    """The question's context. `scopes` is empty for who may not make standing rules."""

    shell: shell.Shell
    card: Card
    approve: bool
    action: str
    back: str
    key: str
    scopes: list[Scope]
    hosts: list[Choice]
    tiers: list[Choice]
    expiries: list[Choice]


async def ask_approve(request: web.Request) -> web.StreamResponse:
    """GET /approvals/{id}/approve."""
    return await _ask(request, approve=True)


async def ask_deny(request: web.Request) -> web.StreamResponse:
    """GET /approvals/{id}/deny."""
    return await _ask(request, approve=False)


async def approve(request: web.Request) -> web.StreamResponse:
    """POST /approvals/{id}/approve: fields key, same (all identical calls), scope, host, tier, expires."""
    return await _decide(request, approve=True)


async def deny(request: web.Request) -> web.StreamResponse:
    """POST /approvals/{id}/deny: fields key, reason, scope, host, tier, expires."""
    return await _decide(request, approve=False)


async def _ask(request: web.Request, *, approve: bool) -> web.StreamResponse:
    here = parts(request)
    approval = await approvals.read_one(here, id_of(request))
    back = f"/approvals/{approval.id}"
    if not approvals.waits(approval):
        return web.Response(status=303, headers={"Location": back})
    action, key = f"{back}/{'approve' if approve else 'deny'}", uuid.uuid4().hex
    if is_json(request):
        return json_response({"approval": approval, "action": action, "back": back, "fields": {"key": key}})
    card = (await approvals.look(here)).card(approval, formats.now())
    rules_too = may(signed_in(request).role, Access.ADMIN)
    context = DecidePage(
        shell=shell.build(request, f"{'Approve' if approve else 'Deny'} {approval.id}", "approvals"),
        card=card,
        approve=approve,
        action=action,
        back=back,
        key=key,
        scopes=remember.scopes(approval) if rules_too else [],
        hosts=remember.hosts(approval),
        tiers=remember.TIERS,
        expiries=remember.EXPIRIES,
    )
    return shell.page(request, "decide.html", context)


async def _decide(request: web.Request, *, approve: bool) -> web.StreamResponse:
    here = parts(request)
    fields = await read_form(request)
    approval = await approvals.read_one(here, id_of(request))
    person = signed_in(request)
    if fields.get("scope") and not may(person.role, Access.ADMIN):
        raise CallError(Code.FORBIDDEN, f"Standing rules need the role admin; you are {person.role.value}.")
    message = Decide(
        id=approval.id,
        approve=approve,
        reason=fields.get("reason", "").strip()[:REASON_MAX],
        by=person.name,
        remember=remember.rule(approval, fields, approve=approve),
    )
    key = form_key(fields)
    try:
        reply = await here.worker.call(message, ApprovalReply, id_=key)
        if fields.get("same"):
            await _decide_alike(here, approval, message, key)
    except CallError as error:
        if error.code is not Code.CONFLICT or is_json(request):
            raise
        return await _too_late(request, approval.id, error)
    if is_json(request):
        return json_response(reply.approval)
    return web.Response(status=303, headers={"Location": f"/approvals/{approval.id}"})


async def _decide_alike(here: Parts, approval: Approval, message: Decide, key: str) -> None:
    """The same answer for every other waiting call that is the very same."""
    hash_ = await here.state.read(lambda database: database.value("pages.approval_hash", id=approval.id))
    rows = await here.state.read(
        lambda database: database.rows("pages.approvals_alike", tool=approval.tool, input_hash=hash_)
    )
    for row in [row for row in rows if row["id"] != approval.id][:ALIKE_MAX]:
        again = Decide(id=row["id"], approve=message.approve, reason=message.reason, by=message.by)
        await here.worker.call(again, ApprovalReply, id_=f"{key}-{row['id']}")


async def _too_late(request: web.Request, id_: int, error: CallError) -> web.Response:
    """Somebody was first: who, and how long ago."""
    approval = await approvals.read_one(parts(request), id_)
    notice = error.message
    if not approvals.waits(approval):
        when = f" {formats.ago(approval.decided_at, formats.now()).text}" if approval.decided_at else ""
        notice = f"Already {approval_view.decision(approval)}{when}. Your answer was not used."
    return await approvals.one_page(request, id_, notice, 409)
