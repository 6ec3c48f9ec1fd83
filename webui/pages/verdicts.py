"""What was decided about a session's calls, as its transcript shows it: denied, asked, let through, by whom. Pure.

Joined to the transcript's calls by the CLI's tool_use_id. A call that only reads and was let through is not marked.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from webui.pages import found
from webui.pages.ansi import plain

WAITING = "waiting"


class Verdict(NamedTuple):
    """A call's mark (a word), and below it why: the rule and its reason, and the person."""

    mark: str
    tone: str
    text: str
    rule: str
    href: str | None


def read(rows: Iterable[Mapping[str, Any]]) -> dict[str, Verdict]:
    """Verdicts by tool_use_id, from rows of pages.calls; only those that are worth a mark."""
    listed = ((row["tool_use_id"], _verdict(row)) for row in rows)
    return {tool_use_id: verdict for tool_use_id, verdict in listed if verdict is not None}


def _verdict(row: Mapping[str, Any]) -> Verdict | None:
    reason, rule = plain(row["reason"]), plain(row["rule"])
    if row["approval"] is not None:
        return _asked(row, reason, rule)
    if row["decision"] == "allow":
        if all(command.kind in found.HARMLESS for command in found.read(row["found"])):
            return None
        return Verdict("changes", "", f"Let through: {reason}", rule, None)
    if row["decision"] == "ask":
        return Verdict("asked", "plan", f"Needs a person: {reason}", rule, None)
    return Verdict("denied", "warn", f"Denied: {reason}", rule, None)


def _asked(row: Mapping[str, Any], reason: str, rule: str) -> Verdict:
    """A call that a person was asked about."""
    href = f"/approvals/{row['approval_id']}"
    who = plain(row["decided_by"] or "somebody")
    said = f": {plain(row['answer'])}" if row["answer"] else ""
    match row["approval"]:
        case "waiting":
            return Verdict("asked", "plan", f"Waits for a person: {reason}", rule, href)
        case "approved" | "used":
            return Verdict("changes", "", f"Approved by {who}. {reason}", rule, href)
        case "denied":
            return Verdict("denied", "warn", f"Denied by {who}{said}", rule, href)
        case "expired":
            return Verdict("denied", "warn", f"Nobody decided in time, so it did not run. {reason}", rule, href)
    # Cancelled, perhaps after a yes: its session was over, it did not come alone, or a limit stood in its way by then.
    approved = f"Approved by {who}, but not run" if row["decided_by"] else "Not run"
    return Verdict("asked", "neutral", f"{approved}{said}", rule, href)
