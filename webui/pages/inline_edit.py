"""A service changed where it stands in the list: name, URL, interval, tags.

GET /services/{id}/inline is the list with that row as fields; POST there saves them. The script takes the row alone
from both, so that all else on the page stays as it is.
"""

import uuid
from collections.abc import Mapping

import msgspec
from aiohttp import web
from yarl import URL

from ipc.errors import CallError, Code
from ipc.messages.services import ChangeService, ServiceReply, ShowService
from schema.definitions import Definition
from webui.forms import form_key, id_of, read_form
from webui.negotiation import is_json, json_response
from webui.pages import inline, keyed, probed, service_form, services
from webui.pages.inline import NAMES, RowForm
from webui.parts import parts, signed_in

SECONDS = 10.0
MEANWHILE = "Somebody has changed this service meanwhile. Saved again, what stands here counts."


async def show(request: web.Request) -> web.StreamResponse:
    """GET /services/{id}/inline: with the list's filters in the address, or those of where it was asked from."""
    shown = await _shown(request)
    if is_json(request):
        return json_response(shown)
    values = service_form.texts(shown.definition)
    query = _query(request.query if "page" in request.query else _asked_from(request))
    return await _page(request, shown, {name: values[name] for name in NAMES}, query)


def _asked_from(request: web.Request) -> Mapping[str, str]:
    """What the address of the list said, where the question comes from there."""
    try:
        address = URL(request.headers.get("Referer", ""))
    except ValueError:
        return {}
    return address.query if address.path == "/services" else {}


async def _shown(request: web.Request) -> ServiceReply:
    message = ShowService(id=id_of(request))
    shown = await parts(request).worker.call(message, ServiceReply, timeout=SECONDS)
    if shown.service.owner:
        text = (
            f"{shown.service.name} is described by {shown.service.owner}; change it there, it is read again by itself."
        )
        raise CallError(Code.CONFLICT, text)
    return shown


def _query(given: Mapping[str, str]) -> dict[str, str]:
    return {**probed.read_filters(given).given(), "page": str(probed.read_page(given))}


async def _page(
    request: web.Request, shown: ServiceReply, values: dict[str, str], query: dict[str, str], *, version: int = 0,
    error: CallError | None = None, theirs: dict[str, str] | None = None,
) -> web.Response:  # fmt: skip
    """The list, with the row as fields; on the page where the row is, whatever page was asked for."""
    wrong = service_form.wrong_fields(error) if error else {}
    said = "" if error is None or (wrong and wrong.keys() <= set(NAMES)) else MEANWHILE if theirs else error.message
    page = query["page"] if query["page"] != "1" else ""
    back = keyed.address("/services", {**query, "page": page})
    form = RowForm(
        id=shown.service.id,
        version=version or shown.service.version,
        key=uuid.uuid4().hex,
        values=values,
        wrong=wrong,
        theirs=theirs or {},
        error=said,
        query=query,
        back=back,
        page=query["page"],
    )
    return await services.page(request, edit=form, status=error.http_status if error else 200)


async def change(request: web.Request) -> web.StreamResponse:
    """POST /services/{id}/inline: name, url, interval, tags; version (what its author saw), key; the list's filters."""
    fields, shown = await read_form(request), await _shown(request)
    service = shown.service
    mine = {name: fields.get(name, "") for name in NAMES}
    version = keyed.number(fields, "version") or service.version
    definition, wrong = service_form.read(mine, shown.definition)
    query = _query(fields)
    key = form_key({"key": fields.get("row_key", "")})  # the list's own form has another purpose
    try:
        service_form.refuse(wrong)
        message = ChangeService(id=service.id, version=version, definition=definition, by=signed_in(request).name)
        reply = await parts(request).worker.call(message, ServiceReply, timeout=SECONDS, id_=key)
    except CallError as error:
        if is_json(request) or error.code is Code.NOT_FOUND:
            raise
        theirs: dict[str, str] = {}
        if error.code is Code.CONFLICT and "definition" in error.data:
            stored = msgspec.convert(error.data["definition"], Definition)
            theirs = inline.differing(service_form.texts(stored), mine)
            version = int(error.data["version"])
        return await _page(request, shown, mine, query, version=version, error=error, theirs=theirs)
    if is_json(request):
        return json_response(reply)
    page = query["page"] if query["page"] != "1" else ""
    address = keyed.address("/services", {**query, "page": page, "did": "changed", "done": "1"})
    return web.Response(status=303, headers={"Location": f"{address}#probed-{service.id}"})
