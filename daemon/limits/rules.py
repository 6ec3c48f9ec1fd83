"""The verdict over what a call was understood to do: whether a session of a tier may do it.

Pure. The hook's answer, the approval card and `claudeopsctl check-command` all come from here. What isn't understood
is never allowed. What a command does is told by `daemon.limits.understanding`.
"""

import re
from collections.abc import Mapping, Sequence

from daemon.limits.kinds import DYNAMIC, HANDOFF, Decision, Found, Judgement, Kind, not_understood

_ALLOW, _DENY, _ASK = Decision.ALLOW, Decision.DENY, Decision.ASK
# What each kind of call gets at tier 1, 2 and 3. Cooldowns come on top of an allowed restart or redeployment.
POLICY: Mapping[Kind, tuple[Decision, Decision, Decision]] = {
    Kind.READ: (_ALLOW, _ALLOW, _ALLOW),
    Kind.RESTART: (_DENY, _ALLOW, _ALLOW),
    Kind.REDEPLOYMENT: (_DENY, _ASK, _ALLOW),
    Kind.CHANGE: (_DENY, _ASK, _ALLOW),
    Kind.WRITE: (_DENY, _ASK, _ALLOW),
    Kind.PACKAGE: (_DENY, _ASK, _ASK),
    Kind.HOST: (_DENY, _DENY, _ASK),
    Kind.DESTROY: (_DENY, _DENY, _ASK),
    Kind.SECRET: (_DENY, _DENY, _DENY),
    Kind.STEER: (_DENY, _DENY, _DENY),
    Kind.UNKNOWN: (_DENY, _ASK, _ASK),
}
# How the kinds are called in the names of rules.
RULES: Mapping[Kind, str] = {
    Kind.READ: "reads",
    Kind.RESTART: "restarts",
    Kind.REDEPLOYMENT: "redeployments",
    Kind.CHANGE: "changes",
    Kind.WRITE: "writes",
    Kind.PACKAGE: "packages",
    Kind.HOST: "host",
    Kind.DESTROY: "destroys",
    Kind.SECRET: "secrets",
    Kind.STEER: "steers",
    Kind.UNKNOWN: "unknown",
}
_SEVERITY = {Decision.ALLOW: 0, Decision.ASK: 1, Decision.DENY: 2}
_PATTERN = re.compile(r"(?P<tool>[^()]+?)\s*(?:\((?P<words>.*)\))?\s*", re.DOTALL)


def judge(found: Sequence[Found], *, tier: int, dry_run: bool, disallowed: Sequence[str]) -> Judgement:
    """The worst of all that was found decides: deny over ask over allow; among equals the first.

    A tier that doesn't exist is judged as tier 1.
    """
    items = tuple(found) or (not_understood("", "nothing was found"),)
    judged = [_judge_one(item, tier if tier in {1, 2, 3} else 1, dry_run, disallowed) for item in items]
    decision, reason, rule = max(judged, key=lambda it: _SEVERITY[it[0]])
    return Judgement(decision, reason, rule, items)


def _judge_one(item: Found, tier: int, dry_run: bool, disallowed: Sequence[str]) -> tuple[Decision, str, str]:
    for pattern in disallowed:
        if any(matches(pattern, words) for words in _spellings(item)):
            return _DENY, f"{item.text}: the pattern {pattern} is not allowed to this tier", f"disallowed: {pattern}"
    if item.kind is Kind.READ:
        return _ALLOW, _sentence(item, "allowed"), RULES[item.kind]
    if dry_run:
        return _DENY, f"dry run: {item.text} is not run ({item.reason})", "dry-run"
    if item.kind is Kind.WRITE and item.target == HANDOFF:
        return _ALLOW, _sentence(item, "allowed"), "handoff"
    decision = POLICY[item.kind][tier - 1]
    words = {_ALLOW: "allowed", _DENY: f"not allowed to tier {tier}", _ASK: "needs approval"}[decision]
    return decision, _sentence(item, words), f"tier{tier}-{RULES[item.kind]}"


def _spellings(item: Found) -> list[Sequence[str]]:
    """The words that patterns look at: those of the command, as they were written too, and of each wrapper."""
    return [item.words, item.text.split(), *(wrapper.split() for wrapper in item.through)]


def _sentence(item: Found, verdict: str) -> str:
    where = f" (through {', '.join(item.through)})" if item.through else ""
    return f"{item.text}{where}: {item.reason or item.kind}; {verdict}"


def matches(pattern: str, words: Sequence[str], tool: str = "Bash") -> bool:
    """Whether a pattern such as `Bash(docker restart:*)` covers a tool's simple command.

    A pattern without parentheses covers the whole tool. Words that aren't known may be any.
    """
    parsed = _PATTERN.fullmatch(pattern.strip())
    if parsed is None or not _same_tool(parsed["tool"], tool):
        return False
    if parsed["words"] is None:
        return True
    wanted = re.sub(r"(:\*|\s*\*)$", "", parsed["words"].strip()).split()
    for at, word in enumerate(wanted):
        if at >= len(words):
            return False
        if words[at] == DYNAMIC:
            return True
        if words[at] != word:
            return False
    return True


def _same_tool(name: str, tool: str) -> bool:
    return tool.startswith(name[:-1]) if name.endswith("*") else name == tool


__all__ = ["POLICY", "RULES", "judge", "matches"]
