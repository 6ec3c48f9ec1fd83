"""Pausing, resuming and removing services, one or several. POSTs of operators.

Several at once are those that were picked, or all that the list's filters let in; what became of each is counted.
"""

import uuid

from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.services import ChangedReply, PauseServices, RemoveServices, TagServices
from schema import monitored
from schema.monitored import Monitored
from webui import shell
from webui.forms import form_key, id_of, read_form
from webui.negotiation import is_json, json_response
from webui.pages import confirm, keyed, maintenance, probed, service_form, service_rows, services
from webui.pages.ansi import plain
from webui.pages.confirm import Confirm
from webui.pages.services import Said
from webui.parts import parts, signed_in

SECONDS = 30.0
NAMED = 10
# What can be done to several, and how it is told that it was.
WORDS = {"pause": "paused", "resume": "resumed", "remove": "removed", "tag": "tagged", "untag": "untagged",
         "maintain": "maintained"}  # fmt: skip
NO_TAG = "Write the tag that is to be added or removed."
NONE_PICKED = "Pick the services that it is about, or choose all that match."
PAUSE = "To keep what was found, pause instead."
# What comes of removing one, and of removing several.
OF_ONE = ("It is probed no more.", "Its findings, sums and incidents go with it, and can’t be brought back.", PAUSE)
OF_SEVERAL = ("They are probed no more.", "Their findings, sums and incidents go with them, and can’t be brought back.",
              PAUSE)  # fmt: skip


async def _send(request: web.Request, message: PauseServices | RemoveServices | TagServices) -> ChangedReply:
    key = form_key(await read_form(request))
    return await parts(request).worker.call(message, ChangedReply, timeout=SECONDS, id_=key)


def refuse(reply: ChangedReply, id_: int) -> None:
    """CallError where it could not be done to the one that it is about."""
    if str(id_) in reply.failed:
        raise CallError(Code.NOT_FOUND if id_ in reply.gone else Code.CONFLICT, f"{reply.failed[str(id_)]}.")


async def pause(request: web.Request) -> web.StreamResponse:
    """POST /services/{id}/pause."""
    return await _set_paused(request, paused=True)


async def resume(request: web.Request) -> web.StreamResponse:
    """POST /services/{id}/resume."""
    return await _set_paused(request, paused=False)


async def _set_paused(request: web.Request, *, paused: bool) -> web.StreamResponse:
    service = await probed.one(parts(request), id_of(request))
    reply = await _send(request, PauseServices(ids=[service.id], paused=paused, by=signed_in(request).name))
    refuse(reply, service.id)
    if is_json(request):
        return json_response(reply)
    return web.Response(status=303, headers={"Location": service_rows.href(service.name)})


async def ask_remove(request: web.Request) -> web.StreamResponse:
    """GET /services/{id}/remove: the question."""
    service = await probed.one(parts(request), id_of(request))
    return _ask_remove(request, [service], f"/services/{service.id}/remove", service_rows.href(service.name), {})


def _ask_remove(
    request: web.Request, found: list[Monitored], action: str, back: str, fields: dict[str, str]
) -> web.Response:
    names = [plain(service.name) for service in found[:NAMED]]
    more = [f"and {len(found) - NAMED} more"] if len(found) > NAMED else []
    what, verb, consequences = names[0], "Remove service", [*OF_ONE]
    if len(found) > 1:
        what = f"{len(found)} services"
        verb, consequences = f"Remove {what}", [*names, *more, *OF_SEVERAL]
    context = Confirm(
        shell=shell.build(request, f"Remove {what}", "services"),
        question=f"Remove {what}?",
        consequences=consequences,
        action=action,
        verb=verb,
        back=back,
        fields={"key": uuid.uuid4().hex, **fields},
    )
    return confirm.ask(request, context)


async def remove(request: web.Request) -> web.StreamResponse:
    """POST /services/{id}/remove, and DELETE /services/{id}."""
    id_ = id_of(request)
    reply = await _send(request, RemoveServices(ids=[id_], by=signed_in(request).name))
    refuse(reply, id_)
    if is_json(request):
        return json_response(reply)
    return web.Response(status=303, headers={"Location": "/services?did=removed&done=1"})


async def bulk(request: web.Request) -> web.StreamResponse:
    """POST /services/bulk: ids, or which=all with the list's filters; action, bulk_tag, minutes; key; sure."""
    fields = await read_form(request)
    action = fields.get("action", "")
    if action not in WORDS:
        raise CallError(Code.INVALID, f"action is one of {', '.join(WORDS)}.")
    ids = await _ids(request, fields)
    back = keyed.address("/services", probed.read_filters(fields).given())
    if not ids:
        return await _said(request, Said("warn", "triangle-alert", NONE_PICKED), 422)
    if action == "remove" and fields.get("sure") != "yes" and not is_json(request):
        return await _ask_all(request, ids, back)
    tags = service_form.WAYS["words"].read(fields.get("bulk_tag", ""))
    if action in ("tag", "untag") and not tags:
        return await _said(request, Said("warn", "triangle-alert", NO_TAG), 422)
    done = await _do(request, action, ids, tags)
    if is_json(request):
        return json_response({"done": done.done, "failed": done.failed})
    word = WORDS[action]
    if done.failed:
        why = "; ".join(list(dict.fromkeys(done.failed.values()))[:NAMED])
        text = f"{len(done.done)} {word}, {len(done.failed)} could not be: {plain(why)}."
        return await _said(request, Said("warn", "triangle-alert", text), 200 if done.done else 409)
    query = probed.read_filters(fields).given() | {"did": word, "done": str(len(done.done))}
    return web.Response(status=303, headers={"Location": keyed.address("/services", query)})


async def _do(request: web.Request, action: str, ids: list[int], tags: tuple[str, ...]) -> ChangedReply:
    by = signed_in(request).name
    if action == "maintain":
        return await _maintain(request, ids)
    if action in ("tag", "untag"):
        add, remove = (tags, ()) if action == "tag" else ((), tags)
        return await _send(request, TagServices(ids=ids, add=add, remove=remove, by=by))
    if action == "remove":
        return await _send(request, RemoveServices(ids=ids, by=by))
    return await _send(request, PauseServices(ids=ids, paused=action == "pause", by=by))


async def _maintain(request: web.Request, ids: list[int]) -> ChangedReply:
    """One window for all of them, from now on."""
    wanted = frozenset(ids)
    rows = [row for row in await parts(request).state.read(probed.every) if row["id"] in wanted]
    if rows:
        minutes = maintenance.minutes_of(await read_form(request))
        await maintenance.plan(request, maintenance.now(minutes, [row["name"] for row in rows]))
    done = [row["id"] for row in rows]
    return ChangedReply(done=done, failed={str(id_): f"there is no service {id_}" for id_ in wanted.difference(done)})


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
    found = [monitored.from_row(row) for row in rows if row["id"] in wanted]
    if not found:
        raise CallError(Code.NOT_FOUND, "These services are gone already.")
    # Those that were shown, and no others that have come to match meanwhile.
    fields = {"action": "remove", "sure": "yes", "ids": ",".join(str(service.id) for service in found)}
    return _ask_remove(request, found, "/services/bulk", back, fields)
