"""Maintenance windows: those that go on, come and are over; one is planned, begun for some services, ended.

GET /maintenance and /maintenance.json; POST /maintenance adds one; /maintenance/{id}/remove asks, then ends it.
"""

import uuid
from typing import NamedTuple

from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.envelope import Done
from ipc.messages.incidents import AddWindow, ListWindows, RemoveWindow, WindowReply, WindowsReply
from schema.definitions import Window
from schema.monitored import PlannedWindow
from webui import shell
from webui.auth.rules import Access, may
from webui.forms import form_key, id_of, read_form
from webui.negotiation import is_json, json_response
from webui.pages import confirm, formats, planning, probed, service_form, service_rows
from webui.pages.ansi import plain
from webui.pages.planning import MINUTES_NOW, WindowForm, WindowRow
from webui.parts import Parts, parts, signed_in

SECONDS = 10.0


class MaintenancePage(NamedTuple):
    """The page's context. `windows` is None while the worker does not answer; `form`: for who may add one."""

    shell: shell.Shell
    stream: str
    mark: str
    here_href: str
    windows: list[tuple[str, list[WindowRow]]] | None
    form: WindowForm | None
    said: str
    key: str
    may_act: bool


PLACES = ("now", "coming", "over")
SAID = {"added": "The window is planned.", "begun": "The window has begun.", "removed": "The window is removed."}


async def ask(here: Parts) -> list[PlannedWindow] | None:
    """All windows; None while the worker does not answer."""
    if not here.worker.ok:
        return None
    try:
        return (await here.worker.call(ListWindows(over=True), WindowsReply, timeout=SECONDS)).windows
    except CallError as error:
        if error.code not in (Code.UNAVAILABLE, Code.DEADLINE):
            raise
        return None  # the page says so


async def show(request: web.Request) -> web.StreamResponse:
    """GET /maintenance; `services` and `tags` in the address stand in its form."""
    if is_json(request):
        reply = await parts(request).worker.call(ListWindows(over=True), WindowsReply, timeout=SECONDS)
        return json_response({"windows": reply.windows})
    said = SAID.get(request.query.get("said", ""), "")
    return await page(request, planning.form({"services": "", **request.query}, []), said=said)


async def page(request: web.Request, form: WindowForm, *, said: str = "", status: int = 200) -> web.Response:
    """The page, with what stands in its form."""
    here, now = parts(request), formats.now()
    found = await ask(here)
    acts = may(signed_in(request).role, Access.OPERATOR)
    rows = None if found is None else [planning.row(one, now) for one in found]
    context = MaintenancePage(
        shell=shell.build(request, "Maintenance", "maintenance"),
        stream="/live?page=maintenance",
        mark=here.feed.mark("services"),
        here_href="/maintenance",
        windows=None if rows is None else [(place, [row for row in rows if row.place == place]) for place in PLACES],
        form=form if acts else None,
        said=said,
        key=uuid.uuid4().hex,
        may_act=acts,
    )
    return shell.page(request, "maintenance.html", context, status=status)


async def add(request: web.Request) -> web.StreamResponse:
    """POST /maintenance: title, when (now, once, weekly, cron) with its fields, minutes, services, tags, key."""
    fields = await read_form(request)
    days = [fields.get("day", "")]
    if request.content_type != "application/json":
        days = [str(value) for value in (await request.post()).getall("day", [])]
    window, wrong = planning.read(fields, days)
    try:
        service_form.refuse(wrong)
        await _refuse_unknown(request, window)
        reply = await plan(request, window)
    except CallError as error:
        if is_json(request):
            raise
        found = service_form.wrong_fields(error)
        form = planning.form(fields, days, found, "" if found else error.message)
        return await page(request, form, status=error.http_status)
    if is_json(request):
        return json_response(reply, status=201)
    said = "begun" if reply.window.active else "added"
    return web.Response(status=303, headers={"Location": f"/maintenance?said={said}"})


async def plan(request: web.Request, window: Window) -> WindowReply:
    """Has the worker keep a window. CallError `invalid` names the field."""
    message = AddWindow(window=window, by=signed_in(request).name)
    key = form_key(await read_form(request))
    return await parts(request).worker.call(message, WindowReply, timeout=SECONDS, id_=key)


async def _refuse_unknown(request: web.Request, window: Window) -> None:
    """CallError `invalid` for a service that is none: its window would hold for nothing, and nobody would notice."""
    rows = await parts(request).state.read(
        lambda database: [name for name in window.services if database.one("definitions.by_name", name=name) is None]
    )
    if rows:
        text = f"There is no service {rows[0]!r}; each line is the name of one."
        raise CallError(Code.INVALID, text, {"fields": {"services": text}})


async def begin(request: web.Request) -> web.StreamResponse:
    """POST /services/{id}/maintain: minutes (30), key. A window for one service, from now on."""
    fields = await read_form(request)
    service = await probed.one(parts(request), id_of(request))
    reply = await plan(request, now(minutes_of(fields), [service.name]))
    if is_json(request):
        return json_response(reply, status=201)
    return web.Response(status=303, headers={"Location": service_rows.href(service.name)})


def minutes_of(fields: dict[str, str]) -> int:
    """How long a window is wanted that begins now; the worker refuses what is no length."""
    text = fields.get("minutes", "").strip() or str(MINUTES_NOW)
    return int(service_form.WAYS["whole"].read(text))


def now(minutes: int, names: list[str]) -> Window:
    """A window that begins now."""
    what = names[0] if len(names) == 1 else f"{len(names)} services"
    return Window(title=f"Maintenance of {what}", minutes=minutes, services=tuple(names))


async def _one(request: web.Request, id_: int) -> PlannedWindow:
    reply = await parts(request).worker.call(ListWindows(over=True), WindowsReply, timeout=SECONDS)
    for planned in reply.windows:
        if planned.id == id_:
            return planned
    raise CallError(Code.NOT_FOUND, f"There is no maintenance window {id_}; somebody may have removed it.")


async def ask_remove(request: web.Request) -> web.StreamResponse:
    """GET /maintenance/{id}/remove: the question."""
    planned = await _one(request, id_of(request))
    title = plain(planned.window.title)
    follows = "What fails is told of again from now on." if planned.active else "It will not begin."
    if not planned.active and not planned.next_at:
        follows = "It is over; only this list forgets it."
    consequences = [planning.words(planned.window), follows]
    return confirm.removal(request, "window", title, planned.id, back="/maintenance", consequences=consequences)


async def remove(request: web.Request) -> web.StreamResponse:
    """POST /maintenance/{id}/remove."""
    message = RemoveWindow(id=id_of(request), by=signed_in(request).name)
    await parts(request).worker.call(message, Done, timeout=SECONDS)
    if is_json(request):
        return json_response({"removed": message.id})
    return web.Response(status=303, headers={"Location": "/maintenance?said=removed"})
