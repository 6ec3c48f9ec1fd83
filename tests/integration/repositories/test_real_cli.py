"""What we take for a good server the pinned CLI takes too, and what it leaves out without a word we refuse.

When a new version of the CLI changes its mind, this is where it shows.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from daemon.demo.turns import Text, Turn
from daemon.repositories import mcp, shipped
from daemon.repositories.servers import RESERVED, ServersError, read
from tests.fakes import messages_api as fake
from tests.integration.repositories.place import Place

TRUE = {"command": "true"}
GOOD: dict[str, Any] = {
    "plain": TRUE,
    "typed": {"type": "stdio", "command": "true", "args": ["-x"], "env": {"PORT": "8080"}},
    "more": {"command": "true", "timeout": 5, "unknown": {"kept": 1}},
    "http": {"type": "http", "url": "http://127.0.0.1:9/", "headers": {"X": "${NOT_SET}"}},
    "sse": {"type": "sse", "url": "http://127.0.0.1:9/"},
    "ws": {"type": "ws", "url": "ws://127.0.0.1:9/"},
    "both": {"type": "http", "url": "http://127.0.0.1:9/", "command": "true"},
    "variable": {"type": "http", "url": "${NOT_SET}/x"},
    "a_b-c": TRUE,
}
BAD: dict[str, Any] = {
    "number": {"command": "true", "env": {"PORT": 8080}},
    "null": {"command": "true", "env": None},
    "empty": {"command": ""},
    "word": {"command": "true", "args": [1]},
    "untyped": {"url": "http://127.0.0.1:9/"},
    "mixed": {"type": "stdio", "url": "http://127.0.0.1:9/"},
    "other": {"type": "http", "command": "true"},
    "kind": {"type": "nope", "command": "true"},
    "claude-in-chrome": TRUE,
    "computer-use": TRUE,
    "workspace": TRUE,
}


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    """Fails, and never skips, without the CLI."""
    assert fake.CLI.exists(), f"The claude CLI is not at {fake.CLI}. Install it with: make cli"


async def seen_by_cli(directory: Path, config: str) -> set[str]:
    """The servers that the CLI tells of when a session begins."""
    async with fake.serving([Turn([Text("done")])]) as api:
        session = await fake.run(api.url, directory, "Go.", "--mcp-config", config)
    (init,) = [event for event in session.named("system") if event["subtype"] == "init"]
    return {server["name"] for server in init["mcp_servers"]}


async def test_the_cli_takes_all_servers_of_the_merged_file(tmp_path: Path) -> None:
    place = Place(tmp_path).make()
    names = sorted(GOOD)
    place.baseline(**{name: GOOD[name] for name in names[::2]})
    place.servers("infra", **{name: GOOD[name] for name in names[1::2]})
    place.servers("broken", broken=BAD["number"])
    (tmp_path / "cli").mkdir()
    assert await seen_by_cli(tmp_path / "cli", mcp.write(place.settings, mcp.read(place.settings))) == set(GOOD)


async def test_what_the_cli_would_leave_out_without_a_word_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "mcp.json"
    config.write_text(json.dumps({"mcpServers": {**BAD, "plain": TRUE}}))
    (tmp_path / "cli").mkdir()
    assert await seen_by_cli(tmp_path / "cli", str(config)) == {"plain"}
    assert set(BAD) >= RESERVED
    for name, definition in BAD.items():
        with pytest.raises(ServersError):
            read(json.dumps({"mcpServers": {name: definition}}).encode(), "x", strict=False)


async def test_the_cli_reads_no_runbook_by_itself_so_that_the_daemon_hands_it_over(tmp_path: Path) -> None:
    """Without setting sources no settings of people count, and no CLAUDE.md either."""
    shipped.fill(tmp_path / "app")
    first = shipped.shipped("agent.md").read_text(encoding="utf-8").splitlines()[2]
    told = []
    for sources in ("", "user,project"):
        async with fake.serving([Turn([Text("done")])]) as api:
            await fake.run(api.url, tmp_path, "Go.", "--setting-sources", sources)
            told.append(first in json.dumps(api.turns[0].body))
    assert told == [False, True]
