"""What the demo's script concludes from a real `curl`: status, code and time, read from what curl printed. Pure.

Called by `daemon.demo.script`.
"""

import json
import re
from dataclasses import dataclass

from daemon.demo.services import Service
from daemon.demo.turns import Json, ToolResult, ToolUse

SLOW_MS = 500
MEASURED = re.compile(r"^status=(\d{3}) time=([\d.]+)s$", re.MULTILINE)
LEVEL = {"healthy": "info", "degraded": "warning", "down": "critical", "unreachable": "critical"}


@dataclass(frozen=True)
class Finding:
    """One look at one service. `status` is healthy, degraded, down or unreachable; `ms` is None without an answer."""

    service: str
    status: str
    detail: str
    code: int | None = None
    ms: int | None = None

    @property
    def level(self) -> str:
        """The level of the event that tells of it."""
        return LEVEL[self.status]

    @property
    def marker(self) -> str:
        """The event as a line of the transcript."""
        return f"[EVENT:{self.level}:{self.service}] {self.detail}"


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


def report(findings: list[Finding], summary: str, notes: list[str]) -> Json:
    """The structured output of a session: the shape of daemon/prompts/agent-response.json."""
    bad = [finding for finding in findings if finding.status in ("down", "unreachable")]
    escalation: Json = {"needed": bool(bad)}
    if bad:
        escalation["reason"] = "; ".join(f"{f.service} {f.detail}" for f in bad) + ". Tier 1 only observes."
    events = [{"level": f.level, "service": f.service, "message": f.detail} for f in findings]
    return {
        "summary": summary,
        "events": events + [{"level": "info", "message": note} for note in notes],
        "escalation": escalation,
        "services_checked": [{"name": f.service, "status": f.status, "detail": f.detail} for f in findings],
    }


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
