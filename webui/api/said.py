"""The API's lists of what was said and done: events, cooldowns, the audit log."""

import msgspec
from aiohttp import web
from msgspec import UNSET

from ipc.messages.limits import ClearCooldown, CooldownsReply, ListCooldowns
from schema.knowledge import Event
from schema.limits import AuditEntry
from webui.api import lists
from webui.api.answered import AuditList, CooldownCount, CooldownList, EventList
from webui.api.asked import AuditQuery, ClearBody, EventQuery
from webui.pages.audit import shown_to
from webui.parts import parts, signed_in

# By what is asked for: of a service, of a level. Each has an index of its own.
EVENTS = {
    (False, False): "api.events",
    (False, True): "api.events_of_level",
    (True, False): "api.events_of_service",
    (True, True): "api.events_of_service_and_level",
}


async def events(request: web.Request, query: EventQuery) -> EventList:
    """GET /api/v1/events."""
    level = None if query.level is UNSET else query.level
    found = await lists.rows(
        request,
        EVENTS[bool(query.service), level is not None],
        lambda row: msgspec.convert(row, Event),
        before=query.before,
        limit=query.limit,
        offset=query.offset,
        level=level,
        service=query.service,
    )
    return EventList(events=found)


async def cooldowns(request: web.Request) -> CooldownList:
    """GET /api/v1/cooldowns: as the worker counts at the tool call."""
    return _counted(await parts(request).worker.call(ListCooldowns(), CooldownsReply))


async def clear_cooldown(request: web.Request, body: ClearBody) -> CooldownList:
    """POST /api/v1/cooldowns/clear."""
    message = ClearCooldown(service=body.service, by=signed_in(request).name)
    return _counted(await parts(request).worker.call(message, CooldownsReply))


def _counted(reply: CooldownsReply) -> CooldownList:
    return CooldownList(
        cooldowns=[
            CooldownCount(
                service=one.service,
                action_type=one.action,
                count=one.used,
                last_action=one.last_at,
                limit=one.limit,
                window_s=one.window_s,
                blocked=one.blocked,
                resets_at=one.resets_at,
                healthy_checks=one.healthy_checks,
            )
            for one in reply.cooldowns
        ]
    )


async def audit(request: web.Request, query: AuditQuery) -> AuditList:
    """GET /api/v1/audit."""
    role = signed_in(request).role
    name = "api.audit_of_action" if query.action else "api.audit"
    found = await lists.rows(
        request,
        name if query.session is UNSET else "api.audit_of_session",
        lambda row: shown_to(role, msgspec.convert(row, AuditEntry)),
        before=query.before,
        limit=query.limit,
        offset=query.offset,
        action=query.action,
        session=query.session,
    )
    return AuditList(entries=found)
