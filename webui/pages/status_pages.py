"""Status pages as their authors see them: listed, added, edited, published, removed.

GET /status-pages and its .json; POST /status-pages adds one; /status-pages/{id}/edit and /remove ask, then do.
"""

import uuid
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.envelope import Done
from ipc.messages.status_pages import AddStatusPage, ChangeStatusPage, RemoveStatusPage, StatusPageReply
from schema.database import Database
from schema.status_pages import Page, StatusPage
from webui import shell
from webui.auth.rules import Access, may
from webui.forms import form_key, id_of, read_form
from webui.negotiation import is_json, json_response
from webui.pages import confirm, formats, keyed, probed, public_read, service_form
from webui.pages.ansi import plain
from webui.pages.formats import At
from webui.parts import parts, signed_in

SECONDS = 10.0
SAID = {"added": "The status page is added.", "changed": "The status page is changed.", "removed": "It is removed."}
NOT_ADDED, NOT_CHANGED = "Not added.", "Not changed."


class PageRow(NamedTuple):
    """A status page in the list. `shows`: what it is about, in words; `services`: how many that are now."""

    id: int
    title: str
    href: str
    published: bool
    shows: str
    services: int
    changed: At
    by: str


class PageForm(NamedTuple):
    """What stands in the form. `differs`: (field, what is stored now), where somebody else was faster."""

    slug: str
    title: str
    description: str
    published: bool
    latency: bool
    services: str
    tags: str
    groups: str
    wrong: dict[str, str]
    error: str
    refused: str
    differs: list[tuple[str, str]]


class StatusPagesPage(NamedTuple):
    """The list's context. `form` is None for who may not add one."""

    shell: shell.Shell
    rows: list[PageRow]
    form: PageForm | None
    said: str
    key: str
    may_act: bool


class StatusPageEdit(NamedTuple):
    """The context of the form that changes one."""

    shell: shell.Shell
    id: int
    version: int
    form: PageForm
    key: str


WAYS = {"services": "lines", "tags": "words", "groups": "lines"}
TEXTS = ("slug", "title", "description", *WAYS)
BOXES = ("published", "latency")
YES = ("yes", "1", "on", "true", "True")


def texts(page: Page) -> dict[str, str]:
    """What stands in the fields of a page."""
    found = {name: service_form.WAYS[way].write(getattr(page, name)) for name, way in WAYS.items()}
    return {
        "slug": page.slug, "title": page.title, "description": page.description, **found,
        **{name: "yes" if getattr(page, name) else "" for name in BOXES},
    }  # fmt: skip


def form(
    fields: Mapping[str, str], wrong: dict[str, str] | None = None, error: str = "", refused: str = NOT_ADDED,
    differs: list[tuple[str, str]] | None = None,
) -> PageForm:  # fmt: skip
    """The form with these texts, and with what is wrong beside each."""
    written = {name: fields.get(name, "") for name in TEXTS}
    return PageForm(
        **written,
        published=_ticked(fields, "published"),
        latency=_ticked(fields, "latency"),
        wrong=dict(wrong or {}),
        error=error,
        refused=refused,
        differs=differs or [],
    )


def read(fields: Mapping[str, str], before: Page) -> Page:
    """What the fields say; those that did not come stay as they were, but for a box that is not ticked."""
    values = {
        name: service_form.WAYS[WAYS[name]].read(fields[name]) if name in WAYS else fields[name].strip()
        for name in TEXTS
        if name in fields
    }
    return msgspec.structs.replace(before, **values, **{name: _ticked(fields, name) for name in BOXES})


def _ticked(fields: Mapping[str, str], name: str) -> bool:
    return fields.get(name, "") in YES


def _read(database: Database) -> list[tuple[StatusPage, int]]:
    found = public_read.stored(database)
    services = probed.every(database) if found else []
    return [(one, sum(public_read.belongs(one.page, row) for row in services)) for one in found]


async def show(request: web.Request) -> web.StreamResponse:
    """GET /status-pages."""
    if is_json(request):
        found = await parts(request).state.read(_read)
        return json_response({"pages": [one for one, _ in found]})
    return await _page(request, form({"published": ""}), said=SAID.get(request.query.get("said", ""), ""))


async def _page(request: web.Request, filled: PageForm, *, said: str = "", status: int = 200) -> web.Response:
    found, now = await parts(request).state.read(_read), formats.now()
    acts = may(signed_in(request).role, Access.OPERATOR)
    rows = [
        PageRow(
            id=one.id,
            title=plain(one.page.title),
            href=f"/status/{one.page.slug}",
            published=one.page.published,
            shows=_shows(one.page),
            services=count,
            changed=formats.ago(one.updated_at, now),
            by=plain(one.updated_by),
        )
        for one, count in found
    ]
    built = shell.build(request, "Status pages", "status-pages")
    context = StatusPagesPage(built, rows, filled if acts else None, said, uuid.uuid4().hex, acts)
    return shell.page(request, "status_pages.html", context, status=status)


def _shows(page: Page) -> str:
    parts_ = [f"tag {', '.join(page.tags)}"] if page.tags else []
    parts_ += [f"group {', '.join(page.groups)}"] if page.groups else []
    if page.services:
        parts_.append(f"{len(page.services)} by name")
    return plain(" · ".join(parts_)) or "nothing chosen"


async def add(request: web.Request) -> web.StreamResponse:
    """POST /status-pages: slug, title, description, services, tags, groups, published, latency, key."""
    fields = await read_form(request)
    message = AddStatusPage(page=read(fields, Page(slug="", title="")), by=signed_in(request).name)
    try:
        reply = await parts(request).worker.call(message, StatusPageReply, timeout=SECONDS, id_=form_key(fields))
    except CallError as error:
        if is_json(request):
            raise
        found = service_form.wrong_fields(error)
        filled = form(fields, found, "" if found else error.message)
        return await _page(request, filled, status=error.http_status)
    return _done(request, "added", reply, 201)


def _done(request: web.Request, what: str, reply: StatusPageReply | None, status: int = 200) -> web.Response:
    parts(request).public.forget()
    if is_json(request):
        return json_response(reply if reply is not None else {"did": what}, status=status)
    return web.Response(status=303, headers={"Location": f"/status-pages?said={what}"})


async def _one(request: web.Request) -> StatusPage:
    id_ = id_of(request)
    found = await parts(request).state.read(lambda database: public_read.stored_one(database, id_))
    if found is None:
        raise CallError(Code.NOT_FOUND, f"There is no status page {id_}; somebody may have removed it.")
    return found


async def show_edit(request: web.Request) -> web.StreamResponse:
    """GET /status-pages/{id}/edit."""
    stored = await _one(request)
    if is_json(request):
        return json_response(stored)
    return _edit(request, stored.id, stored.version, form(texts(stored.page), refused=NOT_CHANGED))


def _edit(request: web.Request, id_: int, version: int, filled: PageForm, status: int = 200) -> web.Response:
    title = f"Edit {plain(filled.title)[:60] or 'status page'}"
    context = StatusPageEdit(shell.build(request, title, "status-pages"), id_, version, filled, uuid.uuid4().hex)
    return shell.page(request, "status_page_edit.html", context, status=status)


async def change(request: web.Request) -> web.StreamResponse:
    """POST /status-pages/{id}/edit: as `add`, and version (what its author saw)."""
    fields, stored = await read_form(request), await _one(request)
    version = keyed.number(fields, "version") or stored.version
    message = ChangeStatusPage(
        id=stored.id, version=version, page=read(fields, stored.page), by=signed_in(request).name
    )
    try:
        reply = await parts(request).worker.call(message, StatusPageReply, timeout=SECONDS, id_=form_key(fields))
    except CallError as error:
        if is_json(request):
            raise
        return _refused(request, stored, version, fields, error)
    return _done(request, "changed", reply)


def _refused(
    request: web.Request, stored: StatusPage, version: int, fields: dict[str, str], error: CallError
) -> web.Response:
    """The form again; after a conflict with what is stored now, and good for another try."""
    found, differs = service_form.wrong_fields(error), []
    if error.code is Code.CONFLICT and "page" in error.data:
        theirs = texts(msgspec.convert(error.data["page"], Page))
        mine = {name: fields.get(name, "").replace("\r\n", "\n").strip() for name in theirs}
        differs = [(name, plain(value)) for name, value in theirs.items() if value.strip() != mine[name]]
        version = int(error.data["version"])
    filled = form(fields, found, "" if found else error.message, NOT_CHANGED, differs)
    return _edit(request, stored.id, version, filled, error.http_status)


async def ask_remove(request: web.Request) -> web.StreamResponse:
    """GET /status-pages/{id}/remove: the question."""
    stored = await _one(request)
    title = plain(stored.page.title)
    seen = "Its address answers nobody any more." if stored.page.published else "It is not published."
    consequences = [f"/status/{stored.page.slug}", seen, "Its services are probed as before."]
    return confirm.removal(request, "status page", title, stored.id, back="/status-pages", consequences=consequences)


async def remove(request: web.Request) -> web.StreamResponse:
    """POST /status-pages/{id}/remove."""
    message = RemoveStatusPage(id=id_of(request), by=signed_in(request).name)
    await parts(request).worker.call(message, Done, timeout=SECONDS)
    return _done(request, "removed", None)
