"""What the demo's scripts conclude from a real `curl`: status, code and time, read from what curl printed. Pure.

Called by `daemon.demo.observe`, `.repair` and `.answer`.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from daemon.demo.services import Service
from daemon.demo.turns import Json, ToolResult, ToolUse

SLOW_MS = 500
MEASURED = re.compile(r"^status=(\d{3}) time=([\d.]+)s$", re.MULTILINE)
LEVEL = {"healthy": "info", "degraded": "warning", "down": "critical", "unreachable": "critical"}
WORST_LAST = ("healthy", "degraded", "down", "unreachable")


@dataclass(frozen=True)
class Finding:
    """One look at one service. `status` is one of WORST_LAST; `ms` is None without an answer."""

    service: str
    status: str
    detail: str
    code: int | None = None
    ms: int | None = None

    @property
    def is_bad(self) -> bool:
        """Whether somebody has to do something."""
        return self.status in ("down", "unreachable")

    @property
    def note(self) -> "Note":
        """The event that tells of it."""
        return Note(LEVEL[self.status], self.detail, self.service)

    @property
    def sentence(self) -> str:
        """It in words."""
        return f"{self.service} {self.detail}"


@dataclass(frozen=True)
class Note:
    """Something worth an event, besides what is found of a service or about it."""

    level: str
    message: str
    service: str = ""

    @property
    def marker(self) -> str:
        """The event as a line of the transcript."""
        return f"[EVENT:{self.level}{f':{self.service}' if self.service else ''}] {self.message}"

    def json(self) -> Json:
        """The event as the structured output has it."""
        return {"level": self.level, "message": self.message, **({"service": self.service} if self.service else {})}


@dataclass(frozen=True)
class Memory:
    """Something that the next session should know. The same words each time reinforce it."""

    service: str
    category: str
    observation: str

    @property
    def marker(self) -> str:
        """It as a line of the transcript."""
        return f"[MEMORY:{self.category}:{self.service}] {self.observation}"

    def json(self) -> Json:
        """It as the structured output has it."""
        return {"key": f"{self.service}:{self.category}", "value": self.observation}


def look(service: Service, call_id: str) -> ToolUse:
    """The call that looks at a service: curl prints the body, then status and time on a line of their own."""
    command = f"curl -sS -m 5 -w '\\nstatus=%{{http_code}} time=%{{time_total}}s\\n' {service.url}"
    return ToolUse("Bash", {"command": command, "description": f"Look at {service.name}"}, call_id)


def judge(name: str, result: ToolResult | None) -> Finding:
    """What curl's output says about the service. A call that didn't run is "unreachable", and the detail says why."""
    if result is None:
        return Finding(name, "unreachable", "was not looked at: the call got no answer")
    measured = MEASURED.search(result.text)
    if measured is None:
        return Finding(name, "unreachable", f"can't be looked at: {first_line(result.text)}")
    code, ms = int(measured[1]), round(float(measured[2]) * 1000)
    if code == 0:
        return Finding(name, "unreachable", f"gives no answer within {ms} ms", None, None)
    said = f"HTTP {code} in {ms} ms"
    body = _cause(result.text.partition("\nstatus=")[0])
    if code >= 500:
        return Finding(name, "down", f"answers {said}: {body}", code, ms)
    if code >= 400:
        return Finding(name, "degraded", f"answers {said}: {body}", code, ms)
    if ms > SLOW_MS:
        return Finding(name, "degraded", f"is slow: {said}, more than {SLOW_MS} ms", code, ms)
    return Finding(name, "healthy", f"is healthy: {said}", code, ms)


def handing_on(findings: Sequence[Finding], context: str) -> Json:
    """The escalation of a report that hands on what is down. `context`: what the next tier must know."""
    bad = [finding for finding in findings if finding.is_bad]
    return {
        "needed": True,
        "reason": "; ".join(finding.sentence for finding in bad) + ".",
        "context": context,
        "failed_checks": [f"http {finding.service}" for finding in bad],
    }


def report(
    findings: Sequence[Finding],
    summary: str,
    notes: Sequence[Note] = (),
    memories: Sequence[Memory] = (),
    escalation: Json | None = None,
) -> Json:
    """The structured output of a session: the shape of daemon/prompts/agent-response.json."""
    return {
        "summary": summary,
        "events": [note.json() for note in (*(finding.note for finding in findings), *notes)],
        "escalation": escalation or {"needed": False},
        "services_checked": [{"name": f.service, "status": f.status, "detail": f.detail} for f in findings],
        "memories": [memory.json() for memory in memories],
    }


def table(findings: Sequence[Finding]) -> str:
    """The findings for readers, in Markdown."""
    rows = "\n".join(f"| {f.service} | {f.status} | {f.code or '–'} | {f.ms or '–'} |" for f in findings)
    return f"| service | status | HTTP | ms |\n|---|---|---|---|\n{rows}"


def overall(findings: Sequence[Finding]) -> str:
    """The findings in one or two sentences, the worst first."""
    if len(findings) == 1:
        return f"{findings[0].sentence}."
    troubled = [finding for finding in findings if finding.status != "healthy"]
    troubled.sort(key=lambda finding: WORST_LAST.index(finding.status), reverse=True)
    healthy = f"{len(findings) - len(troubled)} of {len(findings)} services are healthy."
    return " ".join([*(f"{finding.sentence}." for finding in troubled), healthy])


def _cause(body: str) -> str:
    """What a failing service says of itself: `cause` of a JSON body, else the body's first line."""
    try:
        found = json.loads(body)
    except ValueError:
        return first_line(body)
    return first_line(str(found["cause"])) if isinstance(found, dict) and "cause" in found else first_line(body)


def first_line(text: str) -> str:
    """The first line that says something, at most 200 characters of it."""
    return next((line.strip()[:200] for line in text.splitlines() if line.strip()), "(nothing)")
