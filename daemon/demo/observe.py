"""The demo's tier 1: looks at each service, at what is down twice, reports, and hands on what somebody must repair.

It changes nothing. Each conclusion is drawn from what the real calls returned. Called by `daemon.demo.script`. Pure.
"""

from collections.abc import Sequence

from daemon.demo.findings import WORST_LAST, Finding, Memory, Note, first_line, handing_on, judge, look
from daemon.demo.services import Service
from daemon.demo.speech import call, conclude, say
from daemon.demo.turns import Conversation, Script, Turn

PLACE, ASKED = "place", "asked"
REBUILDING = Memory("search", "timing", "answers in about 800 ms as long as its index is being rebuilt")


def check(services: Sequence[Service], tempo: float = 1.0) -> Script:
    """The check: the first service, the others at once, what is down or slow once more, the report."""
    first, *others = services

    def rest(conversation: Conversation) -> Turn:
        finding = judge(first.name, conversation.result_of(f"first-{first.name}"))
        calls = [look(service, f"first-{service.name}") for service in others]
        return say(tempo, f"**{first.name}** {finding.detail}. Now the others, both at once.", *calls)

    def again(conversation: Conversation) -> Turn:
        found = _looks(conversation, services, "first")
        words = "\n".join(f"- **{finding.service}** {finding.detail}" for finding in found[1:])
        worst = _worst(services, found)
        once_more = look(worst, f"again-{worst.name}")
        if any(finding.is_bad for finding in found):
            containers = call("docker ps", "State of the containers", PLACE)
            return say(
                tempo, f"{words}\n\nI look at {worst.name} once more, and at the containers.", containers, once_more
            )
        load = call("uptime", "Load of this machine", PLACE)
        return say(
            tempo, f"{words}\n\nNothing is down. I look at {worst.name} once more, and at the load.", load, once_more
        )

    def last(conversation: Conversation) -> Turn:
        found = latest(conversation, services)
        bad = [finding for finding in found if finding.is_bad]
        if not bad or conversation.result_of(ASKED):
            return _conclude(conversation, tempo, found)
        words = f"**{bad[0].service}** is still down. Has somebody been asked about it already?"
        return say(tempo, words, call("claudeopsctl approvals list", "Calls that wait for a person", ASKED))

    opening = say(
        tempo,
        f"I check {len(services)} services: {', '.join(service.name for service in services)}. First {first.name}.",
        look(first, f"first-{first.name}"),
        thinking="A service that answers may still be slow, so I want status and time of each.",
    )
    return [opening, rest, again, last, last]


def latest(conversation: Conversation, services: Sequence[Service]) -> list[Finding]:
    """What tier 1 last saw of each service."""
    seen = ["again" if conversation.result_of(f"again-{service.name}") else "first" for service in services]
    return [_look(conversation, service, when) for service, when in zip(services, seen, strict=True)]


def redeployment(name: str) -> str:
    """The command that puts a new container in the place of a service's."""
    return f"docker compose up -d {name}"


def _look(conversation: Conversation, service: Service, when: str) -> Finding:
    return judge(service.name, conversation.result_of(f"{when}-{service.name}"))


def _looks(conversation: Conversation, services: Sequence[Service], when: str) -> list[Finding]:
    return [_look(conversation, service, when) for service in services]


def _worst(services: Sequence[Service], found: Sequence[Finding]) -> Service:
    place = max(range(len(found)), key=lambda at: (WORST_LAST.index(found[at].status), found[at].ms or 0))
    return services[place]


def _conclude(conversation: Conversation, tempo: float, found: Sequence[Finding]) -> Turn:
    """The report: what is down is handed on, unless a person has been asked about it already."""
    notes = _changed(conversation, found)
    bad = [finding for finding in found if finding.is_bad]
    escalation = None
    if bad and _is_asked(conversation, bad):
        told = "a person has been asked about it already, so nothing is handed on"
        notes.append(Note("info", f"Down, and {told}.", bad[0].service))
    elif bad:
        escalation = handing_on(bad, f"Looked at twice. {_said(conversation)}")
    slow = conversation.result_of(f"first-{REBUILDING.service}")
    memories = [REBUILDING] if slow is not None and "rebuilding" in slow.text else []
    return conclude(conversation, tempo, found, notes=notes, memories=memories, escalation=escalation)


def _changed(conversation: Conversation, found: Sequence[Finding]) -> list[Note]:
    """What the second look showed otherwise than the first."""
    notes = []
    for finding in found:
        before = judge(finding.service, conversation.result_of(f"first-{finding.service}"))
        if before.status != finding.status:
            told = f"Was {before.status} at first and {finding.status} when looked at again."
            notes.append(Note("info", told, finding.service))
    return notes


def _is_asked(conversation: Conversation, bad: Sequence[Finding]) -> bool:
    asked = conversation.result_of(ASKED)
    return asked is not None and any(redeployment(finding.service) in asked.text for finding in bad)


def _said(conversation: Conversation) -> str:
    """What `docker ps` says of what is not well."""
    listed = conversation.result_of(PLACE)
    ill = [line.strip() for line in listed.text.splitlines() if "unhealthy" in line] if listed else []
    return (
        f"docker ps: {'; '.join(ill)}." if ill else f"docker ps: {first_line(listed.text) if listed else 'no answer'}."
    )
