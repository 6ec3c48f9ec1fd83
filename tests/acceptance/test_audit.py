"""Whatever people and programs change is a line of the audit log, with who did it: every address, every command."""

import os
import re
import urllib.parse
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ipc.asker import unix_user
from ipc.ctl.commands import COMMANDS
from schema.audit_actions import Action
from tests.acceptance.audited import CHANNEL_URL, Asker, Line, Seeds, fill, form, given_up, hanging, log
from tests.acceptance.harness import Daemon, wait_for
from webui import routes

PASSWORD = "another horse battery"
MODEL = "claude-ops-tier3"
# What changes nothing, and why.
ASKS_ANEW = "asks another program for its list once more"
CHANGES_NOTHING = {
    ("POST", "/api/v1/models/available/refresh"): ASKS_ANEW,
    ("POST", "/config/models/refresh"): ASKS_ANEW,
}
# What is done to services is followed by tests/integration/services, to status pages by
# tests/integration/webui/test_status_pages.py: they read the lines that it leaves.
OF_SERVICES = re.compile(
    r"(/api/v1)?/(services|incidents|maintenance|status-pages|heartbeat)(/|$)"
    r"|(services|incidents|maintenance|status-pages) "
)
# Forms of people alone, each with whom its line names.
DOORS = {("POST", "/sign-in"), ("POST", "/sign-out"), ("POST", "/setup"), ("POST", "/password")}
READS = {
    "status", "sessions list", "sessions show", "sessions chain", "sessions tail", "triggers list", "approvals list",
    "approvals show", "approvals rules", "cooldowns", "audit list", "audit verify", "check-command", "events list",
    "memories list", "memories export", "health", "cost", "repositories", "mcp", "notifications list", "users list",
    "token list", "config list", "config get", "logs", "export", "doctor", "completion", "version",
}  # fmt: skip
OFFLINE = {"restore": "no daemon runs that could write; what was there is kept beside it, with its log"}


class Ask(NamedTuple):
    """One request, and the line that has to come of it."""

    path: str
    body: Any
    action: Action


def changing() -> set[tuple[str, str]]:
    """Every address that may change something, as the table has it."""
    found = {(route.method, re.sub(":[^}]+", "", route.path)) for route in routes.TABLE if route.method != "GET"}
    return {(method, path) for method, path in found if not OF_SERVICES.match(path)}


@pytest.fixture
def daemon(tmp_path: Path) -> Any:
    """One with a channel, whose chats wait for nobody."""
    made = Daemon(tmp_path / "d", CLAUDEOPS_APPRISE_URLS=CHANNEL_URL)
    yield made
    made.close()


def asks(daemon: Daemon, seeds: Seeds, sessions: list[int], told: list[int], waiting: list[int]) -> Any:
    """A request for each address, in an order in which each can be carried out."""
    approvals, rules, memories = seeds
    channel = {"channel": ""}
    chat = {"model": MODEL, "messages": [{"role": "user", "content": "{}"}], "stream": False}
    page = {
        "/triggers": Ask("/triggers", {"prompt": "look at db"}, Action.TRIGGER_ADDED),
        "/triggers/{id}/cancel": Ask(f"/triggers/{waiting[0]}/cancel", {}, Action.TRIGGER_CANCELLED),
        "/approvals/{id}/approve": Ask(f"/approvals/{approvals[0]}/approve", {}, Action.APPROVAL_APPROVED),
        "/approvals/{id}/deny": Ask(f"/approvals/{approvals[1]}/deny", {"reason": "no"}, Action.APPROVAL_DENIED),
        "/approvals/rules": Ask("/approvals/rules", {"decision": "deny", "pattern": "rm *"}, Action.RULE_ADDED),
        "/approvals/rules/{id}/revoke": Ask(f"/approvals/rules/{rules[0]}/revoke", {}, Action.RULE_REVOKED),
        "/cooldowns/clear": Ask("/cooldowns/clear", {"service": "web"}, Action.COOLDOWN_RESET),
        "/memories": Ask("/memories", {"category": "timing", "observation": "db is slow"}, Action.MEMORY_ADDED),
        "/memories/{id}": Ask(
            f"/memories/{memories[0]}",
            {"category": "timing", "observation": "web is slow", "confidence": "0.9", "active": "1"},
            Action.MEMORY_CHANGED,
        ),
        "/memories/{id}/update": Ask(
            f"/memories/{memories[0]}/update",
            {"category": "timing", "observation": "web is slower yet", "confidence": "0.9", "active": "1"},
            Action.MEMORY_CHANGED,
        ),
        "/memories/{id}/delete": Ask(f"/memories/{memories[1]}/delete", {}, Action.MEMORY_DELETED),
        "/memories/delete": Ask("/memories/delete", {"ids": str(memories[4])}, Action.MEMORY_DELETED),
        "/notifications/test": Ask("/notifications/test", channel, Action.NOTIFICATION_TEST),
        "/notifications/retry": Ask("/notifications/retry", {**channel, "id": str(told[0])}, Action.NOTIFICATION_RETRY),
        "/users": Ask("/users", {"name": "bo", "role": "viewer"}, Action.USER_ADDED),
        "/users/{id}/role": Ask("/users/2/role", {"role": "operator"}, Action.USER_ROLE),
        "/users/{id}/disable": Ask("/users/2/disable", {}, Action.USER_DISABLED),
        "/users/{id}/enable": Ask("/users/2/enable", {}, Action.USER_ENABLED),
        "/users/{id}/password-link": Ask("/users/2/password-link", {}, Action.USER_PASSWORD_LINK),
        "/users/tokens": Ask("/users/tokens", {"name": "grafana", "role": "viewer"}, Action.TOKEN_CREATED),
        "/users/tokens/{id}/revoke": Ask("/users/tokens/2/revoke", {}, Action.TOKEN_REVOKED),
        "/config": Ask("/config", {"interval": "700"}, Action.SETTING_CHANGED),
        "/config/{name}": Ask("/config/interval", {"value": "800"}, Action.SETTING_CHANGED),
        "/config/{name}/reset": Ask("/config/interval/reset", {}, Action.SETTING_RESET),
        "/sessions/{id}/stop": Ask(f"/sessions/{sessions[0]}/stop", {}, Action.SESSION_STOPPED),
        "/sessions/trigger": Ask("/sessions/trigger", {"prompt": "{}", "tier": "3"}, Action.SESSION_STARTED),
    }
    api = {
        "/v1/chat/completions": Ask("/v1/chat/completions", chat, Action.TRIGGER_ADDED),
        "/api/chat": Ask("/api/chat", chat, Action.TRIGGER_ADDED),
        "/api/generate": Ask("/api/generate", {"model": MODEL, "prompt": "{}", "stream": False}, Action.TRIGGER_ADDED),
        "/api/v1/sessions/trigger": Ask(
            "/api/v1/sessions/trigger", {"prompt": "{}", "start_tier": 3}, Action.SESSION_STARTED
        ),
        "/api/v1/triggers": Ask("/api/v1/triggers", {"prompt": "look at mail"}, Action.TRIGGER_ADDED),
        "/api/v1/triggers/{id}/cancel": Ask(f"/api/v1/triggers/{waiting[1]}/cancel", None, Action.TRIGGER_CANCELLED),
        "/api/v1/memories": Ask(
            "/api/v1/memories", {"category": "timing", "observation": "mail is slow"}, Action.MEMORY_ADDED
        ),
        "/api/v1/approvals/{id}/approve": Ask(
            f"/api/v1/approvals/{approvals[2]}/approve", None, Action.APPROVAL_APPROVED
        ),
        "/api/v1/approvals/{id}/deny": Ask(f"/api/v1/approvals/{approvals[3]}/deny", None, Action.APPROVAL_DENIED),
        "/api/v1/webhook": Ask("/api/v1/webhook", {"title": "disk full"}, Action.TRIGGER_ADDED),
        "/api/v1/webhooks/{source}": Ask("/api/v1/webhooks/generic", {"title": "cpu hot"}, Action.TRIGGER_ADDED),
        "/api/v1/notifications/test": Ask("/api/v1/notifications/test", None, Action.NOTIFICATION_TEST),
        "/api/v1/notifications/retry": Ask("/api/v1/notifications/retry", {"id": told[1]}, Action.NOTIFICATION_RETRY),
        "/api/v1/rules": Ask("/api/v1/rules", {"decision": "deny", "pattern": "mv *"}, Action.RULE_ADDED),
        "/api/v1/cooldowns/clear": Ask("/api/v1/cooldowns/clear", {"service": "web"}, Action.COOLDOWN_RESET),
        "/api/v1/users": Ask("/api/v1/users", {"name": "mo", "role": "viewer"}, Action.USER_ADDED),
        "/api/v1/users/{id}/role": Ask("/api/v1/users/2/role", {"role": "admin"}, Action.USER_ROLE),
        "/api/v1/users/{id}/disable": Ask("/api/v1/users/2/disable", None, Action.USER_DISABLED),
        "/api/v1/users/{id}/enable": Ask("/api/v1/users/2/enable", None, Action.USER_ENABLED),
        "/api/v1/users/{id}/password-link": Ask("/api/v1/users/2/password-link", None, Action.USER_PASSWORD_LINK),
        "/api/v1/tokens": Ask("/api/v1/tokens", {"name": "board", "role": "viewer"}, Action.TOKEN_CREATED),
        "/api/v1/sessions/{id}/stop": Ask(f"/api/v1/sessions/{sessions[1]}/stop", None, Action.SESSION_STOPPED),
    }
    changed = {"observation": "web is slower", "confidence": 0.8, "active": True}
    return {
        **{("POST", path): ask for path, ask in {**api, **page}.items()},
        ("PUT", "/api/v1/memories/{id}"): Ask(f"/api/v1/memories/{memories[2]}", changed, Action.MEMORY_CHANGED),
        ("DELETE", "/api/v1/memories/{id}"): Ask(f"/api/v1/memories/{memories[3]}", None, Action.MEMORY_DELETED),
        ("DELETE", "/api/v1/rules/{id}"): Ask(f"/api/v1/rules/{rules[1]}", None, Action.RULE_REVOKED),
        ("DELETE", "/api/v1/tokens/{id}"): Ask("/api/v1/tokens/3", None, Action.TOKEN_REVOKED),
        ("PUT", "/api/v1/config"): Ask("/api/v1/config", {"interval": 900}, Action.SETTING_CHANGED),
    }


def prepared(daemon: Daemon, seeds: Seeds) -> Any:
    """The requests, once there is something for each."""
    sessions = [hanging(daemon, tier) for tier in (1, 2)]
    waiting = [daemon.json("triggers", "add", "--prompt", f"wait {number}")["id"] for number in range(2)]
    return asks(daemon, seeds, sessions, given_up(daemon, 2), waiting)


def walked(daemon: Daemon, asker: Asker, wanted: dict[tuple[str, str], Ask]) -> list[str]:
    """The addresses whose request has left no line of who asked."""
    missing = []
    for (method, _), ask in wanted.items():
        before = len(log(daemon))
        status, answer = asker.ask(method, ask.path, ask.body)
        if status == 409 and ask.action is Action.SESSION_STARTED:  # the one before in its tier is about to end
            wait_for(
                lambda: not any(one["tier"] == 3 for one in daemon.json("sessions", "list", "--status", "running"))
            )
            before = len(log(daemon))
            status, answer = asker.ask(method, ask.path, ask.body)
        assert status in (200, 201, 202, 204, 303), (method, ask.path, status, answer[:500])
        lines = [(line.actor, line.action) for line in log(daemon)[before:]]
        if (asker.name, ask.action.value) not in lines:
            missing.append(f"{method} {ask.path}: {lines}")
    return missing


def test_every_address_that_changes_something_leaves_a_line_with_the_person(daemon: Daemon) -> None:
    seeds = fill(daemon)
    daemon.start().sign_in()
    daemon.json("token", "create", "--name", "first", "--role", "viewer")
    wanted = prepared(daemon, seeds)
    assert set(wanted) | DOORS | set(CHANGES_NOTHING) == changing()
    ada = Asker(daemon, "ada")
    assert walked(daemon, ada, wanted) == []

    setup = urllib.parse.urlsplit(daemon.ctl("setup-link").stdout.strip()).path
    typed = {"name": "cy", "password": PASSWORD, "password_again": PASSWORD}
    assert form(daemon, setup, "/setup", typed)[0] == 303
    link = urllib.parse.urlsplit(daemon.json("users", "password-link", "bo")["link"]).path
    assert form(daemon, link, "/password", typed)[0] == 303
    assert form(daemon, "/sign-in", "/sign-in", {"name": "CY", "password": PASSWORD})[0] == 303
    assert ada.ask("POST", "/sign-out")[0] == 303
    assert [line for line in log(daemon) if line.action.startswith("user.")][-5:] == [
        Line("cy", "user.set_up", "cy", "from 127.0.0.1"),
        Line(unix_user(os.getuid()), "user.password_link", "bo", ""),
        Line("bo", "user.password_set", "bo", "from 127.0.0.1"),
        Line("cy", "user.signed_in", "cy", "from 127.0.0.1"),
        Line("ada", "user.signed_out", "ada", ""),
    ]
    assert daemon.json("audit", "verify")["ok"]
    assert {line.actor for line in log(daemon)} == {"ada", "bo", "cy", "daemon", unix_user(os.getuid())}


def test_every_address_that_changes_something_leaves_a_line_with_the_token(daemon: Daemon) -> None:
    seeds = fill(daemon)
    daemon.start().sign_in()
    token = daemon.json("token", "create", "--name", "deploys", "--role", "admin")["token"]
    wanted = prepared(daemon, seeds)
    assert walked(daemon, Asker(daemon, "token:deploys", token), wanted) == []
    assert token not in str(log(daemon))


def commands(daemon: Daemon, seeds: Seeds, place: Path) -> dict[str, tuple[list[str], Action]]:
    """Arguments for each command, in an order in which each can be carried out."""
    approvals, rules, memories = ([str(number) for number in numbers] for numbers in seeds)
    sessions = [str(hanging(daemon, tier)) for tier in (1, 2)]
    told = str(given_up(daemon, 1)[0])
    export = place / "export.json"
    daemon.ctl("export", "--to", str(export))
    export.write_text(export.read_text().replace('"settings": {}', '"settings": {"interval": "1234"}'))
    remember = ["--remember", "docker restart web9"]
    waiting = str(daemon.json("triggers", "add", "--prompt", "wait")["id"])
    return {
        "sessions trigger": (["--tier", "3", "--prompt", "{}"], Action.SESSION_STARTED),
        "triggers add": (["--tier", "2", "--prompt", "look"], Action.TRIGGER_ADDED),
        "triggers cancel": ([waiting], Action.TRIGGER_CANCELLED),
        "sessions stop": ([sessions[0]], Action.SESSION_STOPPED),
        "approvals approve": ([approvals[0], *remember], Action.RULE_ADDED),
        "approvals deny": ([approvals[1], "--reason", "no"], Action.APPROVAL_DENIED),
        "approvals revoke": ([rules[0]], Action.RULE_REVOKED),
        "cooldowns clear": (["web"], Action.COOLDOWN_RESET),
        "memories add": (["db is slow", "--category", "timing"], Action.MEMORY_ADDED),
        "memories edit": ([memories[0], "--confidence", "0.2"], Action.MEMORY_CHANGED),
        "memories delete": ([memories[1]], Action.MEMORY_DELETED),
        "notifications test": ([], Action.NOTIFICATION_TEST),
        "notifications retry": ([told], Action.NOTIFICATION_RETRY),
        "users add": (["bo"], Action.USER_ADDED),
        "users role": (["bo", "operator"], Action.USER_ROLE),
        "users disable": (["bo"], Action.USER_DISABLED),
        "users enable": (["bo"], Action.USER_ENABLED),
        "users password-link": (["bo"], Action.USER_PASSWORD_LINK),
        "token create": (["--name", "ci", "--role", "viewer"], Action.TOKEN_CREATED),
        "token revoke": (["ci"], Action.TOKEN_REVOKED),
        "config set": (["interval", "700"], Action.SETTING_CHANGED),
        "config reset": (["interval"], Action.SETTING_RESET),
        "import": ([str(export)], Action.SETTING_CHANGED),
        "housekeep": ([], Action.HOUSE_KEPT),
        "backup": ([], Action.DATABASE_COPIED),
        "setup-link": ([], Action.USER_SETUP_LINK),
        "reload": ([], Action.DAEMON_RELOADED),
        "restart": (["web"], Action.PROCESS_RESTARTED),
        "stop": ([], Action.DAEMON_STOPPED),
    }


def test_every_command_that_changes_something_leaves_a_line_with_the_unix_user(daemon: Daemon, tmp_path: Path) -> None:
    seeds = fill(daemon)
    daemon.start()
    wanted = commands(daemon, seeds, tmp_path)
    every = {" ".join(command.words) for command in COMMANDS}
    assert set(wanted) | READS | set(OFFLINE) == {words for words in every if not OF_SERVICES.match(words)}
    missing = []
    for words, (arguments, action) in wanted.items():
        before = len(log(daemon))
        daemon.ctl(*words.split(), *arguments)
        lines = [(line.actor, line.action) for line in log(daemon)[before:]]
        if (unix_user(os.getuid()), action.value) not in lines:
            missing.append(f"{words}: {lines}")
    assert missing == []
    assert "house.imported" in {line.action for line in log(daemon)}
    assert "approval.approved" in {line.action for line in log(daemon)}
