"""The command line and environment of a session, as values. Pure; `daemon.sessions.lifecycle` has them run.

What holds a session back begins here: `--tools` is the hard set of tools; there is no `--allowedTools`, so a call runs
only when our hook says so, and a hook that fails lets nothing run; no settings but those given here are read; the
environment is built from nothing. Permissions are never bypassed.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from schema.declarations import secret_values
from schema.settings import Settings

SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASS|CRED|URLS|AUTH", re.IGNORECASE)
ITEM = re.compile(r"[^,(]+(?:\([^)]*\))?")
QUIET = {
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
}


class Secret(NamedTuple):
    """A value that must not be seen, and the name that stands for it."""

    name: str
    value: str


def items(text: str) -> list[str]:
    """The items of a comma-separated tool list; a comma inside parentheses belongs to its item."""
    return [item.strip() for item in ITEM.findall(text) if item.strip()]


def tool_lists(settings: Settings, tier: int) -> tuple[list[str], list[str]]:
    """(allowed, disallowed) as configured for a tier, with the fallback of the existing program."""
    own = {
        1: (settings.tier1_allowed_tools, settings.tier1_disallowed_tools),
        2: (settings.tier2_allowed_tools, settings.tier2_disallowed_tools),
        3: (settings.tier3_allowed_tools, settings.tier3_disallowed_tools),
    }[tier]
    return items(own[0] or settings.allowed_tools), items(own[1] or settings.disallowed_tools)


class Resume(NamedTuple):
    """The CLI's own session to go on in: the very same, or with `fork` a new one that knows all that was said."""

    cli_session: str
    fork: bool


def model_of(settings: Settings, tier: int) -> str:
    """The model of a tier."""
    return {1: settings.tier1_model, 2: settings.tier2_model, 3: settings.tier3_model}[tier]


def prompt_of(settings: Settings, tier: int) -> str:
    """The prompt file of a tier, as configured."""
    return {1: settings.prompt, 2: settings.tier2_prompt, 3: settings.tier3_prompt}[tier]


def argv(
    settings: Settings,
    tier: int,
    *,
    program: str,
    cli_session: str,
    system_prompt: str,
    schema: str,
    mcp: str,
    hooks: str,
    resume: Resume | None = None,
    spent: float = 0.0,
) -> list[str]:
    """The command line. `program` and `system_prompt` are paths, `schema` and `hooks` inline JSON, `mcp` a path or
    inline JSON; `spent` is what earlier runs of the session cost.

    The prompt comes on standard input: it may be long, and it is nobody's business in `ps`.
    """
    allowed, disallowed = tool_lists(settings, tier)
    names = list(dict.fromkeys(tool.partition("(")[0] for tool in allowed))
    line = [
        program,
        "-p",
        *("--model", model_of(settings, tier)),
        *("--output-format", "stream-json", "--verbose"),
        *_conversation(cli_session, resume),
        *("--tools", ",".join(names)),
        *("--append-system-prompt-file", system_prompt),
        *("--mcp-config", mcp, "--strict-mcp-config"),
        # Inline, for a file could be changed by a session; and no file of a home or a directory counts.
        *("--settings", hooks, "--setting-sources", ""),
    ]
    if disallowed:
        line += ["--disallowedTools", ",".join(disallowed)]
    if schema:
        line += ["--json-schema", schema]
    if settings.session_max_budget_usd > 0:
        line += ["--max-budget-usd", f"{max(0.01, settings.session_max_budget_usd - spent):g}"]
    return line


def _conversation(cli_session: str, resume: Resume | None) -> list[str]:
    if resume is None:
        return ["--session-id", cli_session]
    if resume.fork:
        return ["--resume", resume.cli_session, "--fork-session", "--session-id", cli_session]
    return ["--resume", resume.cli_session]


def environment(settings: Settings, tier: int, environ: Mapping[str, str], home: str) -> dict[str, str]:
    """A session's environment, built from nothing: places, the API's credentials, and what settings name."""
    built = {
        "PATH": environ.get("PATH", "/usr/local/bin:/usr/bin:/bin"),
        "HOME": home,
        "LANG": environ.get("LANG", "C.UTF-8"),
        "TERM": "dumb",
        # Commands are judged as bash runs them.
        "SHELL": "/bin/bash",
        **{name: environ[name] for name in ("TZ", "USER", "LOGNAME") if name in environ},
        **QUIET,
        **facts(settings, tier),
    }
    handed = {
        "ANTHROPIC_API_KEY": settings.anthropic_api_key,
        "ANTHROPIC_AUTH_TOKEN": settings.anthropic_auth_token,
        "CLAUDE_CODE_OAUTH_TOKEN": settings.claude_code_oauth_token,
        "ANTHROPIC_BASE_URL": settings.anthropic_base_url,
        "GITHUB_TOKEN": settings.github_token,
        "GITEA_URL": settings.gitea_url,
        "GITEA_TOKEN": settings.gitea_token,
    }
    built |= {name: value for name, value in handed.items() if value}
    wanted = set(items(settings.session_env))
    built |= {name: value for name, value in environ.items() if name in wanted or name.startswith("BROWSER_CRED_")}
    return built


def facts(settings: Settings, tier: int) -> dict[str, str]:
    """What a session is told about the daemon, in its environment and in its system prompt."""
    told = {
        "CLAUDEOPS_TIER": str(tier),
        "CLAUDEOPS_DRY_RUN": "true" if settings.dry_run else "false",
        "CLAUDEOPS_STATE_DIR": settings.state_dir,
        "CLAUDEOPS_RESULTS_DIR": settings.results_dir,
        "CLAUDEOPS_REPOS_DIR": settings.repos_dir,
        "CLAUDEOPS_TIER2_MODEL": settings.tier2_model,
        "CLAUDEOPS_TIER3_MODEL": settings.tier3_model,
        "CLAUDEOPS_PR_ENABLED": "true" if settings.pr_enabled else "false",
    }
    if settings.browser_allowed_origins:
        told["BROWSER_ALLOWED_ORIGINS"] = settings.browser_allowed_origins
    return told


def system_prompt(settings: Settings, tier: int, runbook: str = "", memory: str = "", context: str = "") -> str:
    """What is appended to the CLI's own system prompt: facts, runbook, memory, what the tier before handed over."""
    parts = ["Environment: " + " ".join(f"{name}={value}" for name, value in facts(settings, tier).items())]
    parts += [text.strip() for text in (runbook, memory) if text.strip()]
    if context:
        parts.append(f"## Escalation Context\n\n{context.strip()}")
    return "\n\n".join(parts) + "\n"


def secrets(settings: Settings, environ: Mapping[str, str]) -> list[Secret]:
    """Every value that a session's output must not show, longest first."""
    found = [Secret(*secret) for secret in secret_values(settings, environ)]
    wanted = set(items(settings.session_env))
    found += [Secret(name, value) for name, value in environ.items() if name in wanted and SECRET_NAME.search(name)]
    return sorted((secret for secret in dict.fromkeys(found) if secret.value), key=lambda secret: -len(secret.value))
