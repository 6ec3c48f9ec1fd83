"""MCP servers end to end: a mounted repository brings one, the real claude CLI starts it, people see how it is."""

import json
import re
import sys
from pathlib import Path

from daemon.demo.turns import ToolUse
from tests.acceptance.real import messages_api, real, report, say
from tests.fakes import mcp_server


def test_a_repositorys_server_is_started_used_and_shown_as_the_session_found_it(tmp_path: Path) -> None:
    repository = tmp_path / "repos" / "x" / ".claude-ops"
    repository.mkdir(parents=True)
    servers = {
        "probe": {"command": sys.executable, "args": [str(mcp_server.__file__)]},
        "gone": {"command": str(tmp_path / "no-such-program")},
    }
    (repository / "mcp.json").write_text(json.dumps({"mcpServers": servers}))
    # A repository that can't be read is told of, and takes nothing away from the others.
    broken = tmp_path / "repos" / "y" / ".claude-ops"
    broken.mkdir(parents=True)
    (broken / "mcp.json").write_text("{")
    script = [say("I ask it.", ToolUse("mcp__probe__act", {}, "acting")), report("it acted")]
    settings = {"CLAUDEOPS_REPOS_DIR": str(tmp_path / "repos"), "CLAUDEOPS_MCP_READING": "mcp__probe__*"}
    with messages_api(probe=script) as (url, _), real(tmp_path, url, **settings) as daemon:
        before = {server["name"]: server for server in daemon.json("mcp")}
        assert {name: (it["source"], it["status"], it["tools"]) for name, it in before.items()} == {
            "probe": ("x", "", 0),
            "gone": ("x", "", 0),
        }
        session = daemon.json("sessions", "trigger", "--tier", "1", "--prompt", "script probe")
        ended = daemon.wait_ended(session["id"])
        assert ended["status"] == "completed"
        assert '"acted"' in Path(ended["log_file"]).read_text()
        after = {server["name"]: server for server in daemon.json("mcp")}
        assert {name: (it["source"], it["status"], it["tools"]) for name, it in after.items()} == {
            "probe": ("x", "connected", 1),
            "gone": ("x", "failed", 0),
        }
        assert all(server["seen_at"] >= session["started_at"] for server in after.values())
        plain = daemon.ctl("mcp")
        assert re.search(r"^probe +x +connected +1 ", plain.stdout, re.MULTILINE), plain.stdout
        assert "y/.claude-ops/mcp.json: " in plain.stderr, plain.stderr
        daemon.sign_in()
        status, _, body = daemon.request("GET", "/mcp")
        page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body.decode()))
        assert status == 200
        assert re.search(r"connected probe x .{0,200}\b1 tool\b", page), page
        assert re.search(r"failed gone x ", page), page
        status, _, body = daemon.request("GET", "/mcp.json")
        assert {it["name"]: (it["status"], it["tools"]) for it in json.loads(body)["servers"]} == {
            "probe": ("connected", 1),
            "gone": ("failed", 0),
        }
