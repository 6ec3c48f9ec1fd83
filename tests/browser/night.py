"""A night in rows: a chain of two tiers, calls that wait, a queue, events, memories; for pictures and accessibility."""

import json
import time
from typing import Any, NamedTuple

from schema import timestamps
from tests.integration.webui import rows
from tests.integration.webui.stand_in import StandIn

STAMP = "2026-01-31T08:05:00.000000000Z\t"
SSH = "ssh -o BatchMode=yes db-2.example.net 'sudo systemctl restart postgresql@15-main.service' && docker restart web"
FAILED = ("retrying", "given_up")
HANDED = "payments refuses connections since 01:40.\nIts database answers; the pool is exhausted.\nA restart may help."


class Night(NamedTuple):
    """Ids of what there is."""

    first: int
    second: int
    waiting: int
    remote: int
    decided: int
    memory: int


def line(*blocks: dict[str, Any], kind: str = "assistant") -> bytes:
    """A line of a log."""
    event = {"type": kind, "message": {"id": str(time.monotonic_ns()), "content": list(blocks)}}
    return (STAMP + json.dumps(event) + "\n").encode()


def use(id_: str, name: str, **given: Any) -> bytes:
    """A tool call."""
    return line({"type": "tool_use", "id": id_, "name": name, "input": given})


def gave(id_: str, text: str, *, error: bool = False) -> bytes:
    """What it gave back."""
    return line({"type": "tool_result", "tool_use_id": id_, "content": text, "is_error": error}, kind="user")


def todo(id_: str, done: int) -> bytes:
    """A checklist."""
    names = ("Look at the pool", "Ask for a restart", "Check that it answers")
    states = ["completed"] * done + ["in_progress"] + ["pending"] * 3
    listed = [{"content": name, "status": state} for name, state in zip(names, states, strict=False)]
    return use(id_, "TodoWrite", todos=listed) + gave(id_, "Todos have been modified successfully.")


LOG = b"".join(
    (
        line({"type": "text", "text": "I look at **payments** first."}),
        todo("t1", 0),
        *(use(f"r{n}", "Read", file_path=f"/repos/shop/{n}.yml") + gave(f"r{n}", "x: 1") for n in range(4)),
        use("deny", "Bash", command="docker compose down"),
        gave("deny", "This call was denied: compose down stops every service.", error=True),
        use("ok", "Bash", command="docker restart payments"),
        gave("ok", "payments"),
        todo("t2", 2),
        use("wait", "Bash", command="docker restart web"),
    )
)


def fill(worker: StandIn) -> Night:
    """Writes it."""
    db = worker.database
    _past(worker)
    ago = timestamps.at(time.time() - 900)
    said = "**payments** refuses connections since 01:40 UTC. Its pool is exhausted; a restart may help."
    first = worker.session(tier=1, log=LOG[:400], trigger="scheduled", started_at=ago, cost_usd=0.0142, num_turns=6)
    worker.end(first, "escalated", "handed over to tier 2")
    rows.set_values(db, "sessions", first, summary=said)
    second = worker.session(
        tier=2, log=LOG, trigger="escalation", parent_session_id=first, chain_id=first, context=HANDED,
        model="sonnet", estimated_usd=0.21, num_turns=4, prompt_file="tier2-investigate.md", prompt_text=None,
    )  # fmt: skip
    rows.call(
        db, second, tool_use_id="deny", decision="deny", rule="tier2.disallowed",
        reason="docker compose down stops every service; tier 2 may not.",
    )  # fmt: skip
    rows.call(db, second, tool_use_id="ok", reason="restart of payments: 1 of 2 used in 4 h")
    remote_found = [
        {"kind": "restart", "text": "systemctl restart postgresql@15-main.service", "target": "postgresql",
         "host": "db-2.example.net", "through": ["ssh db-2.example.net", "sudo"]},
        {"kind": "restart", "text": "docker restart web", "target": "web"},
    ]  # fmt: skip
    soon = timestamps.at(time.time() + 260)
    remote = rows.approval(
        db, second, SSH, found=json.dumps(remote_found), expires_at=soon,
        reason="It restarts a service on another host.", rule="host.other",
        words="The database answers, but its connections are stuck; a restart frees them.",
    )  # fmt: skip
    waiting = rows.approval(db, second, tool_use_id="wait")
    decided = rows.approval(
        db, second, "helm upgrade web ./chart", status="denied", decided_at=ago, decided_by="bob",
        answer="Not before the release is done.",
    )  # fmt: skip
    rows.rule(db, "docker restart *", tier=2, expires_at=timestamps.at(time.time() + 80000), reason="known good")
    rows.rule(db, "helm upgrade web ./chart", revoked_at=ago, revoked_by="bob")
    why = f"tier 2 is busy with session {second}"
    rows.trigger(db, tier=2, prompt="Why is search slow since noon?", requested_by="ada", reason=why, merged=3)
    rows.trigger(db, tier=1, kind="scheduled", priority=30, prompt="", key="scheduled", reason="quiet until 06:30")
    rows.trigger(db, kind="alert", status="started", session_id=first, prompt="Disk of db-2 at 91 %", key="alert:disk")
    rows.trigger(db, tier=3, status="refused", reason="tier 3 is above CLAUDEOPS_MAX_TIER, which is 2")
    person = "Needs human attention: payments: its certificate has expired, and no tier may renew it."
    rows.event(db, person, level="critical", service="payments", session_id=second)
    rows.event(db, "The pool of payments is exhausted.", level="warning", service="payments", session_id=first)
    rows.event(db, "All other services answer.", session_id=first)
    memory = rows.memory(db, "The first request after a deploy takes 8 s.", service="web", confidence=0.8)
    rows.memory(db, "Needs its database before it starts.", service="payments", category="dependency", confidence=0.6)
    rows.memory(db, "Restarting helps for an hour at most.", service="payments", category="remediation", active=0)
    rows.memory(db, "Deploys happen on Tuesdays.", category="schedule")
    rows.action(db, "payments", session_id=second)
    rows.action(db, "search", success=0, error="exit 1: no such container", session_id=first, tier=1)
    rows.audit(db, "call.deny", "docker compose down", session_id=second, rule="tier2.disallowed", detail="denied")
    rows.audit(db, "call.allow", "docker restart payments", session_id=second, rule="cooldown", detail="1 of 2 in 4 h")
    rows.audit(db, "approval.denied", "helm upgrade web ./chart", actor="bob", session_id=second)
    rows.audit(
        db, "call.allow", "StructuredOutput " + '{"summary": "all is well"} ' * 40, session_id=second, rule="reads"
    )
    _told(worker, second, remote)
    return Night(first, second, waiting, remote, decided, memory)


def _told(worker: StandIn, session: int, approval: int) -> None:
    """What people were told, by two channels, one of which fails."""
    db, now = worker.database, timestamps.now()
    certificate = "payments: its certificate has expired, and no tier may renew it."
    for kind, level, title, link, statuses in (
        ("digest", "info", "The day: 5 sessions, $0.38, 4 of 6 services healthy", "/", ("sent", "sent")),
        ("attention", "critical", certificate, f"/sessions/{session}", ("given_up", "sent")),
        (
            "approval",
            "warning",
            "Session 121 asks to run a command",
            f"/approvals/{approval}",
            ("retrying", "suppressed"),
        ),
    ):
        id_ = rows.insert(
            db, "notifications", kind=kind, level=level, title=title, link=link, created_at=now, routed_at=now
        )
        for channel, status in zip(("slack-3f2a", "mailto-1a2b"), statuses, strict=True):
            rows.insert(
                db, "deliveries", notification_id=id_, channel=channel, status=status, urgent=0, attempts=3,
                since=now, next_at=now, changed_at=now, error="HTTP 503" if status in FAILED else None,
            )  # fmt: skip


def _past(worker: StandIn) -> None:
    """Three weeks in which services were looked at each hour, and sessions cost money."""
    db, hour = worker.database, 3600.0
    since = timestamps.at(time.time() - 1.4 * hour)
    rows.health(db, "payments", "down", since=since)
    rows.health(db, "search", "degraded", since=timestamps.at(time.time() - 5 * hour))
    for name in ("catalog", "checkout-api", "shop", "a-service-with-a-name-that-is-rather-long.example.org"):
        rows.health(db, name, "healthy", healthy=9, since=timestamps.at(time.time() - 300 * hour))
    for number in range(500, -1, -1):
        if number % 41 < 2:
            continue
        word = "down" if number < 2 or number % 97 < 3 else "degraded" if number % 53 == 0 else "healthy"
        detail = "HTTP 503: the pool is exhausted" if word == "down" else None
        ago = number * hour + 600
        rows.check(
            db, "payments", word, ago, error_detail=detail, response_time_ms=80 + number * 7 % 60
        )  # fmt: skip
        if number < 40:
            rows.check(db, "search", "degraded" if number < 6 else "healthy", ago, error_detail="p95 is 4.1 s")
            for name in ("catalog", "checkout-api", "shop"):
                rows.check(db, name, "healthy", ago)
    for number in range(119, 0, -1):
        tier = 1 + (number % 5 == 0) + (number % 20 == 0)
        begun = timestamps.at(time.time() - number * 5.9 * hour)
        worker.session(
            tier=tier, status="completed", trigger="escalation" if tier > 1 else "scheduled", started_at=begun,
            model=("haiku", "sonnet", "opus")[tier - 1], cost_usd=tier * tier * (0.02 + number % 7 / 60),
        )  # fmt: skip
    db.script("UPDATE sessions SET ended_at = strftime('%Y-%m-%dT%H:%M:%S.000Z', started_at, '+95 seconds')")


def pages(night: Night) -> dict[str, str]:
    """Every page that has to do with decisions, by its name."""
    return {
        "approvals": "/approvals",
        "approval": f"/approvals/{night.remote}",
        "approval-decided": f"/approvals/{night.decided}",
        "approve": f"/approvals/{night.remote}/approve",
        "deny": f"/approvals/{night.waiting}/deny",
        "rules": "/approvals/rules",
        "triggers": "/triggers",
        "chain": f"/chains/{night.first}",
        "awaiting": f"/sessions/{night.second}",
        "cooldowns": "/cooldowns",
        "clear": "/cooldowns/clear?service=web",
        "events": "/events",
        "memories": "/memories?shown=all",
        "memory": f"/memories/{night.memory}",
        "mcp": "/mcp",
        "repositories": "/repositories",
        "audit": "/audit",
        "users": "/users",
        "services": "/services",
        "service": "/services/payments",
        "service-24h": "/services/payments?range=24h",
        "cost": "/cost",
        "overview-night": "/",
    }
