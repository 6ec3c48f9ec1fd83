"""What sessions are told again, by service. GET /memories, .json and .md; operators add and change.

Every change is a message to the worker, which knows what reinforces and what contradicts. For what is deleted see
`webui.pages.memory_deletion`.
"""

import uuid
from typing import NamedTuple

from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.knowledge import AddMemory, ChangeMemory, MemoryReply
from schema.knowledge import CATEGORIES, OBSERVATION_MAX, SERVICE_MAX, Memory
from webui import shell
from webui.auth.rules import Access, may
from webui.forms import form_key, id_of, read_form
from webui.negotiation import is_json, json_response
from webui.pages import formats, memory_export, memory_rows
from webui.pages.ansi import plain
from webui.pages.keyed import Choice, address, number
from webui.pages.memory_rows import Filters, Group
from webui.parts import Parts, parts, signed_in

CONFIDENCE = "0.7"


class MemoryForm(NamedTuple):
    """What stands in the form; `id` is None for a new memory."""

    id: int | None
    service: str
    category: str
    observation: str
    confidence: str
    active: bool
    key: str
    observation_max: int = OBSERVATION_MAX
    service_max: int = SERVICE_MAX

    @property
    def categories(self) -> list[str]:
        """What may be chosen; that of an older program's memory stays until another one is."""
        return [*CATEGORIES, *({self.category} - {"", *CATEGORIES})]


class MemoriesPage(NamedTuple):
    """The list's context. `newest`: how many it shows where there are more; None where it shows all.

    `here_href`: its address, from which it is renewed when `mark` changes.
    """

    shell: shell.Shell
    stream: str
    here_href: str
    mark: str
    groups: list[Group]
    newest: int | None
    filters: Filters
    services: list[str]
    categories: list[str]
    shown: list[Choice]
    empty: str | None
    may_act: bool
    form: MemoryForm
    error: str | None
    told: str


class MemoryPage(NamedTuple):
    """The context of one memory's page; who may not change it sees what it says."""

    shell: shell.Shell
    form: MemoryForm
    error: str | None
    may_act: bool


def _new() -> MemoryForm:
    return MemoryForm(None, "", "", "", CONFIDENCE, True, uuid.uuid4().hex)


async def read_one(here: Parts, id_: int) -> Memory:
    """One memory. CallError `not_found`."""
    row = await here.state.read(lambda database: database.one("pages.memory", id=id_))
    if row is None:
        raise CallError(Code.NOT_FOUND, f"There is no memory {id_}.")
    return memory_rows.from_row(row)


async def show(request: web.Request) -> web.StreamResponse:
    """GET /memories, /memories.json and /memories.md; all three with the same filters."""
    filters = memory_rows.read_filters(request.query)
    if request.path.endswith(".md"):
        return await memory_export.as_markdown(request, filters)
    if is_json(request):
        return await memory_export.as_json(request, filters)
    return await _page(request, filters, _new(), None)


async def _page(
    request: web.Request, filters: Filters, form: MemoryForm, error: str | None, status: int = 200
) -> web.Response:
    listed = await parts(request).state.read(lambda database: memory_rows.find(database, filters))
    context = MemoriesPage(
        shell=shell.build(request, "Memories", "memories"),
        stream="/live?page=memories",
        here_href=address("/memories", filters._asdict()),
        mark=parts(request).feed.mark("memories"),
        groups=memory_rows.groups(listed.memories, formats.now()),
        newest=len(listed.memories) if listed.cut else None,
        filters=filters,
        services=listed.services,
        categories=listed.categories,
        shown=memory_rows.SHOWN,
        empty=None if listed.memories else "filtered" if listed.categories else "nothing",
        may_act=may(signed_in(request).role, Access.OPERATOR),
        form=form,
        error=error,
        told=_told(number(request.query, "deleted"), number(request.query, "missing") or 0),
    )
    return shell.page(request, "memories.html", context, status=status)


def _told(deleted: int | None, missing: int) -> str:
    """What has become of those that were to be deleted."""
    if deleted is None:
        return ""
    gone = f" {missing} {'was' if missing == 1 else 'were'} gone already." if missing else ""
    return f"{deleted} {'memory is' if deleted == 1 else 'memories are'} deleted.{gone}"


def _form(fields: dict[str, str], id_: int | None) -> MemoryForm:
    names = ("service", "category", "observation", "confidence")
    service, category, observation, confidence = (fields.get(name, "").strip() for name in names)
    active = fields.get("active", "") in ("1", "on", "true", "True")
    return MemoryForm(id_, service, category, observation, confidence, active, form_key(fields))


def _confidence(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise CallError(Code.INVALID, "The confidence is a number from 0 to 1, such as 0.7.")
    return found


def _check(form: MemoryForm) -> None:
    """CallError for what is no memory."""
    if not form.observation or not form.category:
        raise CallError(Code.INVALID, "Say what is to be remembered, and of what kind it is.")
    if len(form.observation) > OBSERVATION_MAX or len(form.service) > SERVICE_MAX:
        raise CallError(Code.INVALID, f"A memory has at most {OBSERVATION_MAX} characters, a service {SERVICE_MAX}.")


async def add(request: web.Request) -> web.StreamResponse:
    """POST /memories: fields key, service, category, observation, confidence."""
    here, fields = parts(request), await read_form(request)
    form = _form({"confidence": CONFIDENCE, **fields}, None)
    try:
        _check(form)
        message = AddMemory(
            category=form.category,
            observation=form.observation,
            service=form.service,
            confidence=_confidence(form.confidence),
            by=signed_in(request).name,
        )
        reply = await here.worker.call(message, MemoryReply, id_=form.key)
    except CallError as error:
        if is_json(request):
            raise
        form = form._replace(key=uuid.uuid4().hex)
        return await _page(request, Filters(), form, error.message, error.http_status)
    if is_json(request):
        return json_response(reply.memory, status=201)
    return web.Response(status=303, headers={"Location": f"/memories#memory-{reply.memory.id}"})


def _stored(memory: Memory) -> dict[str, str]:
    """A memory as the fields of its form."""
    return {
        "service": memory.service or "",
        "category": memory.category,
        "observation": memory.observation,
        "confidence": f"{memory.confidence:.2f}",
        "active": "1" if memory.active else "",
    }


async def show_one(request: web.Request) -> web.StreamResponse:
    """GET /memories/{id}: what it says, and for operators the form that changes it."""
    memory = await read_one(parts(request), id_of(request))
    if is_json(request):
        return json_response(memory)
    return _one_page(request, _form(_stored(memory), memory.id), None)


def _one_page(request: web.Request, form: MemoryForm, error: str | None, status: int = 200) -> web.Response:
    acts = may(signed_in(request).role, Access.OPERATOR)
    context = MemoryPage(
        shell=shell.build(request, f"Memory {form.id}", "memories"),
        # A form gives back what it was given; what is only read shows no character that hides another.
        form=form if acts else form._replace(observation=plain(form.observation)),
        error=error,
        may_act=acts,
    )
    return shell.page(request, "memory.html", context, status=status)


async def change(request: web.Request) -> web.StreamResponse:
    """POST /memories/{id}: fields key, service, category, observation, confidence, active ("1", or not there)."""
    memory = await read_one(parts(request), id_of(request))
    return await _change(request, memory, await read_form(request))


async def update(request: web.Request) -> web.StreamResponse:
    """POST /memories/{id}/update, the existing program's address: the same fields, and what is not named stays."""
    memory = await read_one(parts(request), id_of(request))
    return await _change(request, memory, {**_stored(memory), **await read_form(request)})


async def _change(request: web.Request, memory: Memory, fields: dict[str, str]) -> web.StreamResponse:
    id_ = memory.id
    form = _form(fields, id_)
    try:
        _check(form)
        confidence = _confidence(form.confidence)
        message = ChangeMemory(
            id=id_,
            observation=form.observation,
            category=form.category,
            service=form.service,
            # The form shows two digits: what was not touched keeps all of its own.
            confidence=None if form.confidence == f"{memory.confidence:.2f}" else confidence,
            active=None if form.active == memory.active else form.active,
            by=signed_in(request).name,
        )
        reply = await parts(request).worker.call(message, MemoryReply, id_=form.key)
    except CallError as error:
        if is_json(request):
            raise
        return _one_page(request, form._replace(key=uuid.uuid4().hex), error.message, error.http_status)
    if is_json(request):
        return json_response(reply.memory)
    return web.Response(status=303, headers={"Location": f"/memories?shown=all#memory-{id_}"})
