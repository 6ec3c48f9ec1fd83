"""Standing rules: what people decided for calls to come. GET /approvals/rules; admins add and revoke.

A rule that allows takes a person out of the way, so each says who made it, for what, and until when.
"""

import uuid
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.limits import AddRule, RevokeRule, RuleReply
from schema import timestamps
from schema.limits import ApprovalRule
from webui import shell
from webui.auth.rules import Access, may
from webui.forms import form_key, id_of, read_form
from webui.negotiation import is_json, json_response
from webui.pages import confirm, formats, remember
from webui.pages.ansi import plain
from webui.pages.confirm import Confirm
from webui.pages.formats import At
from webui.pages.found import visible_text
from webui.pages.keyed import FAR, Choice
from webui.pages.session_rows import Look
from webui.parts import Parts, parts, signed_in

MOST = 200
LOOKS = {
    "allow": Look("ok", "check", "allow"),
    "ask": Look("plan", "hand", "ask"),
    "deny": Look("warn", "ban", "deny"),
}
DECISIONS = [Choice("allow", "let it run"), Choice("ask", "ask a person"), Choice("deny", "deny it")]
TIERS = [Choice("", "any"), Choice("1", "1"), Choice("2", "2"), Choice("3", "3")]


class RuleRow(NamedTuple):
    """One rule. `over`: why it counts no more, empty while it does."""

    id: int
    tone: str
    icon: str
    word: str
    tool: str
    pattern: str
    scope: str
    reason: str
    made: At
    by: str
    until: str
    over: str


class RulesPage(NamedTuple):
    """The page's context."""

    shell: shell.Shell
    stream: str
    rows: list[RuleRow]
    past: list[RuleRow]
    may_change: bool
    form: dict[str, str]
    error: str | None
    decisions: list[Choice]
    tiers: list[Choice]
    expiries: list[Choice]


def row(rule: ApprovalRule, now: datetime) -> RuleRow:
    """A rule as the list shows it."""
    look = LOOKS.get(rule.decision, Look("neutral", "circle-question-mark", rule.decision))
    over = f"revoked by {rule.revoked_by}" if rule.revoked_at else ""
    if not over and rule.expires_at and timestamps.parse(rule.expires_at) <= now:
        over = "expired"
    host = "on any host" if rule.host == remember.ANY else f"on {rule.host}" if rule.host else "on this host"
    tier = f"at tier {rule.tier}" if rule.tier else "at any tier"
    return RuleRow(
        id=rule.id,
        tone="neutral" if over else look.tone,
        icon=look.icon,
        word=look.word,
        tool=rule.tool,
        pattern=visible_text(rule.pattern),
        scope=visible_text(f"{host}, {tier}"),
        reason=plain(rule.reason or ""),
        made=formats.ago(rule.created_at, now),
        by=rule.created_by,
        until=formats.until(rule.expires_at, now) if rule.expires_at else "when it is revoked",
        over=over,
    )


async def _read(here: Parts) -> list[ApprovalRule]:
    rows = await here.state.read(lambda database: database.rows("pages.rules", before=FAR, limit=MOST))
    return [msgspec.convert(row, ApprovalRule) for row in rows]


async def show(request: web.Request) -> web.StreamResponse:
    """GET /approvals/rules."""
    if is_json(request):
        return json_response({"rules": await _read(parts(request))})
    return await _page(request, {}, None)


async def _page(request: web.Request, form: dict[str, str], error: str | None, status: int = 200) -> web.Response:
    now = formats.now()
    rows = [row(rule, now) for rule in await _read(parts(request))]
    names = ("decision", "tool", "pattern", "host", "tier", "reason", "expires")
    begun: dict[str, Any] = {"decision": "allow", "tool": "Bash", "expires": str(24 * remember.HOUR)}
    context = RulesPage(
        shell=shell.build(request, "Standing rules", "approvals"),
        stream="/live?page=frame",
        rows=[one for one in rows if not one.over],
        past=[one for one in rows if one.over],
        may_change=may(signed_in(request).role, Access.ADMIN),
        form={"key": uuid.uuid4().hex, **{name: form.get(name, begun.get(name, "")) for name in names}},
        error=error,
        decisions=DECISIONS,
        tiers=TIERS,
        expiries=remember.EXPIRIES,
    )
    return shell.page(request, "rules.html", context, status=status)


def _wanted(fields: dict[str, str]) -> ApprovalRule:
    """The rule that a form describes. CallError for what is none."""
    pattern = fields.get("pattern", "").strip()
    if not pattern or len(pattern) > remember.PATTERN_MAX:
        raise CallError(Code.INVALID, "Give the words of the command; a * at the end stands for any further.")
    if fields.get("decision") not in LOOKS:
        raise CallError(Code.INVALID, "A rule lets a call run, asks a person, or denies it.")
    tier = fields.get("tier", "")
    if tier not in ("", "1", "2", "3"):
        raise CallError(Code.INVALID, "A tier is 1, 2 or 3.")
    return ApprovalRule(
        decision=fields["decision"],
        tool=fields.get("tool", "").strip() or "Bash",
        pattern=pattern,
        host=fields.get("host", "").strip() or None,
        tier=int(tier) if tier else None,
        reason=fields.get("reason", "").strip() or None,
        expires_at=remember.expiry(fields.get("expires", "")),
    )


async def add(request: web.Request) -> web.StreamResponse:
    """POST /approvals/rules: fields key, decision, tool, pattern, host, tier, reason, expires (seconds)."""
    fields = await read_form(request)
    try:
        message = AddRule(rule=_wanted(fields), by=signed_in(request).name)
        reply = await parts(request).worker.call(message, RuleReply, id_=form_key(fields))
    except CallError as error:
        if is_json(request):
            raise
        return await _page(request, fields, error.message, error.http_status)
    if is_json(request):
        return json_response(reply.rule, status=201)
    return web.Response(status=303, headers={"Location": "/approvals/rules"})


async def ask_revoke(request: web.Request) -> web.StreamResponse:
    """GET /approvals/rules/{id}/revoke: the question."""
    id_ = id_of(request)
    found = await parts(request).state.read(lambda database: database.one("pages.rule", id=id_))
    if found is None:
        raise CallError(Code.NOT_FOUND, f"There is no rule {id_}.")
    rule = row(msgspec.convert(found, ApprovalRule), formats.now())
    context = Confirm(
        shell=shell.build(request, f"Revoke rule {id_}", "approvals"),
        question=f"Revoke rule {id_}?",
        consequences=[
            f"{rule.word}: {rule.pattern} ({rule.scope}).",
            "From the next call on, such calls are judged without it. What has run stays as it is.",
        ],
        action=f"/approvals/rules/{id_}/revoke",
        verb="Revoke rule",
        back="/approvals/rules",
        fields={"key": uuid.uuid4().hex},
    )
    return confirm.ask(request, context)


async def revoke(request: web.Request) -> web.StreamResponse:
    """POST /approvals/rules/{id}/revoke."""
    message = RevokeRule(id=id_of(request), by=signed_in(request).name)
    key = form_key(await read_form(request))
    reply = await parts(request).worker.call(message, RuleReply, id_=key)
    if is_json(request):
        return json_response(reply.rule)
    return web.Response(status=303, headers={"Location": "/approvals/rules"})
