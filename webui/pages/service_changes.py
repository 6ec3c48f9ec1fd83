"""Pausing, resuming and removing services, one or several; and notes on incidents. POSTs of operators.

Several at once are those that were picked, or all that the list's filters let in; what became of each is counted.
"""

import uuid

from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.incidents import IncidentReply, NoteIncident
from ipc.messages.services import ChangedReply, PauseServices, RemoveServices
from schema.monitored import Monitored
from webui import shell
from webui.forms import form_key, read_form
from webui.negotiation import is_json, json_response
from webui.pages import confirm, keyed, probed, service_rows, services
from webui.pages.ansi import plain
from webui.pages.confirm import Confirm
from webui.pages.services import Said
from webui.parts import parts, signed_in

SECONDS = 30.0
NAMED = 10
NONE_PICKED = "Pick the services that it is about, or choose all that match."
LOST = "Its findings, sums and incidents go with it, and can’t be brought back."


async def _send(request: web.Request, message: PauseServices | RemoveServices) -> ChangedReply:
    key = form_key(await read_form(request))
    return await parts(request).worker.call(message, ChangedReply, timeout=SECONDS, id_=key)


def _one(reply: ChangedReply, id_: int) -> None:
    """CallError where it could not be done to the one that it is about."""
    if str(id_) in reply.failed:
        gone = id_ not in reply.done and "there is no service" in reply.failed[str(id_)]
        raise CallError(Code.NOT_FOUND if gone else Code.CONFLICT, f"{reply.failed[str(id_)]}.")


async def pause(request: web.Request) -> web.StreamResponse:
    """POST /services/{id}/pause."""
    return await _set_paused(request, paused=True)


async def resume(request: web.Request) -> web.StreamResponse:
    """POST /services/{id}/resume."""
    return await _set_paused(request, paused=False)


async def _set_paused(request: web.Request, *, paused: bool) -> web.StreamResponse:
    service = await probed.one(parts(request), probed.id_of(request))
    reply = await _send(request, PauseServices(ids=[service.id], paused=paused, by=signed_in(request).name))
    _one(reply, service.id)
    if is_json(request):
        return json_response(reply)
    return web.Response(status=303, headers={"Location": service_rows.href(service.name)})


async def ask_remove(request: web.Request) -> web.StreamResponse:
    """GET /services/{id}/remove: the question."""
    service = await probed.one(parts(request), probed.id_of(request))
    return _ask_remove(request, [service], f"/services/{service.id}/remove", service_rows.href(service.name), {})


def _ask_remove(
    request: web.Request, found: list[Monitored], action: str, back: str, fields: dict[str, str]
) -> web.Response:
    names = [plain(service.name) for service in found[:NAMED]]
    more = [f"and {len(found) - NAMED} more"] if len(found) > NAMED else []
    what = names[0] if len(found) == 1 else f"{len(found)} services"
    context = Confirm(
        shell=shell.build(request, f"Remove {what}", "services"),
        question=f"Remove {what}?",
        consequences=[*([] if len(found) == 1 else names + more), "It is probed no more." if len(found) == 1
                      else "They are probed no more.", LOST.replace("Its", "Their").replace("it,", "them,")
                      if len(found) > 1 else LOST, "To keep what was found, pause instead."],
        action=action,
        verb="Remove service" if len(found) == 1 else f"Remove {len(found)} services",
        back=back,
        fields={"key": uuid.uuid4().hex, **fields},
    )  # fmt: skip
    return confirm.ask(request, context)


async def remove(request: web.Request) -> web.StreamResponse:
    """POST /services/{id}/remove, and DELETE /services/{id}."""
    id_ = probed.id_of(request)
    reply = await _send(request, RemoveServices(ids=[id_], by=signed_in(request).name))
    _one(reply, id_)
    if is_json(request):
        return json_response(reply)
    return web.Response(status=303, headers={"Location": "/services?did=removed&done=1"})


async def bulk(request: web.Request) -> web.StreamResponse:
    """POST /services/bulk: ids, or which=all with the list's filters; action (pause, resume, remove); key; sure."""
    fields = await read_form(request)
    action = fields.get("action", "")
    if action not in ("pause", "resume", "remove"):
        raise CallError(Code.INVALID, "action is pause, resume or remove.")
    ids = await _ids(request, fields)
    back = keyed.address("/services", probed.read_filters(fields).given())
    if not ids:
        return await _said(request, Said("warn", "triangle-alert", NONE_PICKED), 422)
    if action == "remove" and fields.get("sure") != "yes" and not is_json(request):
        return await _ask_all(request, ids, back)
    by = signed_in(request).name
    done = await _send(
        request,
        RemoveServices(ids=ids, by=by)
        if action == "remove"
        else PauseServices(ids=ids, paused=action == "pause", by=by),
    )
    if is_json(request):
        return json_response({"done": done.done, "failed": done.failed})
    word = {"pause": "paused", "resume": "resumed", "remove": "removed"}[action]
    if done.failed:
        why = "; ".join(list(dict.fromkeys(done.failed.values()))[:NAMED])
        text = f"{len(done.done)} {word}, {len(done.failed)} could not be: {plain(why)}."
        return await _said(request, Said("warn", "triangle-alert", text), 200 if done.done else 409)
    query = probed.read_filters(fields).given() | {"did": word, "done": str(len(done.done))}
    return web.Response(status=303, headers={"Location": keyed.address("/services", query)})


async def _said(request: web.Request, said: Said, status: int) -> web.Response:
    if is_json(request):
        raise CallError(Code.INVALID, said.text)
    return await services.page(request, said=said, status=status)


async def _ids(request: web.Request, fields: dict[str, str]) -> list[int]:
    if fields.get("which") == "all":
        filters = probed.read_filters(fields)
        return (await parts(request).state.read(lambda database: probed.find(database, filters))).ids
    # A form sends each that is picked by itself; a program, and the question's page, all of them as one text.
    given = [fields.get("ids", "")]
    if request.content_type != "application/json":
        given = [str(value) for value in (await request.post()).getall("ids", [])]
    texts = [text for value in given for text in value.split(",") if text.strip()]
    numbers = [keyed.number({"ids": text}, "ids") for text in texts]
    return list(dict.fromkeys(number for number in numbers if number is not None))


async def _ask_all(request: web.Request, ids: list[int], back: str) -> web.Response:
    wanted = frozenset(ids)
    rows = await parts(request).state.read(probed.every)
    found = [probed.service_of(row) for row in rows if row["id"] in wanted]
    if not found:
        raise CallError(Code.NOT_FOUND, "These services are gone already.")
    # Those that were shown, and no others that have come to match meanwhile.
    fields = {"action": "remove", "sure": "yes", "ids": ",".join(str(service.id) for service in found)}
    return _ask_remove(request, found, "/services/bulk", back, fields)


async def note(request: web.Request) -> web.StreamResponse:
    """POST /incidents/{id}: fields text, acknowledge ("1"), key."""
    fields = await read_form(request)
    text, acknowledge = fields.get("text", "").strip(), fields.get("acknowledge", "") in ("1", "on", "true", "True")
    if not text and not acknowledge:
        raise CallError(Code.INVALID, "Say something of the incident, or that you look after it.")
    message = NoteIncident(id=probed.id_of(request), acknowledge=acknowledge, text=text, by=signed_in(request).name)
    reply = await parts(request).worker.call(message, IncidentReply, timeout=SECONDS, id_=form_key(fields))
    if is_json(request):
        return json_response(reply)
    address = f"{service_rows.href(reply.incident.service)}#incident-{reply.incident.id}"
    return web.Response(status=303, headers={"Location": address})
