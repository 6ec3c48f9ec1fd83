"""What the shipped texts name exists: files, settings, tools, markers, categories, limits."""

import json
import re
from typing import get_args, get_type_hints

import msgspec
import pytest

from daemon.escalation.rules import CheckResult, Handoff
from daemon.repositories import scan, shipped
from daemon.sessions import command, markers
from daemon.sessions.markers import LEVELS, STATUSES
from schema.configuration import BY_ENV
from schema.knowledge import CATEGORIES, Level
from schema.settings import Settings
from tests.unit.daemon.prompts.prompts import FENCE, PROMPTS, TEXTS

PLACES = {place for place, _ in shipped.files()}
SCHEMA = json.loads((PROMPTS / "agent-response.json").read_text(encoding="utf-8"))
MARKER = re.compile(r"\[(?:EVENT|MEMORY|COOLDOWN):[^\n]*")


def facts() -> set[str]:
    """What a session is told about the daemon, by name."""
    return set(command.facts(Settings(browser_allowed_origins="x"), 1))


def test_every_text_is_laid_out_and_nothing_else_is() -> None:
    laid_out = {source.name for _, source in shipped.files()}
    assert laid_out == {path.name for path in PROMPTS.rglob("*") if path.is_file()}
    assert len(PLACES) == len(TEXTS) + 2  # agent.md has two places, and the schema is no text


def test_the_layout_has_every_place_of_the_contract() -> None:
    wanted = {
        "CLAUDE.md",
        "schemas/agent-response.json",
        *(f"prompts/{name}.md" for name in ("tier1-observe", "tier2-investigate", "tier3-remediate", "agent")),
        *(f"checks/{name}.md" for name in ("http", "dns", "containers", "databases", "services")),
        *(f"playbooks/{name}.md" for name in ("restart-container", "redeploy-service", "rotate-api-key")),
        *(f"skills/{name}.md" for name in ("cooldowns", "events", "memories", "ssh-discovery")),
        *(
            f".claude/skills/{name}.md"
            for name in (
                "browser-automation",
                "ci-monitor",
                "container-health",
                "container-ops",
                "database-query",
                "git-pr",
                "http-request",
                "issue-tracking",
                "release",
            )
        ),
    }
    assert wanted == PLACES


@pytest.mark.parametrize("file", TEXTS)
def test_files_that_a_text_names_are_there(file: str) -> None:
    text = TEXTS[file]
    named = re.findall(r"(?<![\w./-])((?:\.claude/skills|checks|playbooks|skills|prompts|schemas)/[\w.-]+\.\w+)", text)
    assert set(named) <= PLACES
    folders = re.findall(r"`((?:\.claude/)?(?:checks|playbooks|skills)/)`", text)
    assert all(any(place.startswith(folder) for place in PLACES) for folder in folders)
    for folder in re.findall(r"\.claude-ops/(\w+)", text):
        assert folder in scan.FOLDERS


@pytest.mark.parametrize("file", TEXTS)
def test_settings_and_facts_that_a_text_names_are_some(file: str) -> None:
    named = set(re.findall(r"\b((?:CLAUDEOPS|BROWSER)_[A-Z0-9_]*[A-Z0-9])\b", TEXTS[file]))
    assert named - facts() - set(BY_ENV) - {"BROWSER_CRED"} == set()


def test_the_runbook_names_only_facts_as_such_and_all_that_sessions_need() -> None:
    told = set(re.findall(r"^- `([A-Z0-9_]+)`:", TEXTS["agent.md"], re.MULTILINE))
    assert told <= facts()
    assert facts() - told == {"CLAUDEOPS_TIER2_MODEL", "CLAUDEOPS_TIER3_MODEL"}


@pytest.mark.parametrize("file", TEXTS)
def test_examples_of_markers_are_read_by_the_daemon(file: str) -> None:
    for line in MARKER.findall(TEXTS[file]):
        example = line.split("`")[0]
        if "|" in example or "…" in example or example.endswith("]"):  # a form with choices, or a mere name
            continue
        readings = [markers.EVENT, markers.MEMORY, markers.COOLDOWN]
        (found,) = [match for reading in readings if (match := reading.fullmatch(example))]
        if found.re is markers.EVENT:
            assert found[1] in list(Level)
        if found.re is markers.MEMORY:
            assert found[1] in CATEGORIES


@pytest.mark.parametrize("file", ["agent.md", "tier1-observe.md"])
def test_the_forms_of_markers_list_what_the_daemon_takes(file: str) -> None:
    (levels,) = re.findall(r"\[EVENT:([\w|]+\|[\w|]+):", TEXTS[file])
    (categories,) = re.findall(r"\[MEMORY:([\w|]+\|[\w|]+):", TEXTS[file])
    assert levels.split("|") == list(Level)
    assert categories.split("|") == list(CATEGORIES)
    assert set(LEVELS.values()) < set(Level)


def test_levels_and_categories_are_explained_whole() -> None:
    assert {level for level in Level if f"| `{level}` |" in TEXTS["skills/events.md"]} == set(Level)
    assert {name for name in CATEGORIES if f"| `{name}` |" in TEXTS["skills/memories.md"]} == set(CATEGORIES)


def test_the_parts_of_the_structured_output_are_named_where_it_is_asked_for() -> None:
    parts = SCHEMA["properties"]
    for file in ("agent.md", "tier1-observe.md"):
        assert {part for part in parts if f"`{part}`" in TEXTS[file]} == set(parts)
        assert {status for status in STATUSES if f"`{status}`" in TEXTS[file]} == set(STATUSES)
    assert set(parts["services_checked"]["items"]["properties"]["status"]["enum"]) == set(STATUSES)
    assert parts["events"]["items"]["properties"]["level"]["enum"] == list(Level)
    inner = set(parts["escalation"]["properties"])
    for file in ("agent.md", "tier1-observe.md", "tier2-investigate.md", "tier3-remediate.md"):
        named = set(re.findall(r"`(?:escalation\.)?(needed|reason|context|failed_checks)`", TEXTS[file]))
        assert {"needed", "reason", "context"} <= named <= inner


def test_the_handoff_of_the_runbook_is_one_that_the_daemon_takes() -> None:
    (body,) = [body for language, _, body in FENCE.findall(TEXTS["agent.md"]) if language == "json"]
    handoff = msgspec.json.decode(body, type=Handoff)
    assert set(json.loads(body)) == set(Handoff.__struct_fields__) - {"cooldown_state"}
    assert handoff.check_results[0].response_time_ms
    hints = get_type_hints(CheckResult)
    after = TEXTS["agent.md"].partition(body)[2]
    for name in ("check_type", "status"):
        assert all(f"`{choice}`" in after for choice in get_args(hints[name]))


def test_limits_that_are_told_are_the_defaults() -> None:
    settings = Settings()
    hours = (settings.cooldown_restart_window // 3600, settings.cooldown_redeployment_window // 3600)
    words = {1: "once", 2: "twice"}
    told = {
        "agent.md": "restarted {restarts} in {hours[0]} hours and redeployed {redeployments} in {hours[1]} hours",
        "tier2-investigate.md": "{restarts} a service in {hours[0]} hours",
        "playbooks/redeploy-service.md": "{redeployments} in {hours[1]} hours",
        "skills/cooldowns.md": "2 times within {hours[0]} hours, and redeployed {redeployments} within {hours[1]}",
    }
    for file, form in told.items():
        sentence = form.format(
            restarts=words[settings.cooldown_restarts],
            redeployments=words[settings.cooldown_redeployments],
            hours=hours,
        )
        assert sentence in " ".join(TEXTS[file].split()), file
    assert settings.cooldown_restarts == 2
    assert settings.cooldown_healthy_checks == 2
    assert "Two healthy checks in a row" in TEXTS["skills/cooldowns.md"]


def test_words_of_others_are_material_at_every_tier() -> None:
    for file in ("agent.md", "tier1-observe.md", "tier2-investigate.md", "tier3-remediate.md"):
        text = " ".join(TEXTS[file].split())
        assert "material to judge" in text
        assert "CLAUDEOPS_DRY_RUN" in text
        assert "refused" in text


@pytest.mark.parametrize("file", TEXTS)
def test_texts_begin_with_their_title_and_hold_together(file: str) -> None:
    text = TEXTS[file]
    assert text.startswith("# ")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\t" not in text
    assert "@" not in re.sub(r"@SERVER|USER@HOST", "", text)  # in CLAUDE.md the CLI would take it for an import
    assert len(text) < 12_000  # what a session reads it pays for
