"""What a scripted turn may look at: the prompt, the turn's number and what the tools returned."""

from typing import Any

from daemon.demo.turns import END, Playbook, Script, Text, ToolUse, Turn, play, read

CALL = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "uptime"}}


def body(*messages: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": "m",
        "messages": list(messages),
        "tools": [{"name": "Bash"}],
        "system": [{"type": "text", "text": "S"}],
    }


def user(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def test_the_prompt_is_the_first_text_that_the_cli_did_not_add() -> None:
    found = read(body(user(text("<system-reminder>\ntoday\n</system-reminder>"), text("Check."))))
    assert (found.prompt, found.turn, found.tools, found.system) == ("Check.", 0, frozenset({"Bash"}), "S")


def test_a_prompt_given_as_plain_text_is_read_too() -> None:
    assert read({"messages": [{"role": "user", "content": "Check."}]}).prompt == "Check."


def test_a_result_comes_with_its_call() -> None:
    answer = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [text("up 3 days")], "is_error": True}
    found = read(body(user(text("Check.")), {"role": "assistant", "content": [CALL]}, user(answer)))
    result = found.result_of("toolu_1")
    assert found.turn == 1
    assert result is not None
    assert (result.call, result.text, result.is_error) == (
        ToolUse("Bash", {"command": "uptime"}, "toolu_1"),
        "up 3 days",
        True,
    )
    assert found.result_of("toolu_2") is None


def test_a_step_may_depend_on_the_conversation() -> None:
    script: Script = [Turn([Text("first")]), lambda conversation: Turn([Text(f"you said {conversation.prompt}")])]
    later = read(body(user(text("hi")), {"role": "assistant", "content": [text("first")]}))
    assert play(script, read(body(user(text("hi"))))).blocks == [Text("first")]
    assert play(script, later).blocks == [Text("you said hi")]


def test_past_its_end_a_script_says_so() -> None:
    assert play([], read(body(user(text("hi"))))) is END


def test_a_marker_in_the_prompt_chooses_the_script() -> None:
    one, other = [Turn([Text("one")])], [Turn([Text("other")])]
    book = Playbook(one, {"NIGHT": other})
    assert book.choose(read(body(user(text("watch at NIGHT")))))[0] is other
    assert book.choose(read(body(user(text("watch")))))[0] is one


def test_the_newest_text_with_a_marker_chooses_and_turns_count_from_it() -> None:
    one, two = [Turn([Text("one")])], [Turn([Text("two")]), Turn([Text("three")])]
    book = Playbook([], {"TIER 1": one, "TIER 2": two})
    said = {"role": "assistant", "content": [text("done")]}
    messages = [user(text("TIER 1")), said, said, user(text("TIER 2")), said, user(text("go on"))]
    script, conversation = book.choose(read(body(*messages)))
    assert script is two
    assert (conversation.turn, conversation.prompt) == (1, "TIER 2")
    assert play(script, conversation).blocks == [Text("three")]


def test_a_turn_with_a_call_stops_for_it() -> None:
    assert Turn([Text("a"), ToolUse("Bash", {})]).stop_reason == "tool_use"
    assert Turn([Text("a")]).stop_reason == "end_turn"
