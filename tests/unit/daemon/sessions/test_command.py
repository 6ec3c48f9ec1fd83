"""The command line and environment of a session, compared as values."""

from itertools import pairwise

import pytest

from daemon.sessions import command
from daemon.supervisor.programs import Programs
from schema.configuration import DECLARATIONS, load
from schema.settings import Settings


def line(tier: int = 1, resume: command.Resume | None = None, spent: float = 0.0, **settings: object) -> list[str]:
    return command.argv(
        Settings()._replace(**settings),  # type: ignore[arg-type]
        tier,
        program="/usr/bin/claude",
        cli_session="11111111-1111-1111-1111-111111111111",
        system_prompt="/run/system-prompt.md",
        schema='{"type":"object"}',
        mcp='{"mcpServers":{}}',
        hooks='{"hooks":{}}',
        resume=resume,
        spent=spent,
    )


def option(argv: list[str], name: str) -> str:
    return dict(pairwise(argv))[name]


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_permissions_are_never_bypassed_and_no_tool_runs_without_being_asked_about(tier: int) -> None:
    argv = line(tier)
    assert not [word for word in argv if "dangerously" in word or "permission-mode" in word]
    assert "--allowedTools" not in argv
    assert option(argv, "--settings") == '{"hooks":{}}'
    # An empty value: no file of a home or of a directory, which a session could write, is read.
    assert option(argv, "--setting-sources") == ""


def test_a_session_that_waited_goes_on_in_the_same_conversation() -> None:
    argv = line(resume=command.Resume("parent", fork=False))
    assert option(argv, "--resume") == "parent"
    assert "--session-id" not in argv
    assert "--fork-session" not in argv


def test_a_higher_tier_goes_on_in_a_conversation_of_its_own() -> None:
    argv = line(2, resume=command.Resume("parent", fork=True))
    assert option(argv, "--resume") == "parent"
    assert "--fork-session" in argv
    assert option(argv, "--session-id") == "11111111-1111-1111-1111-111111111111"


def test_what_a_session_spent_before_it_waited_counts_towards_its_budget() -> None:
    assert option(line(session_max_budget_usd=0.5, spent=0.2), "--max-budget-usd") == "0.3"
    assert option(line(session_max_budget_usd=0.5, spent=0.7), "--max-budget-usd") == "0.01"


def test_the_system_prompt_has_facts_runbook_memory_and_context_in_this_order() -> None:
    text = command.system_prompt(Settings(), 2, "# Runbook", "## Operational Memory (1 of 1)", "tier 1 found it down")
    parts = [text.index(part) for part in ("CLAUDEOPS_TIER=2", "# Runbook", "## Operational Memory", "tier 1 found")]
    assert parts == sorted(parts)
    assert "## Escalation Context\n\ntier 1 found it down" in text
    assert "##" not in command.system_prompt(Settings(), 1)


def test_the_hard_set_of_tools_is_the_configured_one() -> None:
    assert option(line(), "--tools") == "Bash,Read,Grep,Glob,Task,WebFetch,WebSearch"
    assert option(line(tier1_allowed_tools="Read,Bash(docker ps:*)"), "--tools") == "Read,Bash"


def test_a_tier_without_its_own_list_falls_back() -> None:
    argv = line(tier1_disallowed_tools="", disallowed_tools="Bash(rm:*)")
    assert option(argv, "--disallowedTools") == "Bash(rm:*)"


def test_what_the_cli_is_told_about_itself() -> None:
    argv = line()
    assert argv[:2] == ["/usr/bin/claude", "-p"]
    assert option(argv, "--output-format") == "stream-json"
    assert "--verbose" in argv
    assert "--strict-mcp-config" in argv
    assert option(argv, "--json-schema") == '{"type":"object"}'
    assert option(argv, "--model") == "haiku"
    assert option(line(2), "--model") == "sonnet"
    assert "--max-budget-usd" not in argv
    assert option(line(session_max_budget_usd=0.5), "--max-budget-usd") == "0.5"


def test_a_comma_inside_parentheses_belongs_to_its_item() -> None:
    assert command.items("Bash(a, b:*), Read,,Grep") == ["Bash(a, b:*)", "Read", "Grep"]


ENVIRON = {
    "PATH": "/bin",
    "HOME": "/root",
    "AWS_SECRET_ACCESS_KEY": "not for sessions",
    "CLAUDEOPS_CHAT_API_KEY": "chat-secret-1",
    "ANTHROPIC_API_KEY": "sk-made-up-1",
    "BROWSER_CRED_GRAFANA_PASS": "browser-secret-1",
    "HTTPS_PROXY": "http://proxy:3128",
    "LD_PRELOAD": "/evil.so",
}


def test_the_environment_is_built_from_nothing() -> None:
    built = command.environment(load(ENVIRON), 1, ENVIRON, "/state/home")
    assert built["HOME"] == "/state/home"
    assert built["ANTHROPIC_API_KEY"] == "sk-made-up-1"
    assert built["BROWSER_CRED_GRAFANA_PASS"] == "browser-secret-1"
    assert built["HTTPS_PROXY"] == "http://proxy:3128"
    assert built["CLAUDEOPS_TIER"] == "1"
    assert not {"AWS_SECRET_ACCESS_KEY", "LD_PRELOAD", "CLAUDEOPS_CHAT_API_KEY"} & set(built)


def test_no_secret_stands_on_the_command_line_or_in_the_system_prompt() -> None:
    settings = load(ENVIRON)
    told = command.system_prompt(settings, 1) + " ".join(
        command.argv(settings, 1, program="c", cli_session="s", system_prompt="p", schema="", mcp="m", hooks="{}")
    )
    secrets = command.secrets(settings, ENVIRON)
    assert {secret.value for secret in secrets} == {"chat-secret-1", "sk-made-up-1", "browser-secret-1"}
    assert not [secret for secret in secrets if secret.value in told]


def test_the_longest_secret_comes_first_so_that_none_is_half_shown() -> None:
    environ = {"BROWSER_CRED_A_PASS": "abcdef", "BROWSER_CRED_B_PASS": "abcdefgh"}
    assert [secret.value for secret in command.secrets(load(environ), environ)] == ["abcdefgh", "abcdef"]


def test_what_the_log_may_not_show_a_session_may_not_either() -> None:
    environ = {item.env: f"made-up-{name}" for name, item in DECLARATIONS.items() if item.meta.secret}
    environ |= {"CLAUDEOPS_APPRISE_URLS": "mailto://u:p@example.org?to=a@b.org,c@d.org", "BROWSER_CRED_A": "pw-of-a"}
    environ |= {"CLAUDEOPS_SESSION_ENV": "MY_TOKEN,BROWSER_CRED_A,PLAIN", "MY_TOKEN": "made-up-mine", "PLAIN": "plain"}
    found = command.secrets(load(environ), environ)
    assert {*found} == {*Programs(environ).secrets(), ("MY_TOKEN", "made-up-mine")}
    assert len(found) == len({*found})


def test_every_notification_channel_is_a_secret_of_its_own() -> None:
    environ = {"CLAUDEOPS_APPRISE_URLS": "mailto://u:p@example.org, json://secret-host"}
    values = {secret.value for secret in command.secrets(load(environ), environ)}
    assert values == {"mailto://u:p@example.org", "json://secret-host"}
