"""An MCP server on standard input and output with one tool, `act`, which answers "acted".

Started by the claude CLI, as `python mcp_server.py`.
"""

import json
import sys
from typing import Any

TOOL = {"name": "act", "description": "acts", "inputSchema": {"type": "object", "properties": {}}}


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """The result of a request; an empty one for what it does not know."""
    match asked["method"]:
        case "initialize":
            version, server = asked["params"]["protocolVersion"], {"name": "probe", "version": "1"}
            return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": server}
        case "tools/list":
            return {"tools": [TOOL]}
        case "tools/call":
            return {"content": [{"type": "text", "text": "acted"}]}
    return {}


if __name__ == "__main__":
    for line in sys.stdin:
        request = json.loads(line)
        if "id" in request:
            print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": answer(request)}), flush=True)
