"""Pages that mounted repositories contribute, each in a frame that keeps it apart. GET /panels and below.

A panel's text is not ours and is trusted with nothing: it is served from an address of its own (`raw`), with a policy
that makes its origin an opaque one, lets it load nothing from anywhere, send no form and leave its frame by no link.
"""

from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

from aiohttp import web

from ipc.errors import CallError
from ipc.messages.repositories import ListRepositories, PanelReply, ReadPanel, RepositoriesReply
from webui import shell
from webui.headers import POLICY
from webui.negotiation import is_json, json_response
from webui.pages import formats
from webui.pages.ansi import plain
from webui.pages.formats import At
from webui.parts import Parts, parts

# The page that shows a panel may frame what comes from here, and nothing else.
FRAMING = f"{POLICY}; frame-src 'self'"
CLOSED = (
    "default-src 'none'; img-src data:; font-src data:; media-src data:; style-src 'unsafe-inline'; form-action 'none';"
    " base-uri 'none'; frame-ancestors 'self'"
)
SANDBOX, SCRIPTS = "sandbox", "sandbox allow-scripts"
READ_SECONDS = 5.0
LINKED_MAX = 5  # repositories, and panels of each


class PanelRow(NamedTuple):
    """A panel in the list."""

    name: str
    href: str


class Group(NamedTuple):
    """A repository's panels."""

    repository: str
    rows: list[PanelRow]


class PanelsPage(NamedTuple):
    """The list's context. `away`: why nothing is known, empty if all is."""

    shell: shell.Shell
    stream: str
    groups: list[Group]
    problems: list[str]
    away: str


class PanelPage(NamedTuple):
    """The context of the page around one panel. `sandbox` is what the frame's attribute allows, empty for nothing."""

    shell: shell.Shell
    repository: str
    name: str
    title: str
    raw: str
    sandbox: str
    changed: At


def title(name: str) -> str:
    """A panel's name in words: `disk-usage.html` is "disk usage"."""
    return plain(name.removesuffix(".html").replace("-", " ").replace("_", " "))


def address(repository: str, name: str) -> str:
    """Where a panel is shown."""
    return f"/panels/{quote(repository, safe='')}/{quote(name, safe='')}"


def groups(reply: RepositoriesReply) -> list[Group]:
    """The panels by repository; those without any are left out."""
    return [
        Group(plain(found.name), [PanelRow(title(name), address(found.name, name)) for name in found.panels])
        for found in reply.repositories
        if found.panels
    ]


async def linked(here: Parts) -> list[Group]:
    """What the overview links to; nothing where it is not known. /panels has them all."""
    reply = await here.worker.repositories()
    return [group._replace(rows=group.rows[:LINKED_MAX]) for group in groups(reply)[:LINKED_MAX]] if reply else []


async def show(request: web.Request) -> web.StreamResponse:
    """GET /panels and /panels.json."""
    away = ""
    try:
        reply = await parts(request).worker.call(ListRepositories(), RepositoriesReply, timeout=READ_SECONDS)
    except CallError as error:
        if is_json(request):
            raise
        reply, away = RepositoriesReply(repositories=[]), error.message
    found = groups(reply)
    if is_json(request):
        told = [{"repository": group.repository, "panels": [row._asdict() for row in group.rows]} for group in found]
        return json_response({"repositories": told})
    context = PanelsPage(
        shell=shell.build(request, "Panels", "panels"),
        stream="/live?page=frame",
        groups=found,
        problems=[plain(problem) for problem in reply.problems],
        away=away,
    )
    return shell.page(request, "panels.html", context)


async def _read(request: web.Request) -> PanelReply:
    message = ReadPanel(repository=request.match_info["repository"], name=request.match_info["name"])
    return await parts(request).worker.call(message, PanelReply, timeout=READ_SECONDS)


async def show_one(request: web.Request) -> web.StreamResponse:
    """GET /panels/{repository}/{name}: the panel in its frame, under our own head that says whose it is."""
    found = await _read(request)
    if is_json(request):
        return json_response(found)
    now: datetime = formats.now()
    context = PanelPage(
        shell=shell.build(request, f"Panel {title(found.name)}", "panels"),
        repository=plain(found.repository),
        name=plain(found.name),
        title=title(found.name),
        raw=f"{address(found.repository, found.name)}/raw",
        sandbox="allow-scripts" if found.scripts else "",
        changed=formats.ago(found.modified_at, now),
    )
    response = shell.page(request, "panel.html", context)
    response.headers["Content-Security-Policy"] = FRAMING
    return response


async def raw(request: web.Request) -> web.StreamResponse:
    """GET /panels/{repository}/{name}/raw: the panel alone, for the frame. Opened by itself, it leads to its frame."""
    repository, name = request.match_info["repository"], request.match_info["name"]
    if request.headers.get("Sec-Fetch-Dest", "iframe") != "iframe":
        raise web.HTTPSeeOther(address(repository, name))
    found = await _read(request)
    policy = f"{SCRIPTS}; {CLOSED}; script-src 'unsafe-inline'" if found.scripts else f"{SANDBOX}; {CLOSED}"
    return web.Response(
        text=found.html,
        content_type="text/html",
        charset="utf-8",
        headers={
            "Content-Security-Policy": policy,
            "X-Frame-Options": "SAMEORIGIN",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        },
    )
