"""What operators do with the form of a service: POST /services adds or tests one, /services/{id}/edit changes one.

Each is a message to the worker, which judges it; what it finds wrong stands beside the field, with what was written.
"""

import uuid
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.services import (
    AddService,
    ChangeService,
    RenewPush,
    ServiceReply,
    ShowService,
    TriedReply,
    TryService,
)
from schema.definitions import Definition
from schema.monitored import Monitored
from webui import shell
from webui.auth.client import asker
from webui.forms import form_key, id_of, read_form
from webui.negotiation import is_json, json_response
from webui.pages import probed, secret, service_form, service_rows, services, tried
from webui.pages.ansi import plain
from webui.pages.service_form import Form
from webui.pages.tried import Tried
from webui.parts import parts, signed_in

SECONDS = 10.0
TRY_SECONDS = 310.0  # the longest timeout of a service, and some
NOT_ADDED, NOT_CHANGED, NOT_TESTED = "Not added.", "Not changed.", "Not tested."
TELL_FACTS = (
    "A job asks it when it has ended well. With /start at its end: it has begun; with /fail, or /1 and any other "
    "exit code: it has failed.",
    "Only its SHA-256 is kept, so nobody can show it again; a new address ends this one.",
)


class Difference(NamedTuple):
    """A field that somebody else has changed meanwhile: what they wrote, and what stands in this form."""

    label: str
    theirs: str
    yours: str


class EditPage(NamedTuple):
    """The context of the form that changes a service. `differs`: what is stored now, where somebody was faster."""

    shell: shell.Shell
    id: int
    name: str
    href: str
    version: int
    key: str
    form: Form
    tried: Tried | None
    differs: list[Difference]


class TriedPage(NamedTuple):
    """The context of what a test of a stored service has found."""

    shell: shell.Shell
    id: int
    name: str
    href: str
    key: str
    tried: Tried


async def add(request: web.Request) -> web.StreamResponse:
    """POST /services: the form's fields, key, action ("add", or "test": nothing is stored)."""
    fields = await read_form(request)
    definition, wrong = service_form.read(fields, service_form.NEW)
    testing = fields.get("action") == "test"
    try:
        service_form.refuse(wrong)
        if testing:
            return await _test_new(request, fields, definition)
        reply = await _ask_service(request, AddService(definition=definition, by=signed_in(request).name))
    except CallError as error:
        if is_json(request):
            raise
        found = service_form.wrong_fields(error)
        form = service_form.form(fields, found, "" if found else error.message, NOT_TESTED if testing else NOT_ADDED)
        return await services.page(request, form=form, status=error.http_status)
    if reply.push_path:
        return show_push(request, reply)
    if is_json(request):
        return json_response(reply, status=201)
    return web.Response(status=303, headers={"Location": "/services?did=added&done=1"})


async def _ask_service(request: web.Request, message: AddService | ChangeService) -> ServiceReply:
    key = form_key(await read_form(request))
    return await parts(request).worker.call(message, ServiceReply, timeout=SECONDS, id_=key)


async def _test_new(request: web.Request, fields: dict[str, str], definition: Definition) -> web.Response:
    found = await _try(request, TryService(definition=definition, by=signed_in(request).name))
    if is_json(request):
        return json_response(found)
    return await services.page(request, form=service_form.form(fields), tried=tried.view(found))


async def _try(request: web.Request, message: TryService) -> TriedReply:
    return await parts(request).worker.call(message, TriedReply, timeout=TRY_SECONDS)


def show_push(request: web.Request, reply: ServiceReply) -> web.Response:
    """The address of a heartbeat, this once."""
    here = parts(request)
    who = asker(request, here.trusted)
    url = f"{here.settings.public_url.rstrip('/') or f'{who.scheme}://{who.host}'}{reply.push_path}"
    return secret.show_once(
        request,
        heading=f"The address of {plain(reply.service.name)}",
        label="Where its job tells of itself, shown this once",
        secret=url,
        facts=list(TELL_FACTS),
        json={"service": reply.service, "push_url": url},
        place="services",
        onward=service_rows.href(reply.service.name),
    )


async def renew_push(request: web.Request) -> web.StreamResponse:
    """POST /services/{id}/push: field key. A fresh address of a heartbeat."""
    message = RenewPush(id=id_of(request), by=signed_in(request).name)
    key = form_key(await read_form(request))
    return show_push(request, await parts(request).worker.call(message, ServiceReply, timeout=SECONDS, id_=key))


async def test(request: web.Request) -> web.StreamResponse:
    """POST /services/{id}/test: what a probe finds now; nothing is stored."""
    service = await probed.one(parts(request), id_of(request))
    found = await _try(request, TryService(id=service.id, by=signed_in(request).name))
    if is_json(request):
        return json_response(found)
    context = TriedPage(
        shell=shell.build(request, f"Test of {plain(service.name)}", "services"),
        id=service.id,
        name=plain(service.name),
        href=service_rows.href(service.name),
        key=uuid.uuid4().hex,
        tried=tried.view(found),
    )
    return shell.page(request, "service_tried.html", context)


async def _shown(request: web.Request) -> ServiceReply:
    message = ShowService(id=id_of(request))
    return await parts(request).worker.call(message, ServiceReply, timeout=SECONDS)


def _refuse_owned(service: Monitored) -> None:
    if service.owner:
        text = f"{service.name} is described by {service.owner}; change it there, it is read again by itself."
        raise CallError(Code.CONFLICT, text)


async def show_edit(request: web.Request) -> web.StreamResponse:
    """GET /services/{id}/edit."""
    shown = await _shown(request)
    _refuse_owned(shown.service)
    if is_json(request):
        return json_response(shown)
    form = service_form.form(service_form.texts(shown.definition), refused=NOT_CHANGED)
    return _edit_page(request, shown.service, shown.service.version, form)


def _edit_page(
    request: web.Request,
    service: Monitored,
    version: int,
    form: Form,
    found: Tried | None = None,
    differs: list[Difference] | None = None,
    status: int = 200,
) -> web.Response:
    name = plain(service.name)
    context = EditPage(
        shell=shell.build(request, f"Edit {name}", "services"),
        id=service.id,
        name=name,
        href=service_rows.href(service.name),
        version=version,
        key=uuid.uuid4().hex,
        form=form,
        tried=found,
        differs=differs or [],
    )
    return shell.page(request, "service_edit.html", context, status=status)


async def change(request: web.Request) -> web.StreamResponse:
    """POST /services/{id}/edit: the form's fields, key, version (what its author saw), action ("save" or "test")."""
    fields, shown = await read_form(request), await _shown(request)
    service = shown.service
    _refuse_owned(service)
    version = _version(fields, service)
    definition, wrong = service_form.read(fields, shown.definition)
    testing = fields.get("action") == "test"
    try:
        service_form.refuse(wrong)
        if testing:
            message = TryService(id=service.id, definition=definition, by=signed_in(request).name)
            found = await _try(request, message)
            if is_json(request):
                return json_response(found)
            return _edit_page(request, service, version, service_form.form(fields), tried.view(found))
        asked = ChangeService(id=service.id, version=version, definition=definition, by=signed_in(request).name)
        reply = await _ask_service(request, asked)
    except CallError as error:
        if is_json(request):
            raise
        return _refused(request, service, version, fields, error, NOT_TESTED if testing else NOT_CHANGED)
    if is_json(request):
        return json_response(reply)
    return web.Response(status=303, headers={"Location": service_rows.href(reply.service.name)})


def _version(fields: dict[str, str], service: Monitored) -> int:
    text = fields.get("version", "")
    if not text:
        return service.version  # a program that names only what is to be another
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise CallError(Code.INVALID, "version is the number that the form brought.")
    return int(text)


def _refused(
    request: web.Request, service: Monitored, version: int, fields: dict[str, str], error: CallError, refused: str
) -> web.Response:
    """The form again; after a conflict with what is stored now beside what was written, and good for another try."""
    found = service_form.wrong_fields(error)
    differs: list[Difference] = []
    if error.code is Code.CONFLICT and "definition" in error.data:
        theirs = service_form.texts(msgspec.convert(error.data["definition"], Definition))
        differs = _differences(theirs, fields)
        version = int(error.data["version"])
    form = service_form.form(fields, found, "" if found else error.message, refused)
    return _edit_page(request, service, version, form, differs=differs, status=error.http_status)


def _differences(theirs: dict[str, str], yours: dict[str, Any]) -> list[Difference]:
    found = []
    for field in service_form.FIELDS:
        mine = str(yours.get(field.name, theirs[field.name])).replace("\r\n", "\n").strip()
        if mine != theirs[field.name].strip():
            found.append(Difference(field.label, plain(theirs[field.name]), plain(mine)))
    return found
