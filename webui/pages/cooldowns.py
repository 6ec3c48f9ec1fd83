"""How much of their limits the services have used, and when more is allowed. GET /cooldowns; clearing one.

The worker counts, by the same rule as at the tool call; the newest actions come from the database, so that they are
there while it is away.
"""

import uuid
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.limits import ClearCooldown, CooldownsReply, ListCooldowns
from schema.limits import Cooldown, CooldownAction
from webui import shell
from webui.auth.rules import Access, may
from webui.forms import form_key, read_form
from webui.negotiation import is_json, json_response
from webui.pages import confirm, formats
from webui.pages.ansi import plain
from webui.pages.confirm import Confirm
from webui.pages.formats import At
from webui.pages.keyed import FAR
from webui.parts import Parts, parts, signed_in

ACTIONS_SHOWN = 30
NAME_MAX = 200
NOUNS = {"restart": "restarts", "redeployment": "redeployments"}


class Use(NamedTuple):
    """One limit of a service. `next`: when one more is allowed, or the oldest stops counting."""

    action: str
    used: int
    limit: int
    window: str
    blocked: bool
    next: At | None
    last: At | None


class ServiceUse(NamedTuple):
    """A service's limits. `healthy`: healthy checks in a row; `enough`: how many clear its counters."""

    service: str
    blocked: bool
    healthy: int
    enough: int
    uses: list[Use]
    clear_href: str


class ActionRow(NamedTuple):
    """One restart or redeployment."""

    id: int
    service: str
    action: str
    ok: bool
    error: str
    tier: int
    at: At
    session_id: int | None


class CooldownsPage(NamedTuple):
    """The page's context. `services` is None while the worker does not answer."""

    shell: shell.Shell
    stream: str
    services: list[ServiceUse] | None
    actions: list[ActionRow]
    may_act: bool


def services(found: list[Cooldown], now: datetime, enough: int) -> list[ServiceUse]:
    """Limits by service, the blocked ones first."""
    by_name: dict[str, list[Cooldown]] = {}
    for one in found:
        by_name.setdefault(one.service, []).append(one)
    listed = [
        ServiceUse(
            service=plain(name),
            blocked=any(one.blocked for one in group),
            healthy=max(one.healthy_checks for one in group),
            enough=enough,
            uses=[_use(one, now) for one in group],
            clear_href=f"/cooldowns/clear?service={quote(name, safe='')}",
        )
        for name, group in by_name.items()
    ]
    return sorted(listed, key=lambda one: (not one.blocked, one.service))


def _use(one: Cooldown, now: datetime) -> Use:
    resets = At(one.resets_at, formats.until(one.resets_at, now)) if one.resets_at else None
    last = formats.ago(one.last_at, now) if one.last_at else None
    window = formats.span(one.window_s)
    return Use(NOUNS.get(one.action, one.action), one.used, one.limit, window, one.blocked, resets, last)


def action_row(action: CooldownAction, now: datetime) -> ActionRow:
    """One restart or redeployment, seen at `now`."""
    return ActionRow(
        id=action.id,
        service=plain(action.service),
        action=action.action_type,
        ok=action.success,
        error=plain(action.error or ""),
        tier=action.tier,
        at=formats.ago(action.timestamp, now),
        session_id=action.session_id,
    )


async def ask(here: Parts) -> list[Cooldown] | None:
    if not here.worker.ok:
        return None
    try:
        return (await here.worker.call(ListCooldowns(), CooldownsReply, timeout=2.0)).cooldowns
    except CallError:
        return None  # the page says that the worker does not answer


async def _actions(here: Parts) -> list[CooldownAction]:
    rows = await here.state.read(lambda database: database.rows("pages.actions", before=FAR, limit=ACTIONS_SHOWN))
    names = set(CooldownAction.__struct_fields__)
    kept = [{name: value for name, value in row.items() if name in names} for row in rows]
    return [msgspec.convert({**row, "success": bool(row["success"])}, CooldownAction) for row in kept]


async def live(here: Parts) -> dict[str, Any]:
    """The context of the live parts."""
    found, actions, now = await ask(here), await _actions(here), formats.now()
    return {
        "services": None if found is None else services(found, now, here.settings.cooldown_healthy_checks),
        "actions": [action_row(action, now) for action in actions],
    }


async def show(request: web.Request) -> web.StreamResponse:
    """GET /cooldowns."""
    here = parts(request)
    if is_json(request):
        return json_response({"cooldowns": await ask(here), "actions": await _actions(here)})
    context = CooldownsPage(
        shell=shell.build(request, "Cooldowns", "cooldowns"),
        stream="/live?page=cooldowns",
        may_act=may(signed_in(request).role, Access.OPERATOR),
        **await live(here),
    )
    return shell.page(request, "cooldowns.html", context)


def _service(given: Any) -> str:
    name = str(given.get("service", "")).strip()
    if not name or len(name) > NAME_MAX:
        raise CallError(Code.INVALID, "Name the service whose counters are to begin anew.")
    return name


async def ask_clear(request: web.Request) -> web.StreamResponse:
    """GET /cooldowns/clear?service=…: the question."""
    name = _service(request.query)
    found = [one for one in await ask(parts(request)) or [] if one.service == name]
    used = [f"{one.used} of {one.limit} {NOUNS.get(one.action, one.action)} used." for one in found]
    context = Confirm(
        shell=shell.build(request, f"Clear {plain(name)}", "cooldowns"),
        question=f"Clear the counters of {plain(name)}?",
        consequences=[
            *used,
            "Sessions may restart and redeploy it again at once, up to the full limit.",
            "The actions stay in the list, and who cleared it in the audit log.",
        ],
        action="/cooldowns/clear",
        verb="Clear counters",
        back="/cooldowns",
        fields={"service": name, "key": uuid.uuid4().hex},
    )
    return confirm.ask(request, context)


async def clear(request: web.Request) -> web.StreamResponse:
    """POST /cooldowns/clear: fields service, key."""
    fields = await read_form(request)
    message = ClearCooldown(service=_service(fields), by=signed_in(request).name)
    reply = await parts(request).worker.call(message, CooldownsReply, id_=form_key(fields))
    if is_json(request):
        return json_response({"cooldowns": reply.cooldowns})
    return web.Response(status=303, headers={"Location": "/cooldowns"})
