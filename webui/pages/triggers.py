"""The queue: what waits in the order of its start and why, what was started or refused lately, and the form to add one.

GET /triggers, POST /triggers, the question and the POST that cancel one; POST /sessions/trigger, which does not wait.
"""

import asyncio
import uuid
from typing import Any, NamedTuple

from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.sessions import SessionReply, TriggerSession
from ipc.messages.triggers import AddTrigger, CancelTrigger, TriggerReply
from schema.database import Database
from schema.settings import Settings
from schema.states import Trigger, TriggerStatus
from schema.triggers import QueuedTrigger, explained, from_row, lines
from webui import shell
from webui.api import shapes
from webui.auth.rules import Access, may
from webui.forms import form_key, id_of, read_form
from webui.negotiation import is_json, is_partial, json_response
from webui.pages import confirm, formats, overview, trigger_rows
from webui.pages.confirm import Confirm
from webui.pages.keyed import FAR, PAGE, address, number
from webui.pages.trigger_form import TierChoice, TriggerForm, begun, choices
from webui.pages.trigger_rows import TriggerRow
from webui.parts import Parts, parts, signed_in

SHOWN_MAX = 100  # of each tier
LATELY = 20
START_SECONDS = 1.5
LOOK_SECONDS = 0.1
ADD_SECONDS = 10.0
AUTO = "auto"


class Queued(NamedTuple):
    """What waits, in the order of its start, how many there are in all, and what waits no more."""

    waiting: list[QueuedTrigger]
    total: int
    past: list[QueuedTrigger]


class Added(NamedTuple):
    """The trigger that the reader has just added, and waits for."""

    id: int
    row: TriggerRow


class TriggersPage(NamedTuple):
    """The page's context."""

    shell: shell.Shell
    stream: str
    queue: list[TriggerRow]
    hidden: int
    past: list[TriggerRow]
    older_href: str | None
    added: Added | None
    may_act: bool
    trigger: TriggerForm
    trigger_tiers: list[TierChoice]


def read(database: Database, before: int = FAR, most: int = LATELY) -> Queued:
    """One look at the queue."""
    waiting = lines(database, SHOWN_MAX)
    past = [from_row(row) for row in database.rows("pages.triggers_past", before=before, limit=most)]
    return Queued(waiting, int(database.value("pages.triggers_count")), past)


def shown(queued: Queued) -> dict[str, Any]:
    """The context of the live parts."""
    now = formats.now()
    return {
        "queue": [trigger_rows.row(trigger, now) for trigger in queued.waiting],
        "hidden": queued.total - len(queued.waiting),
        "past": [trigger_rows.row(trigger, now) for trigger in queued.past[:LATELY]],
    }


async def live(here: Parts) -> dict[str, Any]:
    """The same, for the stream."""
    return shown(await here.state.read(read))


def look_at(database: Database, id_: int) -> QueuedTrigger | None:
    """One trigger, if there is one."""
    row = database.one("pages.trigger", id=id_)
    return explained(database, [from_row(row)])[0] if row else None


async def read_one(here: Parts, id_: int) -> QueuedTrigger:
    """One trigger. CallError `not_found`."""
    found = await here.state.read(lambda database: look_at(database, id_))
    if found is None:
        raise CallError(Code.NOT_FOUND, f"There is no trigger {id_}.")
    return found


async def show(request: web.Request) -> web.StreamResponse:
    """GET /triggers. With `?added=<id>`, on to that trigger's session once it has one."""
    here = parts(request)
    if is_json(request):
        before = number(request.query, "before") or FAR
        queued = await here.state.read(lambda database: read(database, before, PAGE + 1))
        more = len(queued.past) > PAGE
        older = address("/triggers", {"before": queued.past[PAGE - 1].id}) if more else None
        found = {"waiting": queued.waiting, "waiting_count": queued.total, "past": queued.past[:PAGE], "next": older}
        return json_response(found)
    added = number(request.query, "added")
    trigger = await read_one(here, added) if added else None
    if trigger is not None and trigger.session_id and trigger.status is TriggerStatus.STARTED:
        return web.Response(status=303, headers={"Location": f"/sessions/{trigger.session_id}"})
    return await _page(request, begun(), trigger=trigger)


async def _page(
    request: web.Request, form: TriggerForm, *, trigger: QueuedTrigger | None = None, status: int = 200
) -> web.Response:
    here = parts(request)
    before = number(request.query, "before") or FAR
    queued = await here.state.read(lambda database: read(database, before, LATELY + 1))
    more = len(queued.past) > LATELY
    context = TriggersPage(
        shell=shell.build(request, "Queue", "triggers"),
        # An older page of what is past stays as it is.
        stream="/live?page=triggers" if before == FAR else "/live?page=frame",
        **shown(queued),
        older_href=address("/triggers", {"before": queued.past[LATELY - 1].id}) if more else None,
        added=Added(trigger.id, trigger_rows.row(trigger, formats.now())) if trigger else None,
        may_act=may(signed_in(request).role, Access.OPERATOR),
        trigger=form,
        trigger_tiers=await tiers(here),
    )
    return shell.page(request, "triggers.html", context, status=status)


async def tiers(here: Parts) -> list[TierChoice]:
    """The tiers that may be asked for."""
    busy = await here.state.read(lambda database: {row["tier"] for row in database.rows("sessions.running")})
    return choices(here.settings, busy)


def _asked(fields: dict[str, str], settings: Settings, *, by_form: bool) -> tuple[int, str]:
    """Tier (0: a model chooses) and prompt. CallError for what can't be started."""
    text, prompt = fields.get("tier") or "1", fields.get("prompt", "")
    if text not in ("1", "2", "3", AUTO):
        raise CallError(Code.INVALID, "A tier is 1, 2 or 3, or auto.")
    # An empty prompt would run the tier's prompt file: from the form that is a slip, from a program it is meant.
    if by_form and not prompt.strip():
        raise CallError(Code.INVALID, "Say what it should look into.")
    return 0 if text == AUTO else int(text), prompt


async def add(request: web.Request) -> web.StreamResponse:
    """POST /triggers: fields prompt, tier and key (a form that is sent twice is one trigger)."""
    here, fields = parts(request), await read_form(request)
    by_form = not is_json(request)
    try:
        tier, prompt = _asked(fields, here.settings, by_form=by_form)
        kind = Trigger.MANUAL if by_form else Trigger.API
        message = AddTrigger(tier=tier, prompt=prompt, kind=kind, by=signed_in(request).name)
        reply = await here.worker.call(message, TriggerReply, timeout=ADD_SECONDS, id_=form_key(fields))
    except CallError as error:
        if not by_form:
            raise
        return await _refused(request, fields, error)
    if not by_form:
        return json_response(reply.trigger, status=201)
    trigger = await _soon_started(here, reply.trigger)
    return _led(request, f"/sessions/{trigger.session_id}" if trigger.session_id else f"/triggers?added={trigger.id}")


async def start(request: web.Request) -> web.StreamResponse:
    """POST /sessions/trigger, with the existing program's codes: fields as above, at once or 409, bad input is 400."""
    here, fields = parts(request), await read_form(request)
    by_form = not is_json(request)
    try:
        tier, prompt = _asked(fields, here.settings, by_form=by_form)
        kind = Trigger.MANUAL if by_form else Trigger.API
        message = TriggerSession(tier=tier, prompt=prompt, trigger=kind, by=signed_in(request).name)
        reply = await here.worker.call(message, SessionReply, timeout=ADD_SECONDS, id_=form_key(fields))
    except CallError as error:
        if not by_form:
            raise
        return await _refused(request, fields, error)
    if not by_form:
        return json_response(reply.session, status=201)
    return _led(request, f"/sessions/{reply.session.id}")


async def _refused(request: web.Request, fields: dict[str, str], error: CallError) -> web.Response:
    """The form again, with what was typed and why it was not taken."""
    said = error.message
    if error.code is Code.BUSY:
        said = f"{said.rstrip('.')}. Sent again from here, it waits for its turn in the queue."
    form = TriggerForm(fields.get("prompt", ""), fields.get("tier", "1"), said, uuid.uuid4().hex)
    status = shapes.status(request.path, error)
    if fields.get("from") == "overview":
        return await overview.page(request, form, status)
    return await _page(request, form, status=status)


def _led(request: web.Request, place: str) -> web.Response:
    """Where a form leads; htmx would put the page behind a 303 into the one that stands, so it is told to go there."""
    if is_partial(request):
        return web.Response(status=204, headers={"HX-Redirect": place})
    return web.Response(status=303, headers={"Location": place})


async def _soon_started(here: Parts, trigger: QueuedTrigger) -> QueuedTrigger:
    """The trigger as it is when its session has begun, or after a moment: most start at once."""
    loop = asyncio.get_running_loop()
    end = loop.time() + START_SECONDS
    while trigger.status is TriggerStatus.WAITING and not trigger.reason and loop.time() < end:
        await asyncio.sleep(LOOK_SECONDS)
        trigger = await read_one(here, trigger.id)
    return trigger


async def open_one(request: web.Request) -> web.StreamResponse:
    """GET /triggers/{id}: its session if it has one, else its place in the queue."""
    trigger = await read_one(parts(request), id_of(request))
    if is_json(request):
        return json_response(trigger)
    place = f"/sessions/{trigger.session_id}" if trigger.session_id else f"/triggers#trigger-{trigger.id}"
    return web.Response(status=303, headers={"Location": place})


async def ask_cancel(request: web.Request) -> web.StreamResponse:
    """GET /triggers/{id}/cancel: the question."""
    trigger = await read_one(parts(request), id_of(request))
    row = trigger_rows.row(trigger, formats.now())
    if row.cancel_href is None:
        return web.Response(status=303, headers={"Location": "/triggers"})
    context = Confirm(
        shell=shell.build(request, f"Cancel trigger {row.id}", "triggers"),
        question=f"Cancel trigger {row.id}?",
        consequences=[
            f"{row.tier[0].upper()}{row.tier[1:]}, {row.kind}: {row.prompt}",
            "It leaves the queue and starts no session. Nothing that runs is stopped.",
        ],
        action=row.cancel_href,
        verb="Cancel trigger",
        back="/triggers",
        fields={"key": uuid.uuid4().hex},
    )
    return confirm.ask(request, context)


async def cancel(request: web.Request) -> web.StreamResponse:
    """POST /triggers/{id}/cancel."""
    message = CancelTrigger(id=id_of(request), by=signed_in(request).name)
    key = form_key(await read_form(request))
    reply = await parts(request).worker.call(message, TriggerReply, id_=key)
    if is_json(request):
        return json_response(reply.trigger)
    return web.Response(status=303, headers={"Location": "/triggers"})
