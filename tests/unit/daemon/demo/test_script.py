"""Which script answers whom, and what all of them have in common: the schema, and the daemon's limits."""

import msgspec
import pytest

from daemon.demo.answer import answer
from daemon.demo.launch import SCHEMA
from daemon.demo.observe import check
from daemon.demo.repair import Repair
from daemon.demo.script import MARKERS, playbook, prompt
from daemon.demo.turns import Conversation
from daemon.limits.calls import judge_call
from daemon.sessions.command import tool_lists
from schema.settings import Settings
from tests.unit.daemon.demo.played import COOLING, DOWN, OK, SERVICES, SLOW, Played, World, through

STATE = "/srv/demo"
RESTART, REPLACE = "docker restart payments", "docker compose up -d payments"


def world(**acts: tuple[str, bool]) -> World:
    made = World(payments=[DOWN, OK])
    made.others |= {{"restart": RESTART, "replace": REPLACE}[name]: answer for name, answer in acts.items()}
    return made


def plays() -> dict[int, list[Played]]:
    """Each tier's script, in worlds that lead it through all of its calls."""
    tier2 = Repair(SERVICES, 2).script
    handed = through(check(SERVICES), World()).conversation.results
    return {
        1: [through(check(SERVICES), World(payments=text)) for text in (DOWN, OK)],
        2: [
            through(tier2, world(restart=("payments", False)), before=handed),
            through(tier2, world(restart=(COOLING, True), replace=("Started", False))),
            through(tier2, world(restart=(COOLING, True), replace=("denied", True))),
        ],
        3: [through(Repair(SERVICES, 3).script, world(replace=("Started", False)))],
    }


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_every_call_meets_the_verdict_that_its_script_expects(tier: int) -> None:
    _, disallowed = tool_lists(Settings(), tier)
    asked = {(2, REPLACE)}
    made = {command for played in plays()[tier] for command in played.commands}
    for command in made:
        given = {"command": command, "description": "why"}
        judged = judge_call(
            "Bash", given, tier=tier, dry_run=False, disallowed=disallowed, mcp_reading=[], state_dir=STATE,
            cwd=f"{STATE}/app",
        )  # fmt: skip
        assert judged.decision == ("ask" if (tier, command) in asked else "allow"), (command, judged.reason)
    counted = {command for command in made if command in (RESTART, REPLACE)}
    assert counted == {1: set(), 2: {RESTART, REPLACE}, 3: {REPLACE}}[tier]


@pytest.mark.parametrize("command", [RESTART, REPLACE])
def test_what_tier_1_leaves_to_others_it_would_be_denied(command: str) -> None:
    _, disallowed = tool_lists(Settings(), 1)
    given = {"command": command}
    judged = judge_call(
        "Bash", given, tier=1, dry_run=False, disallowed=disallowed, mcp_reading=[], state_dir=STATE, cwd=STATE
    )
    assert judged.decision == "deny"


def test_the_reports_fit_the_schema_that_sessions_are_given() -> None:
    schema = msgspec.json.decode(SCHEMA.read_bytes())
    found = [played.reported for tier in plays().values() for played in tier]
    found.append(through(answer(SERVICES), World()).reported)
    for report in found:
        fits(schema, report)


def fits(schema: dict[str, object], value: object) -> None:
    """A small part of JSON Schema, as far as ours uses it."""
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool}
    assert isinstance(value, kinds[str(schema["type"])]), (schema, value)
    assert value in schema.get("enum", [value])  # type: ignore[operator]
    if isinstance(value, dict):
        assert set(schema["required"]) <= set(value) <= set(schema["properties"])  # type: ignore[call-overload]
        for name, part in value.items():
            fits(schema["properties"][name], part)  # type: ignore[index]
    elif isinstance(value, list):
        for item in value:
            fits(schema["items"], item)  # type: ignore[arg-type]


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_a_tiers_prompt_file_chooses_its_script_and_names_every_service(tier: int) -> None:
    text = prompt(tier, SERVICES)
    book = playbook(SERVICES)
    assert text.startswith(MARKERS[tier])
    assert all(service.url in text for service in SERVICES)
    assert book.choose(Conversation(text, 0))[0] is book.marked[MARKERS[tier]]


def test_a_higher_tier_goes_on_in_the_conversation_and_its_own_prompt_counts() -> None:
    book = playbook(SERVICES)
    asked = [(prompt(1, SERVICES), 0), (prompt(2, SERVICES), 5), ("go on", 7)]
    script, conversation = book.choose(Conversation(asked[0][0], 8, asked=asked))
    assert script is book.marked[MARKERS[2]]
    assert conversation.turn == 3


def test_ones_own_prompt_is_quoted_and_told_that_the_words_are_scripted() -> None:
    book = playbook(SERVICES)
    assert book.choose(Conversation("hello", 0))[0] is book.default
    played = through(answer(SERVICES), World(search=SLOW), asked="How is search?\nQuick!")
    assert "> How is search?\n> Quick!" in played.words
    assert "scripted" in played.words
    assert "search is slow" in played.reported["summary"]
    assert len(played.commands) == 1
