"""The demo's scripts, played without a server: each turn gets what its calls would have returned."""

from collections.abc import Callable
from dataclasses import replace

import msgspec

from daemon.demo.launch import SCHEMA
from daemon.demo.script import MARKER, REPORT_TOOL, answer, check, playbook, prompt
from daemon.demo.services import Service
from daemon.demo.turns import Conversation, Script, Text, ToolResult, ToolUse, Turn, play

SERVICES = [Service("shop", "http://s"), Service("search", "http://t"), Service("payments", "http://p")]
OK = "ok\nstatus=200 time=0.004s"
SLOW = "ok\nstatus=200 time=0.8s"
DOWN = '{"cause": "no ledger"}\nstatus=503 time=0.002s'
DENIED = "Permission to use Bash with command docker restart payments has been denied."

Tool = Callable[[ToolUse], tuple[str, bool]]


def through(
    script: Script, tool: Tool, asked: str = "x", tools: frozenset[str] = frozenset({REPORT_TOOL})
) -> list[Turn]:
    conversation = Conversation(asked, 0, tools=tools)
    turns = []
    for number in range(len(script)):
        turn = play(script, replace(conversation, turn=number))
        turns.append(turn)
        calls = [block for block in turn.blocks if isinstance(block, ToolUse) and block.name != REPORT_TOOL]
        answers = [ToolResult(call, *tool(call)) for call in calls]
        conversation = replace(conversation, results=[*conversation.results, *answers])
    return turns


def words(turns: list[Turn]) -> str:
    return "\n".join(block.text for turn in turns for block in turn.blocks if isinstance(block, Text))


def reported(turns: list[Turn]) -> dict[str, object]:
    last = turns[-1].blocks[-1]
    assert isinstance(last, ToolUse)
    assert last.name == REPORT_TOOL
    return last.input


def world(**texts: str) -> Tool:
    def tool(call: ToolUse) -> tuple[str, bool]:
        command = call.input["command"]
        if command.startswith("docker"):
            return DENIED, True
        if command == "uptime":
            return "load average: 0.10", False
        return texts[call.id.rpartition("-")[2]], False

    return tool


def statuses(turns: list[Turn]) -> dict[str, str]:
    checked = reported(turns)["services_checked"]
    assert isinstance(checked, list)
    return {service["name"]: service["status"] for service in checked}


def test_a_broken_service_is_looked_at_twice_not_restarted_and_handed_on() -> None:
    turns = through(check(SERVICES), world(shop=OK, search=SLOW, payments=DOWN))
    assert statuses(turns) == {"shop": "healthy", "search": "degraded", "payments": "down"}
    assert DENIED in words(turns)
    assert "[EVENT:critical:payments]" in words(turns)
    assert reported(turns)["escalation"] == {
        "needed": True,
        "reason": "payments answers HTTP 503 in 2 ms: no ledger. Tier 1 only observes.",
    }


def test_with_nothing_down_nothing_is_tried_and_nothing_handed_on() -> None:
    turns = through(check(SERVICES), world(shop=OK, search=SLOW, payments=OK))
    assert statuses(turns) == {"shop": "healthy", "search": "degraded", "payments": "healthy"}
    assert "docker" not in str([turn.blocks for turn in turns])
    assert "load average: 0.10" in words(turns)
    assert reported(turns)["escalation"] == {"needed": False}


def test_a_service_that_recovers_meanwhile_is_told_as_recovered() -> None:
    def tool(call: ToolUse) -> tuple[str, bool]:
        return (OK, False) if call.id == "again-payments" else world(shop=OK, search=SLOW, payments=DOWN)(call)

    turns = through(check(SERVICES), tool)
    assert statuses(turns)["payments"] == "healthy"
    assert "payments was down at first and healthy when looked at again." in words(turns)
    assert reported(turns)["escalation"] == {"needed": False}


def test_a_restart_that_was_let_through_is_not_called_refused() -> None:
    def tool(call: ToolUse) -> tuple[str, bool]:
        return ("payments", False) if call.id == "act" else world(shop=OK, search=OK, payments=DOWN)(call)

    assert "refused" not in words(through(check(SERVICES), tool)).lower()


def test_without_a_schema_the_words_are_the_end() -> None:
    turns = through(check(SERVICES), world(shop=OK, search=OK, payments=OK), tools=frozenset())
    assert turns[-1].stop_reason == "end_turn"


def test_the_reports_fit_the_schema_that_sessions_are_given() -> None:
    schema = msgspec.json.decode(SCHEMA.read_bytes())
    assert "$schema" not in schema
    for given in (OK, SLOW, DOWN):
        found = reported(through(check(SERVICES), world(shop=OK, search=SLOW, payments=given)))
        assert set(schema["required"]) <= set(found) <= set(schema["properties"])
        for name in ("events", "services_checked"):
            item = schema["properties"][name]["items"]
            entries = found[name]
            assert isinstance(entries, list)
            for entry in entries:
                assert set(item["required"]) <= set(entry) <= set(item["properties"])
        levels = schema["properties"]["events"]["items"]["properties"]["level"]["enum"]
        states = schema["properties"]["services_checked"]["items"]["properties"]["status"]["enum"]
        assert {event["level"] for event in found["events"]} <= set(levels)  # type: ignore[attr-defined]
        assert {service["status"] for service in found["services_checked"]} <= set(states)  # type: ignore[attr-defined]


def test_ones_own_prompt_is_quoted_and_told_that_the_words_are_scripted() -> None:
    turns = through(answer(SERVICES), world(look=SLOW), asked="How is search?\nQuick!")
    assert "> How is search?\n> Quick!" in words(turns)
    assert "scripted" in words(turns)
    assert "**search** is slow" in words(turns)


def test_the_prompt_file_chooses_the_check_and_names_every_service() -> None:
    text = prompt(SERVICES)
    book = playbook(SERVICES)
    assert MARKER in text
    assert all(service.url in text for service in SERVICES)
    assert len(book.choose(Conversation(text, 0))[0]) == 5
    assert book.choose(Conversation("hello", 0))[0] is book.default


def test_the_tempo_decides_how_long_a_check_lasts() -> None:
    def lasts(tempo: float) -> float:
        turns = through(check(SERVICES, tempo), world(shop=OK, search=SLOW, payments=DOWN))
        return sum(turn.before_s + turn.pace_s for turn in turns)

    assert lasts(0) == 0
    assert lasts(1) > 8
