"""Deleting memories, one or those that were chosen in the list; each after a question that shows them whole.

GET and POST /memories/{id}/delete and /memories/delete, for operators. The worker says how many were there.
"""

import uuid

from aiohttp import web
from multidict import MultiMapping

from ipc.errors import CallError, Code
from ipc.messages.envelope import Done
from ipc.messages.knowledge import DeletedReply, DeleteMemories, DeleteMemory
from schema.knowledge import DELETED_MAX, Memory
from webui import shell
from webui.forms import form_key, id_of, read_form
from webui.negotiation import is_json, json_response
from webui.pages import confirm, memory_rows
from webui.pages.approval_view import one_line
from webui.pages.confirm import Confirm
from webui.pages.keyed import address
from webui.pages.memories import read_one
from webui.parts import parts, signed_in

SHOWN_CHARS = 400
FILTERS = ("service", "category", "shown")
NOT_TOLD = "Sessions are not told {} any more. To keep {} without telling {}, make {} inactive instead."
NONE_CHOSEN = "Choose memories in the list first: none was."


async def ask(request: web.Request) -> web.StreamResponse:
    """GET /memories/{id}/delete: the question."""
    memory = await read_one(parts(request), id_of(request))
    context = Confirm(
        shell=shell.build(request, f"Delete memory {memory.id}", "memories"),
        question=f"Delete memory {memory.id}?",
        consequences=[one_line(memory.observation, SHOWN_CHARS), NOT_TOLD.format(*["it"] * 4)],
        action=f"/memories/{memory.id}/delete",
        verb="Delete memory",
        back=f"/memories/{memory.id}",
        fields={"key": uuid.uuid4().hex},
    )
    return confirm.ask(request, context)


async def delete(request: web.Request) -> web.StreamResponse:
    """POST /memories/{id}/delete."""
    message = DeleteMemory(id=id_of(request), by=signed_in(request).name)
    key = form_key(await read_form(request))
    await parts(request).worker.call(message, Done, id_=key)
    if is_json(request):
        return json_response({"deleted": message.id})
    return web.Response(status=303, headers={"Location": "/memories?deleted=1"})


def _ids(texts: list[str]) -> list[int]:
    """The chosen ids, each once. CallError for none, too many, and what is no id."""
    if not texts or len(texts) > DELETED_MAX:
        raise CallError(Code.INVALID, f"At most {DELETED_MAX} at a time." if texts else NONE_CHOSEN)
    for text in texts:
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise CallError(Code.INVALID, f"{text[:40]!r} is no memory's number.")
    return list(dict.fromkeys(map(int, texts)))


def _back(given: MultiMapping[str] | dict[str, str]) -> dict[str, str]:
    """The filters of the list that one comes from."""
    return {name: given[name] for name in FILTERS if given.get(name)}


async def ask_chosen(request: web.Request) -> web.StreamResponse:
    """GET /memories/delete?memory=…&memory=…: the question; with the list's filters, so that one comes back to it."""
    ids = _ids(request.query.getall("memory", []))
    rows = await parts(request).state.read(
        lambda database: [database.one("pages.memory", id=id_) for id_ in ids],
    )
    found = [memory_rows.from_row(row) for row in rows if row is not None]
    if not found:
        raise CallError(Code.NOT_FOUND, "None of these memories is there any more.")
    what = "1 memory" if len(found) == 1 else f"{len(found)} memories"
    word = "it" if len(found) == 1 else "them"
    context = Confirm(
        shell=shell.build(request, f"Delete {what}", "memories"),
        question=f"Delete {what}?",
        consequences=[*map(_line, found), NOT_TOLD.format(*[word] * 4)],
        action="/memories/delete",
        verb=f"Delete {what}",
        back=address("/memories", _back(request.query)),
        fields={"key": uuid.uuid4().hex, "ids": ",".join(str(memory.id) for memory in found), **_back(request.query)},
    )
    return confirm.ask(request, context)


def _line(memory: Memory) -> str:
    return f"{one_line(memory.service or memory_rows.GENERAL)}: {one_line(memory.observation, SHOWN_CHARS)}"


async def delete_chosen(request: web.Request) -> web.StreamResponse:
    """POST /memories/delete: fields key, ids ("3,7"), and the list's filters."""
    fields = await read_form(request)
    ids = _ids([text.strip() for text in fields.get("ids", "").split(",") if text.strip()])
    message = DeleteMemories(ids=ids, by=signed_in(request).name)
    reply = await parts(request).worker.call(message, DeletedReply, id_=form_key(fields))
    if is_json(request):
        return json_response(reply)
    there = address("/memories", _back(fields), deleted=reply.deleted, missing=reply.missing or None)
    return web.Response(status=303, headers={"Location": there})
