"""What a chat is told of a chain: each thing once, a report by its summary."""

import json
from typing import Any

from schema.sessions import Session
from schema.states import SessionStatus, Trigger
from schema.transcript.events import Result, Text, ToolUse
from webui.api import telling
from webui.api.following import Began, Ended, Held, Over, Refused, Spoke, Waiting
from webui.api.telling import Telling

LINK = "https://ops.example.org/"
REPORT = {"summary": "web answers", "events": []}


def session(id_: int = 7, **more: Any) -> Session:
    values: dict[str, Any] = {
        "id": id_, "tier": 1, "model": "haiku", "prompt_file": "(ad-hoc)", "prompt_text": "look at web",
        "status": SessionStatus.COMPLETED, "trigger": Trigger.API, "started_at": "2026-01-31T08:05:00.000Z", **more,
    }  # fmt: skip
    return Session(**values)


def test_a_report_is_told_by_its_summary_once() -> None:
    told = Telling("")
    events = [
        Text(text="I look."),
        ToolUse(id="a", name="Bash", input={"command": "curl web"}),
        Text(text="of a subagent", parent="a"),
        ToolUse(id="b", name="StructuredOutput", input=REPORT),
        Result(text=json.dumps(REPORT), structured=REPORT),
    ]
    assert told.of(Began(session())) == []
    assert told.of(Spoke(list(events))) == ["I look.", events[1], "web answers"]
    assert told.of(Ended(session())) == []


def test_the_last_words_are_not_repeated_by_the_result() -> None:
    told = Telling("")
    assert told.of(Spoke([Text(text="all is well"), Result(text="all is well\n")])) == ["all is well"]
    assert told.of(Spoke([Result(text="only here")])) == ["only here"]
    assert told.of(Spoke([Result(text="broken", is_error=True)])) == []


def test_a_chain_tells_who_takes_over_and_each_tiers_end() -> None:
    told = Telling(LINK)
    told.of(Began(session()))
    assert told.of(Began(session(8, tier=2))) == ["Tier 2 takes over (session 8)."]
    failed = session(8, tier=2, status=SessionStatus.FAILED, reason="exit code 3")
    text = "Session 8 has not completed (failed): exit code 3, see https://ops.example.org/sessions/8."
    assert told.of(Ended(failed)) == [text]
    whole = telling.answer(Over([session(structured=json.dumps(REPORT), response="{}"), failed]), LINK)
    assert whole == f"Tier 1: web answers\n\nTier 2: {text}"


def test_an_answer_is_one_text() -> None:
    assert telling.answer(Over([session(response="all is well")]), LINK) == "all is well"
    assert telling.answer(Over([session()]), "") == "Session 7 has ended without a word."
    waits = session(status=SessionStatus.AWAITING_APPROVAL, response="so far")
    assert telling.answer(Over([waits]), "") == (
        "so far\n\nSession 7 waits for a person to decide about one of its calls."
    )


def test_what_was_not_started_says_why() -> None:
    running = session(3, status=SessionStatus.RUNNING, trigger=Trigger.SCHEDULED, prompt_text=None)
    text = telling.held(Held("tier 1 is busy with session 3", running))
    assert text == (
        "Nothing was started, for tier 1 is busy with session 3 (scheduled, since 2026-01-31 08:05 UTC): (ad-hoc). "
        "Ask again later."
    )
    assert telling.held(Held("quiet", None)) == "Nothing was started, for it waits (quiet). Ask again later."
    assert telling.refused(Refused("too high")) == "Nothing was started: too high."
    assert Telling("").of(Waiting("busy")) == ["Waiting: busy."]


def test_tokens_are_those_of_the_whole_chain_or_unknown() -> None:
    assert telling.usage([session()]) is None
    first = session(usage='{"input":10,"output":5,"cache_read":2}')
    found = telling.usage([first, session(usage='{"input":1,"output":1}'), session()])
    assert found is not None
    assert (found.input, found.output, found.cache_read) == (11, 6, 2)
