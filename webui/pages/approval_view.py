"""An approval as its card shows it: the exact call, what the rule saw, who asks, until when. Pure.

For the list, a single approval's page, session and chain pages, and their live streams.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from markupsafe import Markup

from schema import timestamps
from schema.limits import Approval, Cooldown
from schema.states import ApprovalStatus
from webui.pages import formats, found
from webui.pages.ansi import plain
from webui.pages.formats import At
from webui.pages.found import Saw
from webui.pages.session_rows import Look

LOOKS = {
    ApprovalStatus.WAITING: Look("plan", "hand", "waits for a person"),
    ApprovalStatus.APPROVED: Look("ok", "check", "approved"),
    ApprovalStatus.USED: Look("ok", "check", "approved, and run"),
    ApprovalStatus.DENIED: Look("neutral", "ban", "denied"),
    ApprovalStatus.EXPIRED: Look("neutral", "timer-off", "expired"),
    ApprovalStatus.CANCELLED: Look("neutral", "skip-forward", "cancelled"),
}
ACTIONS = {"restart": "restarts", "redeployment": "redeployments"}
COLUMNS = frozenset(Approval.__struct_fields__)
Uses = Mapping[tuple[str, str], Cooldown]


class Card(NamedTuple):
    """One approval. `marks`: what makes the call riskier than it looks, such as a host. `call` is whole.

    `alike`: how many calls wait that are the very same, this one among them.
    """

    id: int
    href: str
    tone: str
    icon: str
    word: str
    waiting: bool
    session_id: int
    tier: int
    tool: str
    line: str
    call: Markup
    marks: list[str]
    saw: list[Saw]
    uses: list[str]
    rule: str
    reason: str
    words: str
    asked: At
    expires: At
    decided: At | None
    decision: str
    answer: str
    alike: int


def from_row(row: Mapping[str, Any]) -> Approval:
    """A row of the table as a value."""
    return msgspec.convert({name: value for name, value in row.items() if name in COLUMNS}, Approval)


def uses(cooldowns: Iterable[Cooldown]) -> Uses:
    """Cooldowns by service and action."""
    return {(one.service, one.action): one for one in cooldowns}


def card(approval: Approval, now: datetime, known: Uses, alike: int = 0) -> Card:
    """What the card shows at `now`; `known`: how much of their limits services have used."""
    look = LOOKS[approval.status]
    commands = found.read(approval.found)
    text = found.call_text(approval.tool, approval.input)
    hosts = [command.host for command in commands if command.host]
    marks = [f"on {found.visible_text(host)}" for host in dict.fromkeys(hosts)]
    if found.RISING.search(text):
        marks.append("as another user")
    seen = found.saw(commands)
    return Card(
        id=approval.id,
        href=f"/approvals/{approval.id}",
        tone=look.tone,
        icon=look.icon,
        word=look.word,
        waiting=approval.status is ApprovalStatus.WAITING,
        session_id=approval.session_id,
        tier=approval.tier,
        tool=approval.tool,
        line=one_line(text),
        call=found.marked(text, hosts),
        marks=marks,
        saw=seen,
        uses=[_use(known[key]) for one in seen if (key := (one.target, one.action)) in known],
        rule=approval.rule,
        reason=approval.reason,
        words=plain(approval.words or "") or found.said_of(approval.input),
        asked=formats.ago(approval.created_at, now),
        expires=At(timestamps.stamp(timestamps.parse(approval.expires_at)), formats.expires(approval.expires_at, now)),
        decided=formats.ago(approval.decided_at, now) if approval.decided_at else None,
        decision=decision(approval),
        answer=plain(approval.answer or ""),
        alike=alike,
    )


def one_line(text: str, most: int = 120) -> str:
    """A call in one line, for titles and lists; the card has it whole."""
    words = " ".join(found.visible_text(text).split())
    return words if len(words) <= most else f"{words[:most]} …"


def _use(use: Cooldown) -> str:
    window = formats.span(use.window_s)
    return f"{use.service}: {use.used} of {use.limit} {ACTIONS.get(use.action, use.action)} used in {window}"


def decision(approval: Approval) -> str:
    """What became of it and by whom: "denied by ada"; empty while it waits."""
    match approval.status:
        case ApprovalStatus.WAITING:
            return ""
        case ApprovalStatus.EXPIRED:
            return "expired: nobody decided in time"
        case ApprovalStatus.CANCELLED:
            yes = f"approved by {approval.decided_by}, but " if approval.decided_by else ""
            return f"{yes}cancelled before it ran"
    word = "denied" if approval.status is ApprovalStatus.DENIED else "approved"
    return f"{word} by {approval.decided_by or 'somebody'}"


def needs_uses(approvals: Iterable[Approval]) -> bool:
    """Whether any of them counts towards a limit, so that cooldowns are worth asking for."""
    return any(command.kind in ACTIONS for approval in approvals for command in found.read(approval.found))
