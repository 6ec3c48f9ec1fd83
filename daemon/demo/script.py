"""The demo's scripts: what the model says in a scheduled check of the three services, and to a prompt of one's own.

The words are scripted; each call is run by the real CLI, and each conclusion is drawn from what the call returned.
Called by `daemon.demo.stage`. Pure.
"""

from collections.abc import Sequence

from daemon.demo.findings import Finding, first_line, judge, look, report
from daemon.demo.services import Service
from daemon.demo.turns import Block, Conversation, Playbook, Script, Text, Thinking, ToolUse, Turn

MARKER = "Check of the demo's services"
"""Stands in the demo's prompt file; by it the check is told from a prompt of one's own."""

REPORT_TOOL = "StructuredOutput"
QUOTE_CHARS = 600


def playbook(services: Sequence[Service], tempo: float = 1.0) -> Playbook:
    """Both scripts. `tempo` 1 makes a check last about 23 s, 0 makes it as quick as it can be."""
    return Playbook(default=answer(services, tempo), marked={MARKER: check(services, tempo)})


def prompt(services: Sequence[Service]) -> str:
    """The text of the demo's prompt file."""
    lines = "\n".join(f"- {service.name}: {service.url}" for service in services)
    return (
        f"# {MARKER}\n\nLook at each service with curl and say how it is. You observe: you change nothing.\n"
        "A service is slow from 500 ms on. What is down is looked at twice.\n\n"
        f"{lines}\n\nEnd with your structured report.\n"
    )


def check(services: Sequence[Service], tempo: float = 1.0) -> Script:
    """The scheduled check: look at the first, then at the others at once, act on what is down, look again, report."""
    first, *others = services

    def act(conversation: Conversation) -> Turn:
        found = _findings(conversation, services, "first")
        down = [finding for finding in found if finding.status in ("down", "unreachable")]
        words = "\n".join(f"- **{finding.service}** {finding.detail}" for finding in found[1:])
        if down:
            name = down[0].service
            call = ToolUse("Bash", {"command": f"docker restart {name}", "description": f"Restart {name}"}, "act")
            return _say(tempo, f"{words}\n\n{name} is down. A restart may help; I try whether I may.", call)
        call = ToolUse("Bash", {"command": "uptime", "description": "Load of this machine"}, "act")
        return _say(tempo, f"{words}\n\nNothing is down. I look at the load of this machine too.", call)

    def again(conversation: Conversation) -> Turn:
        done = conversation.result_of("act")
        said = first_line(done.text) if done else "no answer"
        worst = _worst(services, _findings(conversation, services, "first"))
        if done is not None and "docker restart" in done.call.input.get("command", ""):
            words = (
                f"The restart was refused: *{said}*\n\nThat is how it should be: tier 1 observes. "
                f"I look at {worst.name} once more before I report."
                if done.is_error
                else f"The restart went through: *{said}*\n\nI look at {worst.name} once more."
            )
        else:
            words = f"This machine: `{said}`\n\nI look at {worst.name} once more, to be sure of its time."
        return _say(tempo, words, look(worst, f"again-{worst.name}"))

    def conclude(conversation: Conversation) -> Turn:
        found, notes = _conclusion(conversation, services)
        rows = "\n".join(f"| {f.service} | {f.status} | {f.code or '–'} | {f.ms or '–'} |" for f in found)
        table = f"| service | status | HTTP | ms |\n|---|---|---|---|\n{rows}"
        markers = "\n".join(finding.marker for finding in found)
        text = "\n\n".join(["## What I found", table, *notes, markers])
        return _report(conversation, tempo, text, report(found, _summary(found, notes), notes))

    opening = _say(
        tempo,
        f"I check {len(services)} services: {', '.join(service.name for service in services)}. First {first.name}.",
        look(first, f"first-{first.name}"),
        thinking="A service that answers may still be slow, so I want status and time of each.",
    )

    def rest(conversation: Conversation) -> Turn:
        finding = judge(first.name, conversation.result_of(f"first-{first.name}"))
        calls = [look(service, f"first-{service.name}") for service in others]
        return _say(tempo, f"**{first.name}** {finding.detail}. Now the others, both at once.", *calls)

    return [opening, rest, act, again, conclude]


def answer(services: Sequence[Service], tempo: float = 1.0) -> Script:
    """The answer to a prompt of one's own: quotes it, says that the words are scripted, and makes one real call."""

    def pick(conversation: Conversation) -> Service:
        named = (service for service in services if service.name in conversation.prompt.lower())
        return next(named, services[0])

    def quote(conversation: Conversation) -> Turn:
        asked = conversation.prompt.strip()[:QUOTE_CHARS]
        quoted = "\n".join(f"> {line}" for line in asked.splitlines())
        service = pick(conversation)
        words = (
            f"You asked:\n\n{quoted}\n\nIn the demo my words are scripted, so I can't answer that. "
            f"The tools are real: I look at {service.name}."
        )
        return _say(tempo, words, look(service, "look"))

    def tell(conversation: Conversation) -> Turn:
        found = judge(pick(conversation).name, conversation.result_of("look"))
        text = f"**{found.service}** {found.detail}.\n\n{found.marker}"
        summary = f"A scripted answer of the demo. {found.service} {found.detail}."
        return _report(conversation, tempo, text, report([found], summary, []))

    return [quote, tell]


def _findings(conversation: Conversation, services: Sequence[Service], when: str) -> list[Finding]:
    return [judge(service.name, conversation.result_of(f"{when}-{service.name}")) for service in services]


def _worst(services: Sequence[Service], found: Sequence[Finding]) -> Service:
    order = ["healthy", "degraded", "down", "unreachable"]
    place = max(range(len(found)), key=lambda at: (order.index(found[at].status), found[at].ms or 0))
    return services[place]


def _conclusion(conversation: Conversation, services: Sequence[Service]) -> tuple[list[Finding], list[str]]:
    """The last word on each service, and what changed or was refused on the way."""
    notes, latest = [], []
    for finding in _findings(conversation, services, "first"):
        second = conversation.result_of(f"again-{finding.service}")
        last = judge(finding.service, second) if second else finding
        if last.status != finding.status:
            notes.append(f"{finding.service} was {finding.status} at first and {last.status} when looked at again.")
        latest.append(last)
    refused = [r for r in conversation.results if r.is_error and "docker restart" in r.call.input.get("command", "")]
    notes += [f"Refused: `{result.call.input['command']}`." for result in refused]
    return latest, notes


def _summary(found: Sequence[Finding], notes: Sequence[str]) -> str:
    healthy = sum(1 for finding in found if finding.status == "healthy")
    troubled = [f"{finding.service} {finding.detail}" for finding in found if finding.status != "healthy"]
    return " ".join([f"{healthy} of {len(found)} services are healthy.", *(f"{text}." for text in troubled), *notes])


def _say(tempo: float, words: str, *calls: ToolUse, thinking: str = "") -> Turn:
    blocks: list[Block] = [Thinking(thinking)] if thinking else []
    blocks += [Text(words), *calls]
    return _paced(tempo, blocks)


def _report(conversation: Conversation, tempo: float, text: str, output: dict[str, object]) -> Turn:
    """The last turn: with a schema the CLI offers a tool to report by, without one the words are the end."""
    calls = [ToolUse(REPORT_TOOL, output)] if REPORT_TOOL in conversation.tools else []
    return _paced(tempo, [Text(text), *calls])


def _paced(tempo: float, blocks: Sequence[Block]) -> Turn:
    words = sum(len(str(block.input if isinstance(block, ToolUse) else block.text)) for block in blocks) // 4
    return Turn(
        blocks, before_s=2.8 * tempo, pace_s=0.11 * tempo, input_tokens=420, output_tokens=words, cache_read_tokens=9800
    )
