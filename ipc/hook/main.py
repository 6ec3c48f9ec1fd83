"""From the CLI's question on standard input to the decision on standard output.

Whatever goes wrong ends in a printed `deny` or, where even that fails, in a non-zero exit: the CLI then runs nothing,
because nothing that acts is in its own list of allowed tools. `allow` is printed only where the worker said so.
"""

import json
import sys
import time
from typing import Any

from ipc.hook.ask import SilentError, ask

QUESTION_MAX = 8 * 1024 * 1024
INPUT_MAX = 3 * 1024 * 1024  # what a frame to the worker can carry, with room for the escapes of JSON in JSON
DECISIONS = frozenset({"allow", "deny", "defer"})
EXIT_BLOCKED = 2


def main(words: list[str]) -> int:
    """Reads, asks, prints; 0 if a decision was printed, 2 if nothing could be."""
    # What Python would print on the way out must not look like a decision: the JSON is written whole, once.
    try:
        decision, reason = decide(words, sys.stdin.buffer.read(QUESTION_MAX + 1))
    except Exception as error:  # noqa: BLE001 - the boundary: an answer that can't be had is a no
        decision, reason = "deny", f"Claude Ops could not be asked, so nothing was run: {error!r}"
    try:
        sys.stdout.write(answer(decision, reason))
        sys.stdout.flush()
    except OSError:
        return EXIT_BLOCKED
    return 0


def decide(words: list[str], question: bytes) -> tuple[str, str]:
    """(decision, reason) for what the CLI asks. Any exception counts as a no."""
    runtime_dir, run_id, patience = words
    if len(question) > QUESTION_MAX:
        return "deny", f"this call is larger than {QUESTION_MAX} bytes and can't be judged; split it"
    asked: dict[str, Any] = json.loads(question)
    body = {
        "run_id": run_id,
        "tool_use_id": str(asked["tool_use_id"]),
        "tool": str(asked["tool_name"]),
        # ASCII: half of a surrogate pair, which JSON may carry, has no other form that every reader takes.
        "input": json.dumps(asked["tool_input"], separators=(",", ":")),
        "agent": str(asked.get("agent_id") or ""),
        "cwd": str(asked.get("cwd") or ""),
    }
    if len(body["input"]) > INPUT_MAX:
        return "deny", f"this call is larger than {INPUT_MAX} bytes and can't be judged; split it"
    begun = time.monotonic()
    try:
        reply = ask(runtime_dir, "calls.ask", body, until=begun + float(patience))
    except SilentError as silent:
        waited = time.monotonic() - begun
        return "deny", f"Claude Ops did not answer in {waited:.0f} s, so nothing was run; {silent}"
    decision, reason = reply.get("decision"), reply.get("reason")
    if decision not in DECISIONS or not isinstance(reason, str):
        return "deny", "Claude Ops gave an answer that this hook does not understand, so nothing was run"
    return str(decision), reason


def answer(decision: str, reason: str) -> str:
    """The JSON that the CLI takes as a decision."""
    told: dict[str, str] = {"hookEventName": "PreToolUse", "permissionDecision": decision}
    if reason:
        told["permissionDecisionReason"] = reason
    return json.dumps({"hookSpecificOutput": told})
