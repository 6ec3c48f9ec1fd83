"""The stand-in worker's answers about the queue, approvals, cooldowns and memories: the protocol's, over real rows."""

import time
from typing import Any

import msgspec

from ipc.errors import CallError, Code
from ipc.messages import knowledge, limits, models, notifications, repositories, triggers
from ipc.messages.envelope import Done, Reply, Request
from schema import timestamps
from schema.database import Database
from schema.knowledge import Memory
from schema.limits import Approval, ApprovalRule, Cooldown
from schema.notifications import Channel
from schema.triggers import from_row
from tests.integration.webui import rows

KINDS: tuple[type[Request], ...] = (
    triggers.CancelTrigger,
    limits.Decide,
    limits.AddRule,
    limits.RevokeRule,
    limits.ListCooldowns,
    limits.ClearCooldown,
    knowledge.AddMemory,
    knowledge.ChangeMemory,
    knowledge.DeleteMemory,
    knowledge.DeleteMemories,
    repositories.ListRepositories,
    repositories.ReadPanel,
    repositories.ListServers,
    models.ListModels,
    notifications.ListNotifications,
    notifications.TestNotification,
    notifications.RetryNotifications,
)
AT = "2026-01-31T08:00:00.000Z"
CHANNELS = [
    Channel(name="slack-3f2a", waiting=2, attempts=3, next_at=AT, error="refused <b>", says="its last attempt failed"),
    Channel(name="mailto-1a2b", sent_at=AT, given_up=1),
]


def one(database: Database, query: str, id_: int, kind: Any) -> Any:
    """A row as the struct of its columns that the struct has."""
    row = database.one(query, id=id_)
    if row is None:
        raise CallError(Code.NOT_FOUND, f"there is no {id_}")
    names = set(kind.__struct_fields__)
    return msgspec.convert({name: value for name, value in row.items() if name in names}, kind, strict=False)


def bare_answer(request: Request) -> Reply | None:
    """What a daemon tells that is new; None for what it does not make up."""
    match request:
        case limits.ListCooldowns():
            return limits.CooldownsReply(cooldowns=[])
        case models.ListModels():
            return models.ModelsReply(models=[], refreshed_at=None, available=False)
        case notifications.ListNotifications():
            return notifications.NotificationsReply(channels=[], notifications=[], problems=[])
        case repositories.ListRepositories():
            return repositories.RepositoriesReply(repositories=[])
        case repositories.ListServers():
            return repositories.ServersReply(servers=[], problems=[])
    return None


def answer(database: Database, request: Request, *, bare: bool = False) -> Reply:
    """The reply to one request of KINDS."""
    if bare and (nothing := bare_answer(request)) is not None:
        return nothing
    now = timestamps.now()
    match request:
        case triggers.CancelTrigger():
            if not database.change("triggers.cancel", id=request.id, reason=f"cancelled by {request.by}", now=now):
                raise CallError(Code.CONFLICT, "it does not wait any more")
            return triggers.TriggerReply(trigger=from_row(database.one("triggers.by_id", id=request.id) or {}))
        case limits.Decide():
            return _decide(database, request)
        case limits.AddRule():
            return limits.RuleReply(rule=_rule(database, request.rule, request.by))
        case limits.RevokeRule():
            rows.set_values(database, "approval_rules", request.id, revoked_at=now, revoked_by=request.by)
            return limits.RuleReply(rule=one(database, "pages.rule", request.id, ApprovalRule))
        case limits.ListCooldowns() | limits.ClearCooldown():
            later = timestamps.at(time.time() + 3000)
            each: dict[str, Any] = {"action": "restart", "limit": 2, "window_s": 14400}
            used = Cooldown(service="web", used=1, blocked=False, last_at=now, **each)
            full = Cooldown(service="search", used=2, blocked=True, resets_at=later, **each)
            return limits.CooldownsReply(cooldowns=[used, full])
        case knowledge.AddMemory():
            id_ = rows.memory(database, request.observation, category=request.category, service=request.service or None)
            return knowledge.MemoryReply(memory=one(database, "pages.memory", id_, Memory))
        case knowledge.ChangeMemory():
            names = ("observation", "category", "service", "confidence", "active")
            given = {name: getattr(request, name) for name in names if getattr(request, name) is not None}
            if "active" in given:
                given["active"] = int(given["active"])
            rows.set_values(database, "memories", request.id, **given)
            return knowledge.MemoryReply(memory=one(database, "pages.memory", request.id, Memory))
        case knowledge.DeleteMemory():
            database._connection.execute("DELETE FROM memories WHERE id = ?", (request.id,))
            return Done()
        case knowledge.DeleteMemories():
            there = [id_ for id_ in request.ids if database.one("pages.memory", id=id_)]
            for id_ in there:
                database._connection.execute("DELETE FROM memories WHERE id = ?", (id_,))
            return knowledge.DeletedReply(deleted=len(there), missing=len(request.ids) - len(there))
        case models.ListModels():
            return models.ModelsReply(models=["claude-haiku-4-5", "claude-opus-4-6"], refreshed_at=AT, available=True)
        case notifications.ListNotifications():
            problems = ["part 2 is no URL"]
            return notifications.NotificationsReply(channels=CHANNELS, notifications=[], problems=problems)
        case notifications.TestNotification():
            return notifications.TestedReply(id=3, channels=["slack-3f2a"])
        case notifications.RetryNotifications():
            return notifications.RetriedReply(retried=1)
        case repositories.ListRepositories():
            return repositories.RepositoriesReply(repositories=REPOSITORIES)
        case repositories.ReadPanel():
            if request.repository != "shop" or request.name not in PANELS:
                raise CallError(Code.NOT_FOUND, f"{request.repository} has no panel {request.name}.")
            return repositories.PanelReply(
                repository=request.repository,
                name=request.name,
                html=PANELS[request.name],
                modified_at=now,
                scripts=request.name == SCRIPTED,
            )
        case repositories.ListServers():
            return repositories.ServersReply(servers=SERVERS, problems=["shop: .claude-ops/mcp.json is no JSON"])
    raise AssertionError(request)


def _rule(database: Database, rule: ApprovalRule, by: str) -> ApprovalRule:
    names = ("decision", "tool", "pattern", "host", "tier", "reason", "expires_at")
    values = {name: getattr(rule, name) for name in names if name != "pattern"}
    id_ = rows.rule(database, rule.pattern, **values, created_by=by)
    found: ApprovalRule = one(database, "pages.rule", id_, ApprovalRule)
    return found


def _decide(database: Database, request: limits.Decide) -> Reply:
    approval: Approval = one(database, "pages.approval", request.id, Approval)
    if approval.status != "waiting":
        raise CallError(Code.CONFLICT, f"it was {approval.status} by {approval.decided_by}")
    status = "approved" if request.approve else "denied"
    rows.set_values(
        database,
        "approvals",
        request.id,
        status=status,
        decided_at=timestamps.now(),
        decided_by=request.by,
        answer=request.reason or None,
    )
    if request.remember is not None:
        _rule(database, request.remember, request.by)
    return limits.ApprovalReply(approval=one(database, "pages.approval", request.id, Approval))


SCRIPTED = "scripted.html"  # answered as with CLAUDEOPS_PANEL_SCRIPTS
PLAIN = """<!doctype html><html lang="en"><title>Disk usage</title>
<style>body { font: 16px/1.5 sans-serif; margin: 16px } td { padding: 4px 16px 4px 0 }</style>
<h1>Disk usage</h1><table><tr><td>db-2</td><td>91 %</td></tr><tr><td>web-1</td><td>40 %</td></tr></table></html>"""
# A panel that tries what it may not: to run, to load, to send, to lead away.
HOSTILE = """<!doctype html><html lang="en"><title>Hostile</title>
<p id="said">static</p><img src="/static/favicon.svg" alt="">
<form action="/sign-out" method="post"><button>Go</button></form><a href="/sessions" target="_top">sessions</a>
<script>
const said = document.querySelector("#said"), say = (text) => { said.textContent += text };
say(" ran");
try { say(document.cookie) } catch { say(", no cookie") }
try { say(parent.document.title) } catch { say(", no parent") }
fetch("/sessions.json").then(() => say(", fetched"), () => say(", no fetch"));
</script></html>"""
PANELS = {"disk-usage.html": PLAIN, "hostile.html": HOSTILE, SCRIPTED: HOSTILE}
REPOSITORIES = [
    repositories.Repository(
        name="shop", path="/repos/shop", runbook=True, checks=("http.md", "dns.md"), playbooks=("restart.md",),
        panels=("disk-usage.html",),
        problem=".claude-ops/mcp.json is no JSON and is left out",
    ),
    repositories.Repository(name="empty", path="/repos/empty"),
]  # fmt: skip
SERVERS = [
    repositories.McpServer(
        name="grafana", source="shop", command="npx grafana-mcp", replaces="baseline", status="connected", tools=12,
        seen_at="2026-01-31T08:05:00.000Z",
    ),
    repositories.McpServer(name="docker", source="baseline", command="docker-mcp", refused="it has no command"),
]  # fmt: skip
