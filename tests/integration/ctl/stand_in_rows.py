"""What the stand-in worker answers about triggers, limits and knowledge: plain lists in JSON files, one a noun.

A test writes the rows it wants; a request that changes something writes them back, so that the next worker on the same
socket knows it too. Lists come as the real handlers give them: newest first, below an id; what waits in another order.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from ipc.errors import CallError, Code
from ipc.messages import knowledge, limits, repositories, sessions, triggers
from ipc.messages.envelope import Done, Reply, Request
from schema.knowledge import Event, Memory
from schema.limits import Approval, ApprovalRule, AuditEntry, Cooldown, FoundCommand
from schema.sessions import Session
from schema.triggers import QueuedTrigger

Row = dict[str, Any]
NOW = "2026-01-31T08:05:00.000Z"
VERDICTS = {"docker ps": "allow", "docker restart web": "ask", "docker rm web": "deny", "docker x": "perhaps"}


class Rows:
    """The nouns' rows, and the answers from them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def load(self, noun: str) -> list[Row]:
        path = self.directory / f"{noun}.json"
        return list(json.loads(path.read_text())) if path.exists() else []

    def save(self, noun: str, rows: list[Row]) -> None:
        new = self.directory / f"{noun}.json.new"
        new.write_text(json.dumps(rows))
        new.rename(self.directory / f"{noun}.json")

    def page(self, noun: str, request: Any, **wanted: object) -> list[Row]:
        below = request.before or 2**62
        found = [
            row
            for row in sorted(self.load(noun), key=lambda row: -row["id"])
            if row["id"] < below and all(value in (None, "", row.get(name)) for name, value in wanted.items())
        ]
        return found[: request.limit]

    def one(self, noun: str, id_: int) -> Row:
        for row in self.load(noun):
            if row["id"] == id_:
                return row
        raise CallError(Code.NOT_FOUND, f"{noun}: there is no {id_}")

    def put(self, noun: str, row: Row) -> Row:
        self.save(noun, [*(other for other in self.load(noun) if other["id"] != row["id"]), row])
        return row

    def answer(self, request: Request) -> Reply | None:
        """The reply, or None if this is about something else."""
        match request:
            case sessions.ShowChain():
                return sessions.SessionsReply(sessions=msgspec.convert(self.load("chain"), list[Session]))
            case triggers.AddTrigger() | triggers.CancelTrigger() | triggers.ListTriggers():
                return self.about_triggers(request)
            case limits.ListApprovals() | limits.ShowApproval() | limits.Decide():
                return self.about_approvals(request)
            case limits.ListRules():
                rules = [row for row in self.load("rules") if request.all or not row.get("revoked_at")]
                return limits.RulesReply(rules=msgspec.convert(rules, list[ApprovalRule]))
            case limits.RevokeRule():
                rule = self.put("rules", {**self.one("rules", request.id), "revoked_at": NOW, "revoked_by": request.by})
                return limits.RuleReply(rule=msgspec.convert(rule, ApprovalRule))
            case limits.ListCooldowns() | limits.ClearCooldown():
                rows = [row for row in self.load("cooldowns") if row["service"] != getattr(request, "service", "")]
                self.save("cooldowns", rows)
                return limits.CooldownsReply(cooldowns=msgspec.convert(rows, list[Cooldown]))
            case limits.ListAudit():
                rows = self.page("audit", request, action=request.action, session_id=request.session_id)
                return limits.AuditReply(entries=msgspec.convert(rows, list[AuditEntry]))
            case limits.CheckCommand():
                return self.judge(request)
            case repositories.ListRepositories():
                mounted = msgspec.convert(self.load("repositories"), list[repositories.Repository])
                return repositories.RepositoriesReply(repositories=mounted)
            case repositories.ListServers():
                servers = msgspec.convert(self.load("mcp"), list[repositories.McpServer])
                return repositories.ServersReply(servers=servers, problems=["bad.json: \x1b[31mnot JSON; mend it"])
            case _:
                return self.about_knowledge(request)

    def about_triggers(self, request: Request) -> Reply:
        match request:
            case triggers.AddTrigger():
                same = [row for row in self.load("triggers") if request.key and row.get("key") == request.key]
                if same:
                    row = self.put("triggers", {**same[0], "merged": same[0].get("merged", 0) + 1})
                    return triggers.TriggerReply(trigger=msgspec.convert(row, QueuedTrigger), merged=True)
                given = {"kind": request.kind, "tier": request.tier, "prompt": request.prompt, "key": request.key}
                times = {"created_at": NOW, "updated_at": NOW, "requested_by": request.by}
                row = {"id": 77, "status": "waiting", "priority": 1, "reason": "tier 1 is busy", **given, **times}
                return triggers.TriggerReply(trigger=msgspec.convert(self.put("triggers", row), QueuedTrigger))
            case triggers.CancelTrigger():
                row = self.one("triggers", request.id)
                if row["status"] != "waiting":
                    raise CallError(Code.CONFLICT, f"trigger {request.id} is {row['status']}; it can't be cancelled")
                row = self.put("triggers", {**row, "status": "cancelled", "reason": f"by {request.by}"})
                return triggers.TriggerReply(trigger=msgspec.convert(row, QueuedTrigger))
            case triggers.ListTriggers():
                rows = self.page("triggers", request, status=request.status)
                waiting = [row for row in self.load("triggers") if row["status"] == "waiting"]
                if request.status == "waiting":
                    rows = sorted(waiting, key=lambda row: (row["priority"], row["id"]))[: request.limit]
                found = msgspec.convert(rows, list[QueuedTrigger])
                return triggers.TriggersReply(triggers=found, waiting=len(waiting))
        raise AssertionError(request)

    def about_approvals(self, request: Request) -> Reply:
        match request:
            case limits.ListApprovals():
                rows = self.page("approvals", request, status=request.status)
                if request.status == "waiting":
                    rows.sort(key=lambda row: row["expires_at"])
                return limits.ApprovalsReply(approvals=msgspec.convert(rows, list[Approval]))
            case limits.ShowApproval():
                return limits.ApprovalReply(approval=msgspec.convert(self.one("approvals", request.id), Approval))
            case limits.Decide():
                row = self.one("approvals", request.id)
                if row["status"] != "waiting":
                    first = f"{row['decided_by']} was first: {row['status']} at {row['decided_at']}"
                    raise CallError(Code.CONFLICT, first, {"by": row["decided_by"], "status": row["status"]})
                if request.remember:
                    self.put("rules", {**msgspec.to_builtins(request.remember), "id": 9, "created_by": request.by})
                decided = {"decided_at": NOW, "decided_by": request.by, "answer": request.reason or None}
                row = {**row, **decided, "status": "approved" if request.approve else "denied"}
                return limits.ApprovalReply(approval=msgspec.convert(self.put("approvals", row), Approval))
        raise AssertionError(request)

    def judge(self, request: limits.CheckCommand) -> Reply:
        (self.directory / "judged").write_text(json.dumps([request.tier, request.command]))
        if request.command == "refuse":
            raise CallError(Code.INVALID, "the command can't be read; shorten it")
        decision = VERDICTS.get(request.command, "deny")
        found = [FoundCommand(kind="restart", text=request.command, target="web\x1b[2J", through=("sudo", "ssh"))]
        return limits.JudgementReply(decision=decision, reason="it restarts web", rule="docker.restart", found=found)

    def about_knowledge(self, request: Request) -> Reply | None:
        match request:
            case knowledge.ListEvents():
                wanted = {"level": request.level, "service": request.service, "session_id": request.session_id}
                rows = self.page("events", request, **wanted)
                return knowledge.EventsReply(events=msgspec.convert(rows, list[Event]))
            case knowledge.ListMemories():
                rows = [
                    row
                    for row in self.load("memories")
                    if (request.all or row["active"])
                    and request.service in ("", row["service"])
                    and request.category in ("", row["category"])
                    and row["id"] > (request.above or 0)
                ]
                found = msgspec.convert(rows[: min(request.limit, 1000)], list[Memory])
                return knowledge.MemoriesReply(memories=found)
            case knowledge.AddMemory():
                given = {key: value for key, value in msgspec.to_builtins(request).items() if key != "by"}
                row = {"id": 5, "active": True, "created_at": NOW, "updated_at": NOW, **given}
                return self.memory(self.put("memories", row))
            case knowledge.ChangeMemory():
                given = {
                    k: v for k, v in msgspec.to_builtins(request).items() if k not in ("by", "id") and v is not None
                }
                return self.memory(self.put("memories", {**self.one("memories", request.id), **given}))
            case knowledge.DeleteMemory():
                gone = self.one("memories", request.id)
                self.save("memories", [row for row in self.load("memories") if row != gone])
                return Done()
            case knowledge.ListHealth():
                services = msgspec.convert(self.load("health"), list[knowledge.ServiceHealth])
                return knowledge.HealthReply(services=services)
            case _:
                return None

    def memory(self, row: Row) -> Reply:
        return knowledge.MemoryReply(memory=msgspec.convert(row, Memory))
