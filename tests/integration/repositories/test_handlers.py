"""What is answered about repositories and MCP servers, with a real database behind it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from daemon.repositories.handlers import SHOWN_MAX, handlers
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc.messages.repositories import ListRepositories, ListServers, RepositoriesReply, ServersReply
from schema.database import Database
from tests.integration.repositories.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path).make()


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    database = Database(place.state / "claudeops.db", readonly=False)
    database.migrate()
    store = Store(place.state / "claudeops.db", database)
    yield store
    await store.close()


async def ask(place: Place, store: Store, request: Any, **environ: str) -> Any:
    settings = LiveSettings(
        {
            "CLAUDEOPS_REPOS_DIR": str(place.repos),
            "CLAUDEOPS_STATE_DIR": str(place.state),
            "CLAUDEOPS_MCP_CONFIG": str(place.config),
            **environ,
        },
        store,
    )
    return await handlers(settings, store)[type(request)](None, request)  # type: ignore[arg-type]


async def session(store: Store, servers: str | None, tier: int = 1) -> None:
    """A session that ended, as its row is."""

    def insert(db: Database) -> None:
        db.script(
            "INSERT INTO sessions (tier, model, prompt_file, status, started_at, servers) VALUES"
            f" ({tier}, 'haiku', 'x', 'completed', '2026-01-0{tier}T00:00:00.000Z',"
            f" {'NULL' if servers is None else repr(servers)})"
        )

    await store.write(insert)


async def test_repositories_are_listed_with_what_they_contribute(place: Place, store: Store) -> None:
    place.write("infra/CLAUDE-OPS.md")
    place.write("apps/.claude-ops/checks/x.md")
    reply: RepositoriesReply = await ask(place, store, ListRepositories())
    assert [(one.name, one.runbook, one.checks) for one in reply.repositories] == [
        ("apps", False, ("x.md",)),
        ("infra", True, ()),
    ]
    assert reply.problems == []


async def test_a_missing_directory_is_an_answer_and_not_an_error(place: Place, store: Store) -> None:
    place.repos.rmdir()
    reply: RepositoriesReply = await ask(place, store, ListRepositories())
    assert reply.repositories == []
    assert reply.problems[0].startswith("CLAUDEOPS_REPOS_DIR: ")


async def test_servers_are_shown_with_their_source_and_how_the_last_session_found_them(
    place: Place, store: Store
) -> None:
    place.baseline(clock={"command": "clock", "env": {"TOKEN": "made-up"}}, grafana={"command": "old"})
    place.servers("infra", grafana={"type": "http", "url": "https://x/?token=made-up", "headers": {"A": "made-up"}})
    place.servers("bad", grafana=5)
    await session(store, json.dumps([{"name": "clock", "status": "failed"}]), tier=1)
    await session(store, json.dumps([{"name": "clock", "status": "connected", "tools": 3}]), tier=2)
    await session(store, None, tier=3)
    reply: ServersReply = await ask(place, store, ListServers())
    clock, grafana = reply.servers
    assert (clock.name, clock.source, clock.command, clock.replaces) == ("clock", "baseline", "clock", None)
    assert (clock.status, clock.tools, clock.seen_at) == ("connected", 3, "2026-01-02T00:00:00.000Z")
    assert (grafana.source, grafana.replaces, grafana.status) == ("infra", "baseline", "")
    assert "made-up" not in repr(reply)
    assert reply.problems == ["bad/.claude-ops/mcp.json: server grafana: is not an object with a command or a url"]


async def test_with_replacing_off_the_refusal_is_shown_without_the_others_status(place: Place, store: Store) -> None:
    place.baseline(grafana={"command": "old"})
    place.servers("infra", grafana={"command": "new"})
    await session(store, json.dumps([{"name": "grafana", "status": "connected"}]))
    reply: ServersReply = await ask(place, store, ListServers(), CLAUDEOPS_MCP_REPLACE="false")
    kept, refused = reply.servers
    assert (kept.source, kept.status, kept.refused) == ("baseline", "connected", None)
    assert (refused.source, refused.status, refused.seen_at) == ("infra", "", None)
    assert "CLAUDEOPS_MCP_REPLACE" in (refused.refused or "")


async def test_an_unreadable_status_is_told_and_the_servers_are_shown(place: Place, store: Store) -> None:
    place.baseline(clock={"command": "clock"})
    await session(store, "{")
    reply: ServersReply = await ask(place, store, ListServers())
    assert [server.name for server in reply.servers] == ["clock"]
    assert "last session" in reply.problems[0]


async def test_very_many_servers_are_shown_in_part(place: Place, store: Store) -> None:
    for number in range(SHOWN_MAX // 50 + 1):
        place.servers(f"r{number}", **{f"s{number}-{n}": {"command": "x"} for n in range(50)})
    reply: ServersReply = await ask(place, store, ListServers())
    assert len(reply.servers) == SHOWN_MAX
    assert str(SHOWN_MAX) in reply.problems[-1]
