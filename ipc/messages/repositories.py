"""Messages about mounted repositories and the MCP servers of sessions."""

from typing import ClassVar

import msgspec

from ipc.messages.envelope import Reply, Request


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    """One mounted repository and what it contributes; names are of files. `problem`: what is left out, and why."""

    name: str
    path: str
    runbook: bool = False
    checks: tuple[str, ...] = ()
    playbooks: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    panels: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    problem: str | None = None


class RepositoriesReply(Reply, frozen=True):
    """Repositories by name, and what is wrong with CLAUDEOPS_REPOS_DIR itself."""

    repositories: list[Repository]
    problems: list[str] = []


class ListRepositories(Request, frozen=True):
    """What is mounted below CLAUDEOPS_REPOS_DIR."""

    subject: ClassVar[str] = "repositories.list"
    reply: ClassVar[type[Reply]] = RepositoriesReply


class PanelReply(Reply, frozen=True):
    """A page that a repository contributes, as it is in its file. `scripts`: whether its scripts may run."""

    repository: str
    name: str
    html: str
    modified_at: str
    scripts: bool = False


class ReadPanel(Request, frozen=True):
    """A repository's `.claude-ops/dashboard/<name>`, by the names that the list of repositories gives."""

    subject: ClassVar[str] = "repositories.panel"
    reply: ClassVar[type[Reply]] = PanelReply
    repository: str
    name: str


class McpServer(msgspec.Struct, frozen=True, kw_only=True):
    """One MCP server of the next session: where it comes from, and how the last session found it.

    `source` is `baseline` or a repository's name; `replaces` whose servers of the same name it takes the place of;
    `refused` why it is left out. `command` is shown without its environment and headers, which may be secret.
    """

    name: str
    source: str
    command: str
    replaces: str | None = None
    refused: str | None = None
    status: str = ""
    seen_at: str | None = None
    tools: int = 0


class ServersReply(Reply, frozen=True):
    """MCP servers by name, and what could not be read."""

    servers: list[McpServer]
    problems: list[str] = []


class ListServers(Request, frozen=True):
    """The MCP servers of the next session."""

    subject: ClassVar[str] = "mcp.list"
    reply: ClassVar[type[Reply]] = ServersReply
