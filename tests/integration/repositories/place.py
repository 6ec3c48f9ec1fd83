"""What the tests of this directory share: mounted repositories on a real disk."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from schema.settings import Settings

NOBODY = 65534


class Place(NamedTuple):
    """A daemon's directories, and the settings that name them."""

    root: Path

    @property
    def repos(self) -> Path:
        return self.root / "repos"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def config(self) -> Path:
        return self.root / "app" / "mcp.json"

    @property
    def settings(self) -> Settings:
        return Settings(repos_dir=str(self.repos), state_dir=str(self.state), mcp_config=str(self.config))

    def make(self) -> "Place":
        for path in (self.repos, self.state, self.config.parent):
            path.mkdir()
        return self

    def write(self, path: str, text: str = "text\n") -> Path:
        """A file below the repositories' directory."""
        file = self.repos / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def servers(self, repository: str, **definitions: Any) -> Path:
        """A repository's MCP servers."""
        return self.write(f"{repository}/.claude-ops/mcp.json", json.dumps({"mcpServers": definitions}))

    def baseline(self, **definitions: Any) -> None:
        """The operator's MCP servers."""
        self.config.write_text(json.dumps({"mcpServers": definitions}))


def as_nobody(work: Callable[[], object]) -> str:
    """What `work` returns, as text, when it is done by a user who may read only what all may."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            os.write(writing, repr(work()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading) as file:
        told = file.read()
    os.waitpid(child, 0)
    return told
