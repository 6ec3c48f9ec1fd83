"""A page that shows something once: a token, a link, the address of a heartbeat. Used by whoever has just made one."""

from typing import NamedTuple

from aiohttp import web

from webui import shell
from webui.negotiation import is_json, json_response


class SecretPage(NamedTuple):
    """The page's context: what is shown, what to know about it, and where one goes on to."""

    shell: shell.Shell
    stream: str
    heading: str
    label: str
    secret: str
    facts: list[str]
    onward: str


def show_once(
    request: web.Request,
    *,
    heading: str,
    label: str,
    secret: str,
    facts: list[str],
    json: dict[str, object],
    place: str = "users",
    onward: str = "/users",
) -> web.Response:
    """The page, or its JSON. `place` is the key of the menu's place that it belongs to."""
    if is_json(request):
        return json_response(json, status=201)
    frame = shell.build(request, heading, place)
    context = SecretPage(frame, "/live?page=frame", heading, label, secret, facts, onward)
    return shell.page(request, "secret.html", context, status=201)
