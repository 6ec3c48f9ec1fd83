"""The MCP servers of the next session: where each comes from, how the last session found it. GET /mcp and /mcp.json.

Only the worker knows them: it reads the files and merges what repositories add.
"""

from typing import NamedTuple

from aiohttp import web

from ipc.errors import CallError
from ipc.messages.repositories import ListServers, McpServer, ServersReply
from webui import shell
from webui.negotiation import is_json, json_response
from webui.pages import formats
from webui.pages.ansi import plain
from webui.pages.formats import At
from webui.pages.session_rows import Look
from webui.parts import parts

LOOKS = {
    "connected": Look("ok", "circle-check", "connected"),
    "pending": Look("info", "circle-dashed", "pending"),
    "failed": Look("bad", "circle-x", "failed"),
    "needs-auth": Look("warn", "triangle-alert", "needs sign-in"),
    "disabled": Look("neutral", "ban", "disabled"),
}
REFUSED = Look("warn", "ban", "left out")
UNSEEN = Look("neutral", "circle-question-mark", "not seen yet")


class ServerRow(NamedTuple):
    """One server."""

    name: str
    tone: str
    icon: str
    word: str
    source: str
    command: str
    replaces: str
    refused: str
    seen: At | None
    tools: int


class McpPage(NamedTuple):
    """The page's context. `away`: why nothing is known, empty if all is."""

    shell: shell.Shell
    stream: str
    rows: list[ServerRow]
    problems: list[str]
    away: str


def row(server: McpServer) -> ServerRow:
    """A server as the list shows it."""
    look = LOOKS.get(server.status, Look("neutral", "circle-question-mark", server.status) if server.status else UNSEEN)
    if server.refused:
        look = REFUSED
    return ServerRow(
        name=plain(server.name),
        tone=look.tone,
        icon=look.icon,
        word=plain(look.word),
        source=plain(server.source),
        command=plain(server.command),
        replaces=plain(server.replaces or ""),
        refused=plain(server.refused or ""),
        seen=formats.ago(server.seen_at, formats.now()) if server.seen_at else None,
        tools=server.tools,
    )


async def show(request: web.Request) -> web.StreamResponse:
    """GET /mcp."""
    try:
        reply = await parts(request).worker.call(ListServers(), ServersReply, timeout=5.0)
    except CallError as error:
        if is_json(request):
            raise
        reply, away = ServersReply(servers=[]), error.message
    else:
        away = ""
    if is_json(request):
        return json_response(reply)
    context = McpPage(
        shell=shell.build(request, "MCP servers", "mcp"),
        stream="/live?page=frame",
        rows=[row(server) for server in reply.servers],
        problems=[plain(problem) for problem in reply.problems],
        away=away,
    )
    return shell.page(request, "mcp.html", context)
