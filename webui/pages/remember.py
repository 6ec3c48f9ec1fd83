"""From one call to a standing rule: which scopes a person is offered, and the rule that a choice makes. Pure.

A rule is narrower than the policy: these words, on this host or any, at this tier or any, until a time. For the form
that decides a call (`webui.pages.decisions`) and the list of rules (`webui.pages.standing_rules`).
"""

import shlex
import time
from collections.abc import Mapping
from typing import NamedTuple

from ipc.errors import CallError, Code
from schema import timestamps
from schema.limits import Approval, ApprovalRule, FoundCommand
from webui.pages import found
from webui.pages.approval_view import one_line
from webui.pages.keyed import Choice

HOUR = 3600
EXPIRIES = [
    Choice(str(HOUR), "for an hour"),
    Choice(str(8 * HOUR), "for 8 hours"),
    Choice(str(24 * HOUR), "for a day"),
    Choice(str(7 * 24 * HOUR), "for a week"),
    Choice(str(30 * 24 * HOUR), "for 30 days"),
    Choice("", "until it is revoked"),
]
TIERS = [Choice("same", "at this tier alone"), Choice("any", "at any tier")]
ANY = "*"
SCOPES_MAX = 12
PATTERN_MAX = 4000
WITH_SUBCOMMANDS = frozenset({"restart", "redeployment", "change", "package"})


class Scope(NamedTuple):
    """One way to say which calls are meant; `value` is what the form sends."""

    value: str
    label: str
    pattern: str
    host: str | None


def scopes(approval: Approval) -> list[Scope]:
    """From this exact command to its program and subcommand; for what is no command, the tool."""
    if approval.tool != "Bash":
        return [Scope("tool", f"any call of {approval.tool}", ANY, None)]
    listed: dict[tuple[str, str | None], Scope] = {}
    for number, command in enumerate(found.read(approval.found)):
        if command.kind in found.HARMLESS:
            continue
        for name, pattern in (("exact", _exact(command)), ("program", _program(command))):
            if pattern and len(pattern) <= PATTERN_MAX:
                label = f"{'exactly' if name == 'exact' else 'anything that begins'}: {one_line(pattern)}"
                made = Scope(f"{number}-{name}", label, pattern, command.host)
                listed.setdefault((pattern, command.host), made)
    return list(listed.values())[:SCOPES_MAX]


def _words(command: FoundCommand) -> list[str]:
    try:
        return shlex.split(command.text)
    except ValueError:
        return []  # such a call can only be decided once


def _exact(command: FoundCommand) -> str:
    """The command as it was understood, without its wrappers; empty where a rule would mean more than it."""
    words = _words(command)
    return command.text if words and ANY not in words else ""


def _program(command: FoundCommand) -> str:
    """`docker restart *`: program and subcommand. Without a subcommand it would be as wide as the program: empty."""
    words = _words(command)
    if command.kind not in WITH_SUBCOMMANDS or len(words) < 2 or not words[1].isidentifier():
        return ""
    return f"{shlex.join(words[:2])} {ANY}"


def hosts(approval: Approval) -> list[Choice]:
    """On the call's own host, or on any."""
    named = {command.host for command in found.read(approval.found) if command.host}
    own = f"on {', '.join(sorted(named))} alone" if named else "on this host alone"
    return [Choice("same", own), Choice("any", "on any host")]


def rule(approval: Approval, fields: Mapping[str, str], *, approve: bool) -> ApprovalRule | None:
    """The standing rule that a form asks for; None without one. CallError for a choice that was not offered."""
    wanted = fields.get("scope", "")
    if not wanted:
        return None
    scope = next((one for one in scopes(approval) if one.value == wanted), None)
    if scope is None:
        raise CallError(Code.INVALID, "That scope does not fit this call; choose another.")
    return ApprovalRule(
        decision="allow" if approve else "deny",
        tool=approval.tool,
        pattern=scope.pattern,
        host=ANY if fields.get("host") == "any" else scope.host,
        tier=None if fields.get("tier") == "any" else approval.tier,
        reason=fields.get("reason", "").strip()[:1000] or None,
        expires_at=expiry(fields.get("expires", "")),
    )


def expiry(chosen: str) -> str | None:
    """When a rule ends; None: when it is revoked. CallError for a time that was not offered."""
    if chosen not in [choice.value for choice in EXPIRIES]:
        raise CallError(Code.INVALID, "Say how long the rule is to last.")
    return timestamps.at(time.time() + int(chosen)) if chosen else None
