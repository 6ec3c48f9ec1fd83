"""Answers requests about mounted repositories and MCP servers."""

import asyncio
from typing import NamedTuple

import msgspec

from daemon.repositories import mcp, panels, rules, scan
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc.messages.repositories import (
    ListRepositories,
    ListServers,
    McpServer,
    PanelReply,
    ReadPanel,
    RepositoriesReply,
    Repository,
    ServersReply,
)
from ipc.server import Call, Handler

SHOWN_MAX = 1000  # servers in one answer, the refused ones among them


class LastSeen(NamedTuple):
    """How the newest session that told of servers found them, and when it started."""

    servers: dict[str, rules.Seen]
    at: str | None = None


def _repositories(repos_dir: str) -> tuple[list[Repository], list[str]]:
    mounted = scan.mounted(repos_dir)
    return [scan.repository(place) for place in mounted.places], [mounted.problem] if mounted.problem else []


def shown(server: rules.Server, last: LastSeen) -> McpServer:
    """A server as pages show it. What the last session found is not told of one that is left out."""
    found = last.servers.get(server.name) if server.refused is None else None
    return McpServer(
        name=server.name,
        source=server.source,
        command=rules.shown(server.definition),
        replaces=", ".join(server.replaces) or None,
        refused=server.refused,
        status=found.status if found else "",
        seen_at=last.at if found else None,
        tools=found.tools if found else 0,
    )


def handlers(settings: LiveSettings, store: Store) -> dict[type, Handler]:
    """The table's part for repositories."""

    async def last_seen() -> LastSeen:
        row = await store.read(lambda db: db.one("mcp.seen"))
        return LastSeen({}) if row is None else LastSeen(rules.seen(row["servers"]), row["started_at"])

    async def repositories(call: Call, request: ListRepositories) -> RepositoriesReply:
        # In a thread: a mount may be slow, or gone.
        found, problems = await asyncio.to_thread(_repositories, settings.current.repos_dir)
        return RepositoriesReply(repositories=found, problems=problems)

    async def panel(call: Call, request: ReadPanel) -> PanelReply:
        found = await asyncio.to_thread(panels.read, settings.current.repos_dir, request.repository, request.name)
        return PanelReply(
            repository=request.repository,
            name=request.name,
            html=found.html,
            modified_at=found.modified_at,
            scripts=settings.current.panel_scripts,
        )

    async def servers(call: Call, request: ListServers) -> ServersReply:
        merged = await asyncio.to_thread(mcp.read, settings.current)
        problems = list(merged.problems)
        try:
            last = await last_seen()
        except msgspec.DecodeError as error:
            last = LastSeen({})
            problems.append(f"how the last session found its servers can't be read: {error}")
        if len(merged.servers) > SHOWN_MAX:
            problems.append(f"there are {len(merged.servers)} servers; the first {SHOWN_MAX} are shown")
        told = [shown(server, last) for server in merged.servers[:SHOWN_MAX]]
        return ServersReply(servers=told, problems=problems)

    return {ListRepositories: repositories, ReadPanel: panel, ListServers: servers}
