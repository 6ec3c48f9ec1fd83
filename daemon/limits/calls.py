"""The verdict over any tool call of a session: shell commands by `rules`, the others by name and input.

The hook's answer comes from `judge_call`. A tool that isn't known, or an input of another shape than its own, is not
understood.
"""

from collections.abc import Mapping, Sequence

from daemon.limits import paths
from daemon.limits.kinds import HANDOFF, Decision, Found, Judgement, Kind
from daemon.limits.names import listed
from daemon.limits.programs.network import reads_address
from daemon.limits.rules import judge, matches
from daemon.limits.understanding import understand
from daemon.limits.words import literal

# Tools that change nothing outside the session: its own lists, sub-agents (whose calls are judged one by one), answers.
_HARMLESS = listed(
    "Task Agent TodoWrite TodoRead TaskCreate TaskUpdate TaskList TaskGet TaskOutput TaskStop BashOutput"
    " KillShell KillBash StructuredOutput WebSearch Skill ToolSearch ExitPlanMode EnterPlanMode"
    " AskUserQuestion LS"
)
_WRITERS = {"Write": "file_path", "Edit": "file_path", "MultiEdit": "file_path", "NotebookEdit": "notebook_path"}


def judge_call(
    tool: str,
    tool_input: Mapping[str, object],
    *,
    tier: int,
    dry_run: bool,
    disallowed: Sequence[str],
    mcp_reading: Sequence[str],
    state_dir: str,
    cwd: str = "",
) -> Judgement:
    """Allow, deny or ask for one call. Never raises.

    `mcp_reading`: names of MCP tools that only read, exact or ending in `*`. `state_dir`: the daemon's own directory.
    `cwd`: where the session stands, if known.
    """
    found = _found(tool, tool_input, mcp_reading, state_dir, cwd)
    for pattern in disallowed:
        if "(" not in pattern and matches(pattern, (), str(tool)):
            reason = f"{tool}: the tool is not allowed to this tier by {pattern}"
            return Judgement(Decision.DENY, reason, f"disallowed: {pattern}", found)
    shell = [pattern for pattern in disallowed if "(" in pattern] if tool == "Bash" else []
    return judge(found, tier=tier, dry_run=dry_run, disallowed=shell)


def _found(tool: object, given: object, mcp_reading: Sequence[str], state_dir: str, cwd: str) -> tuple[Found, ...]:
    if not isinstance(tool, str) or not isinstance(given, Mapping):
        return (Found(Kind.UNKNOWN, str(tool)[:200], reason="not a tool call"),)
    if tool == "Bash":
        command = given.get("command")
        if not isinstance(command, str):
            return (_item(Kind.UNKNOWN, "a shell call without a command", tool=tool),)
        return understand(command, state_dir=state_dir, cwd=cwd)
    return (_other(tool, given, mcp_reading, state_dir, cwd),)


def _other(tool: str, given: Mapping[str, object], mcp_reading: Sequence[str], state_dir: str, cwd: str) -> Found:
    if tool.startswith("mcp__"):
        known = any(tool == name or (name.endswith("*") and tool.startswith(name[:-1])) for name in mcp_reading)
        reason = "an MCP tool that only reads" if known else "an MCP tool that isn't listed as one that only reads"
        return _item(Kind.READ if known else Kind.UNKNOWN, reason, tool=tool)
    if tool in _WRITERS:
        return _write(tool, given.get(_WRITERS[tool]), state_dir, cwd)
    if tool in {"Read", "NotebookRead"}:
        path = given.get("file_path", given.get("notebook_path"))
        return _read(tool, path, state_dir, cwd, tree=False)
    if tool == "Grep":
        return _grep(given, state_dir, cwd)
    if tool == "Glob":
        return _item(Kind.READ, "looks at names of files", tool=tool, shown=str(given.get("pattern", "")))
    if tool == "WebFetch":
        url = given.get("url")
        if not isinstance(url, str):
            return _item(Kind.UNKNOWN, "no address", tool=tool)
        kind, reason = reads_address(url)
        return _item(kind, reason, tool=tool, shown=url)
    if tool in _HARMLESS:
        return _item(Kind.READ, "changes nothing outside the session", tool=tool)
    return _item(Kind.UNKNOWN, "a tool that is not known here", tool=tool)


def _read(tool: str, path: object, state_dir: str, cwd: str, *, tree: bool) -> Found:
    if not isinstance(path, str) or not path or "\0" in path:
        return _item(Kind.UNKNOWN, "no path", tool=tool, shown=str(path)[:200])
    judged = (paths.judge_tree if tree else paths.judge)(literal(path), (cwd,), state_dir)
    return _item(judged[0], judged[1] or "reads a file", tool=tool, shown=path)


def _grep(given: Mapping[str, object], state_dir: str, cwd: str) -> Found:
    """Only `content` prints lines; but names of files with a match tell a line too, one guess at a time."""
    item = _read("Grep", given.get("path", "."), state_dir, cwd, tree=True)
    names = given.get("glob")
    if item.kind is Kind.READ and isinstance(names, str):
        for name in names.replace("{", ",").replace("}", ",").split(","):
            kind, reason = paths.judge(literal(name.replace("*", "x")), ("",), "") if name else (Kind.READ, "")
            if kind is not Kind.READ:
                return _item(kind, reason, tool="Grep", shown=names)
    return item


def _write(tool: str, path: object, state_dir: str, cwd: str) -> Found:
    if not isinstance(path, str) or not path:
        return _item(Kind.UNKNOWN, "no path", tool=tool)
    if paths.is_handoff(path, (cwd,), state_dir):
        return _item(Kind.WRITE, "writes the handoff to the next tier", tool=tool, shown=path)._replace(target=HANDOFF)
    return _item(*paths.judge_write(literal(path), (cwd,), state_dir), tool=tool, shown=path)


def _item(kind: Kind, reason: str, *, tool: str, shown: str = "") -> Found:
    return Found(kind, f"{tool} {shown}".strip(), reason=reason, words=(tool,))
