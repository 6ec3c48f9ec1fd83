"""The mounted repositories and what each contributes to sessions. GET /repositories and /repositories.json.

Only the worker looks at them; a repository that can't be read is shown with why.
"""

from typing import NamedTuple

from aiohttp import web

from ipc.errors import CallError
from ipc.messages.repositories import ListRepositories, RepositoriesReply, Repository
from webui import shell
from webui.negotiation import is_json, json_response
from webui.pages import panels
from webui.pages.ansi import plain
from webui.parts import parts

PANELS = "Panels"


class Name(NamedTuple):
    """A file or server; `href` leads to what can be looked at."""

    text: str
    href: str = ""


class Part(NamedTuple):
    """What a repository contributes of one kind."""

    label: str
    names: list[Name]


class RepositoryRow(NamedTuple):
    """One repository."""

    name: str
    path: str
    problem: str
    parts: list[Part]


class RepositoriesPage(NamedTuple):
    """The page's context. `away`: why nothing is known, empty if all is."""

    shell: shell.Shell
    stream: str
    rows: list[RepositoryRow]
    away: str


def row(found: Repository) -> RepositoryRow:
    """A repository as the list shows it."""
    given = (
        ("Runbook", ("CLAUDE-OPS.md",) if found.runbook else ()),
        ("Checks", found.checks),
        ("Playbooks", found.playbooks),
        ("Skills", found.skills),
        (PANELS, found.panels),
        ("MCP servers", found.servers),
    )
    return RepositoryRow(
        name=plain(found.name),
        path=plain(found.path),
        problem=plain(found.problem or ""),
        parts=[Part(label, [_name(found, label, name) for name in names]) for label, names in given if names],
    )


def _name(found: Repository, label: str, name: str) -> Name:
    return Name(plain(name), panels.address(found.name, name) if label == PANELS else "")


async def show(request: web.Request) -> web.StreamResponse:
    """GET /repositories."""
    try:
        reply = await parts(request).worker.call(ListRepositories(), RepositoriesReply, timeout=5.0)
    except CallError as error:
        if is_json(request):
            raise
        reply, away = RepositoriesReply(repositories=[]), error.message
    else:
        away = ""
    if is_json(request):
        return json_response(reply)
    context = RepositoriesPage(
        shell=shell.build(request, "Repositories", "repositories"),
        stream="/live?page=frame",
        rows=[row(repository) for repository in reply.repositories],
        away=away,
    )
    return shell.page(request, "repositories.html", context)
