"""The configuration: every setting with its value, where that comes from, and for admins the form that changes it.

GET /config and /config.json, GET and POST /config/{name}, POST /config/{name}/reset. POST /config sets several at once,
with the existing program's field names; POST /config/models/refresh has the models asked for now. The worker judges and
keeps every change; this only asks.
"""

from typing import NamedTuple

from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.settings import (
    ChangeSettings,
    SetSetting,
    SettingChange,
    SettingReply,
    SettingsReply,
    SettingValue,
)
from webui import shell
from webui.api import models
from webui.auth.rules import Access, may
from webui.forms import form_key, read_form
from webui.negotiation import is_json, json_response
from webui.pages import discovered, formats, setting_rows
from webui.pages.discovered import Discovered
from webui.pages.keyed import Choice
from webui.pages.setting_rows import Field, Filters, Section, SettingRow
from webui.pages.system import own_settings
from webui.parts import Parts, parts, signed_in

AWAY = "The worker is not answering; nothing can be changed until it is back."
OTHER_FIELDS = frozenset({"csrf", "key"})
SEEN = "seen_"


class SettingsPage(NamedTuple):
    """The list's context. `everyday` is None for who may not change anything, `discovered` for who may not have models
    asked for; `told` is what was just done.
    """

    shell: shell.Shell
    stream: str
    sections: list[Section]
    filters: Filters
    shown: list[Choice]
    summary: str
    everyday: list[Field] | None
    discovered: Discovered | None
    key: str
    error: str | None
    told: str


class SettingPage(NamedTuple):
    """The context of one setting's page. `field` is None where nothing can be changed; `why` says so."""

    shell: shell.Shell
    row: SettingRow
    field: Field | None
    why: str
    models: list[str]
    key: str
    error: str | None


async def _known(here: Parts) -> tuple[list[SettingValue], bool]:
    """All settings, and whether the worker says so; else what this process knows itself."""
    values = await here.worker.settings()
    return (values, here.worker.ok) if values else (own_settings(here.settings), False)


def _may_change(request: web.Request) -> bool:
    return may(signed_in(request).role, Access.ADMIN)


def _name(request: web.Request) -> str:
    name: str = request.match_info["name"]
    return name


async def _one(request: web.Request) -> tuple[SettingValue, bool]:
    values, answers = await _known(parts(request))
    name = _name(request)
    found = next((one for one in values if one.name == name), None)
    if found is None:
        raise CallError(Code.NOT_FOUND, f"There is no setting {name[:60]!r}; /config shows them all.")
    return found, answers


async def show(request: web.Request) -> web.StreamResponse:
    """GET /config and /config.json, with the same filters."""
    values, _ = await _known(parts(request))
    filters = setting_rows.read_filters(request.query)
    if is_json(request):
        return json_response({"settings": setting_rows.matching(values, filters)})
    saved = request.query.get("saved", "")
    known = {one.name: one for one in values}
    told = ", ".join(f"{name} is {known[name].value or 'not set'}" for name in saved.split(",") if name in known)
    return await _list(request, values, filters, told=told)


async def _list(
    request: web.Request,
    values: list[SettingValue],
    filters: Filters,
    *,
    typed: dict[str, str] | None = None,
    error: CallError | None = None,
    told: str = "",
) -> web.Response:
    here = parts(request)
    found = setting_rows.matching(values, filters)
    every = {one.name: one for one in values}
    everyday = None
    if _may_change(request) and here.worker.ok:
        given = typed or {}
        fields = [name for name in setting_rows.EVERYDAY if name in every]
        everyday = [setting_rows.field(every[name], given.get(name)) for name in fields]
    offered = None
    if may(signed_in(request).role, Access.OPERATOR) and here.worker.ok:
        offered = await discovered.look(here, formats.now())
    overrides = sum(one.source == "override" for one in values)
    given_by = sum(one.source == "environment" for one in values)
    context = SettingsPage(
        shell=shell.build(request, "Configuration", "config"),
        stream="/live?page=frame",
        sections=setting_rows.sections(found, formats.now()),
        filters=filters,
        shown=setting_rows.SHOWN,
        summary=f"{len(values)} settings: {overrides} overridden, {given_by} from the environment",
        everyday=everyday,
        discovered=offered,
        key=setting_rows.new_key(),
        error=error.message if error else None,
        told=told,
    )
    return shell.page(request, "settings.html", context, status=error.http_status if error else 200)


async def change_several(request: web.Request) -> web.StreamResponse:
    """POST /config: fields by settings' names, `seen_<name>` for what each was; what is not named stays as it is."""
    here, fields = parts(request), await read_form(request)
    typed = {name: value for name, value in fields.items() if name not in OTHER_FIELDS and not name.startswith(SEEN)}
    wanted = [
        SettingChange(name=name, value=value.strip(), seen=fields.get(SEEN + name))
        for name, value in typed.items()
        if fields.get(SEEN + name) != value.strip()
    ]
    message = ChangeSettings(settings=wanted, by=signed_in(request).name)
    try:
        # A form in which nothing was touched is no mistake.
        changed = []
        if wanted or not typed:
            reply = await here.worker.call(message, SettingsReply, id_=form_key(fields))
            changed = reply.settings
    except CallError as error:
        if is_json(request):
            raise
        values, _ = await _known(here)
        return await _list(request, values, Filters("", ""), typed=typed, error=error)
    if is_json(request):
        return json_response({"settings": changed})
    return _back(changed)


def _back(changed: list[SettingValue]) -> web.Response:
    query = f"?saved={','.join(one.name for one in changed)}" if changed else ""
    return web.Response(status=303, headers={"Location": f"/config{query}"})


async def show_one(request: web.Request) -> web.StreamResponse:
    """GET /config/{name}: the setting, and its form for who may change it."""
    found, answers = await _one(request)
    if is_json(request):
        return json_response(found)
    return await _page(request, found, answers=answers)


async def _page(
    request: web.Request,
    one: SettingValue,
    *,
    answers: bool,
    typed: str | None = None,
    error: CallError | None = None,
) -> web.Response:
    why = ""
    if one.secret:
        why = f"Secrets are given in the environment alone: set {one.env} or {one.env}_FILE and restart the daemon."
    elif not one.live:
        why = f"It changes with a restart: set {one.env} in the environment, or in CLAUDEOPS_ENV_FILE."
    elif not _may_change(request):
        why = "An admin can change it."
    elif not answers:
        why = AWAY
    field = None if why else setting_rows.field(one, typed, alone=True)
    context = SettingPage(
        shell=shell.build(request, f"Configuration: {one.name}", "config"),
        row=setting_rows.row(one, formats.now()),
        field=field,
        why=why,
        models=(await discovered.look(parts(request), formats.now())).names if field and field.kind == "model" else [],
        key=setting_rows.new_key(),
        error=error.message if error else None,
    )
    return shell.page(request, "setting.html", context, status=error.http_status if error else 200)


async def change(request: web.Request) -> web.StreamResponse:
    """POST /config/{name}: fields key, value, seen."""
    fields = await read_form(request)
    if "value" not in fields:
        raise CallError(Code.INVALID, "The field value is missing: what the setting is to be.")
    return await _set(request, fields["value"].strip(), fields)


async def reset(request: web.Request) -> web.StreamResponse:
    """POST /config/{name}/reset: back to the environment's value or the default; fields key, seen."""
    return await _set(request, None, await read_form(request))


async def _set(request: web.Request, value: str | None, fields: dict[str, str]) -> web.StreamResponse:
    here = parts(request)
    message = SetSetting(name=_name(request), value=value, by=signed_in(request).name, seen=fields.get("seen"))
    try:
        reply = await here.worker.call(message, SettingReply, id_=form_key(fields))
    except CallError as error:
        if is_json(request) or error.code is Code.NOT_FOUND:
            raise
        found, answers = await _one(request)
        return await _page(request, found, answers=answers, typed=value, error=error)
    return json_response(reply.setting) if is_json(request) else _back([reply.setting])


async def refresh_models(request: web.Request) -> web.StreamResponse:
    """POST /config/models/refresh."""
    told = await models.refresh(request)
    if is_json(request):
        return json_response(told)
    return web.Response(status=303, headers={"Location": "/config#discovered"})


async def moved(request: web.Request) -> web.StreamResponse:
    """GET /configuration: where some look for it."""
    raise web.HTTPMovedPermanently("/config")
