"""What standing rules of people mean for a call, and the sentences about decisions. Pure: time is an argument.

Called by `daemon.limits.verdict` for each call, and by `daemon.approvals.approvals`. A rule is narrower than the
policy: it may let through what would be asked, and never what is denied.
"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from daemon.limits.kinds import Decision, Found
from schema import timestamps
from schema.limits import Approval, ApprovalRule
from schema.states import ApprovalStatus

ANY = "*"
UNKNOWN_WORD = "…"
CUT = "… ("  # in the text of a command that is too long to be shown whole
BASH = "Bash"
# Wrappers that leave a command in its place; through any other it is done somewhere else, and no rule covers it.
# fmt: off
IN_PLACE = frozenset({
    "sudo", "doas", "runuser", "su", "env", "nohup", "nice", "ionice", "chronic", "timeout", "time", "setsid", "stdbuf",
    "flock", "watch", "xargs", "eval", "exec", "command", "builtin", "bash", "sh", "dash", "ash", "zsh", "busybox",
})
# fmt: on


class Standing(NamedTuple):
    """What a standing rule makes of a call, and which it was."""

    decision: Decision
    rule: ApprovalRule


def words_of(pattern: str) -> tuple[str, ...] | None:
    """The words of a pattern, quoted as in a shell; None if it can't be read."""
    try:
        return tuple(shlex.split(pattern))
    except ValueError:
        return None


def problem(rule: ApprovalRule, now: datetime) -> str | None:
    """What is wrong with a rule that somebody wants to make; None if nothing is."""
    if rule.decision not in set(Decision):
        return f"a rule's decision is allow, ask or deny, not {rule.decision!r}"
    if not rule.tool.strip():
        return "a rule needs the name of a tool, such as Bash"
    words = words_of(rule.pattern)
    if not words:
        return "a rule needs the words of a command, quoted as in a shell; * as the last word means any further"
    if ANY in words[:-1]:
        return "* can only be the last word of a rule"
    if words == (ANY,) and rule.tool == BASH and rule.decision == Decision.ALLOW:
        return "a rule that allows every command is none; begin it with the words of a command"
    if rule.tier is not None and rule.tier not in (1, 2, 3):
        return "a rule's tier is 1, 2 or 3, or left out for all"
    if rule.expires_at is not None:
        try:
            if timestamps.parse(rule.expires_at) <= now:
                return f"{rule.expires_at} is over already; give a time to come, or none"
        except ValueError:
            return f"{rule.expires_at!r} is no time; write it as 2026-01-31T08:05:00Z"
    return None


def standing(
    rules: Sequence[ApprovalRule], tool: str, judged: Sequence[tuple[Found, Decision]], tier: int, now: datetime
) -> Standing | None:
    """What the rules make of a call; None if they change nothing. `judged`: each thing found, by the policy alone.

    One that denies beats one that asks, and that one that allows. To allow, every thing that asks must be covered.
    """
    if any(decision is Decision.DENY for _, decision in judged):
        return None
    active = [rule for rule in rules if applies(rule, tool, tier, now)]
    for wanted in (Decision.DENY, Decision.ASK):
        for rule in active:
            if rule.decision == wanted and any(covers(rule, found, strictly=False) for found, _ in judged):
                return Standing(wanted, rule)
    asking = [found for found, decision in judged if decision is Decision.ASK]
    allowing = [_first(active, found) for found in asking]
    known = [rule for rule in allowing if rule is not None]
    if known and len(known) == len(asking):
        return Standing(Decision.ALLOW, known[0])
    return None


def _first(active: Iterable[ApprovalRule], found: Found) -> ApprovalRule | None:
    allowing = (rule for rule in active if rule.decision == Decision.ALLOW)
    return next((rule for rule in allowing if covers(rule, found, strictly=True)), None)


def applies(rule: ApprovalRule, tool: str, tier: int, now: datetime) -> bool:
    """Whether a rule is about this tool and tier, and holds at `now`."""
    if rule.revoked_at is not None or rule.tool != tool or rule.tier not in (None, tier):
        return False
    return rule.expires_at is None or timestamps.parse(rule.expires_at) > now


def covers(rule: ApprovalRule, found: Found, *, strictly: bool) -> bool:
    """Whether a rule's host and words are those of one thing found.

    Strictly, to allow it: the whole of it as written, options too, every word known, and done in the place itself.
    Otherwise its words without options in front are enough, wherever it is done, and unknown words may be any.
    """
    pattern = words_of(rule.pattern)
    if not pattern:
        return False
    if not strictly:
        return _begins(pattern, found.words) or _begins(pattern, words_of(found.text) or ())
    if rule.host != ANY and rule.host != found.host:
        return False
    if not found.words:
        # Not understood, and so shown as it was written: nothing but the very same text is known to do the same.
        return rule.pattern == found.text and CUT not in found.text
    if UNKNOWN_WORD in found.words or not all(_in_place(wrapper, found.host) for wrapper in found.through):
        return False
    return _same(pattern, words_of(found.text) or ())


def _same(pattern: Sequence[str], words: Sequence[str]) -> bool:
    if pattern[-1] == ANY:
        head = pattern[:-1]
        return tuple(words[: len(head)]) == tuple(head)
    return tuple(words) == tuple(pattern)


def _begins(pattern: Sequence[str], words: Sequence[str]) -> bool:
    head = pattern[:-1] if pattern[-1] == ANY else pattern
    for at, word in enumerate(head):
        if at >= len(words):
            return False
        if words[at] == UNKNOWN_WORD:
            return True
        if words[at] != word:
            return False
    return pattern[-1] == ANY or len(words) == len(head) or UNKNOWN_WORD in words


def _in_place(wrapper: str, host: str | None) -> bool:
    name = wrapper.split(" ", 1)[0]
    return name in IN_PLACE or (name == "ssh" and host is not None)


def told(rule: ApprovalRule) -> str:
    """A rule in words, for the model and the audit log."""
    where = f" on {rule.host}" if rule.host not in (None, ANY) else ""
    return f"standing rule {rule.id} of {rule.created_by} ({rule.decision} {rule.pattern}{where})"


DECIDED: Mapping[ApprovalStatus, str] = {
    ApprovalStatus.APPROVED: "already approved",
    ApprovalStatus.USED: "already approved",
    ApprovalStatus.DENIED: "already denied",
}


def too_late(approval: Approval, now: datetime) -> str:
    """The sentence for whoever decides second."""
    when = ago((now - timestamps.parse(approval.decided_at or approval.expires_at)).total_seconds())
    if approval.status in DECIDED:
        return f"{DECIDED[approval.status]} by {approval.decided_by} {when}"
    if approval.status is ApprovalStatus.CANCELLED:
        return f"it does not wait any more since {when}: {approval.answer or 'its session has ended'}"
    return f"it expired {when}, which counts as denied; the session may ask again"


def ago(seconds: float) -> str:
    """`12 s ago`, `5 min ago`, `3 h ago`, `2 days ago`."""
    for unit, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name} ago"
    return f"{max(0.0, seconds):.0f} s ago"


def denial(approval: Approval) -> str:
    """What the model is told of an approval that is not one."""
    if approval.status is ApprovalStatus.DENIED:
        said = f": {approval.answer}" if approval.answer else ""
        return f"Denied by {approval.decided_by}{said}. Do not try it another way; report what is needed."
    if approval.status is ApprovalStatus.EXPIRED:
        return "Nobody approved this call in time, so it was not run. Report what is needed and why."
    if approval.status is ApprovalStatus.USED:
        return "This call was let through once before; look whether it was done before you make it anew."
    return approval.answer or "This call does not wait for approval any more, and was not run."
