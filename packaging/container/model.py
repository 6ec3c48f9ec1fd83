"""The scripted Messages API of `make image-check`, run by the image's own Python in a container of its own.

It holds the network that the daemon's container joins, so that the CLI reaches it on loopback.
"""

import asyncio
from pathlib import Path

from daemon.demo.messages_api import MessagesApi
from daemon.demo.turns import Playbook, Script, Text, ToolUse, Turn

PORT = 9000
REPORT = {
    "summary": "the dashboard answers",
    "events": [],
    "escalation": {"needed": False},
    "services_checked": [{"name": "dashboard", "status": "healthy"}],
}


def bash(command: str) -> ToolUse:
    """A call of Bash."""
    return ToolUse("Bash", {"command": command, "description": "as the check wants"})


async def serve() -> None:
    """Serves until it is killed."""
    end = Turn([ToolUse("StructuredOutput", REPORT)])
    look = Turn([Text("I look."), bash("curl -s http://127.0.0.1:8080/healthz && uptime")])
    scripts: dict[str, Script] = {"script look": [look, end], "script long": [Turn([bash("sleep 300")]), end]}
    key = Path("/run/secrets/anthropic_api_key").read_text(encoding="ascii").strip()
    await MessagesApi(Playbook([end], scripts), key).start(PORT)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
