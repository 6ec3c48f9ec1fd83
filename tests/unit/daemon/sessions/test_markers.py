"""Markers in words, and the same in structured output: what counts, what does not, and nothing wild gets through."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.sessions.markers import (
    NAME_MAX,
    TEXT_MAX,
    SaidCheck,
    SaidCooldown,
    SaidEvent,
    SaidMemory,
    Saying,
    clean,
    read_key,
    read_structured,
    read_text,
)
from schema.knowledge import CATEGORIES, Level


def said(text: str) -> list[Saying]:
    return list(read_text(text))


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ("[EVENT:info] all is well", SaidEvent(Level.INFO, None, "all is well")),
        ("[EVENT:critical:web-1] down", SaidEvent(Level.CRITICAL, "web-1", "down")),
        ("  - **now** [EVENT:warning:my_db]slow: 900 ms  ", SaidEvent(Level.WARNING, "my_db", "slow: 900 ms")),
        ("> [EVENT:info:a] x [EVENT:critical:b] y", SaidEvent(Level.INFO, "a", "x [EVENT:critical:b] y")),
        ("[EVENT:info:a] x\r", SaidEvent(Level.INFO, "a", "x")),
        ("[EVENT:info:a]\tx", SaidEvent(Level.INFO, "a", "x")),
    ],
)
def test_an_event_stands_anywhere_in_a_line(line: str, event: SaidEvent) -> None:
    assert said(f"before\n{line}\nafter") == [event]


@pytest.mark.parametrize(
    ("word", "level"),
    [
        *((word, Level.WARNING) for word in ("warning", "warn", "degraded", "WARN", "Degraded")),
        *((word, Level.CRITICAL) for word in ("critical", "error", "err", "fatal", "failure", "failed", "ERROR")),
        *((word, Level.INFO) for word in ("info", "notice", "ok", "success", "debug", "whatever-1_2")),
    ],
)
def test_levels_are_brought_to_three(word: str, level: Level) -> None:
    assert said(f"[EVENT:{word}:web] x") == [SaidEvent(level, "web", "x")]


@pytest.mark.parametrize(
    "line",
    [
        "[EVENT:info]",
        "[EVENT:info:]  x",
        "[EVENT:] x",
        "[event:info] x",
        "[EVENT:in fo] x",
        "[EVENT:info:a.b] x",
        "[EVENT:info:a:b] x",
        "[EVENT:info:ä] x",
        "EVENT:info x",
        "[EVENT:info\n:a] x",
        "[MEMORY:Timing:web] x",
        "[MEMORY:timing:web]",
        "[COOLDOWN:restart:web] success",
        "[COOLDOWN:restart:web] success: done",
        "[COOLDOWN:reboot:web] success - done",
        "[COOLDOWN:restart] success - done",
        "[COOLDOWN:restart:web] maybe - done",
        "[EVENT:info:a] \x00\x07",
    ],
)
def test_what_only_looks_like_a_marker_says_nothing(line: str) -> None:
    assert said(line) == []


def test_memories_have_a_fixed_set_of_categories() -> None:
    assert said("[MEMORY:timing:web] slow after a deploy") == [SaidMemory("timing", "web", "slow after a deploy")]
    assert said("[MEMORY:maintenance] backups at night") == [SaidMemory("maintenance", None, "backups at night")]
    assert said("[MEMORY:network:web] uses port 8443") == [SaidMemory("behavior", "web", "uses port 8443")]


@pytest.mark.parametrize("dash", ["-", "–", "—"])
def test_a_cooldown_mark_tells_how_an_action_went(dash: str) -> None:
    assert said(f"* [COOLDOWN:restart:web] success {dash} up after 3 s") == [
        SaidCooldown("restart", "web", True, "up after 3 s")
    ]
    assert said(f"[COOLDOWN:redeployment:web]failure{dash}no image") == [
        SaidCooldown("redeployment", "web", False, "no image")
    ]


def test_markers_of_several_kinds_on_one_line_all_count() -> None:
    found = said("[EVENT:info:web] restarted [MEMORY:remediation:web] a restart helps")
    assert [type(what) for what in found] == [SaidEvent, SaidMemory]


def test_long_texts_are_cut_with_a_mark() -> None:
    (event,) = said("[EVENT:info:web] " + "x" * 5000)
    assert isinstance(event, SaidEvent)
    assert len(event.message) == TEXT_MAX
    assert event.message.endswith("x…")


def test_what_would_change_how_a_page_reads_is_taken_out() -> None:
    assert clean("a\u202egnp.exe\x1b[31m\x00b\ud800") == "a gnp.exe [31m b"
    assert clean(None) == ""
    assert clean(["x"]) == ""


# Hashes: the same thing said again


def test_case_and_space_make_no_difference_to_what_was_said() -> None:
    assert SaidEvent(Level.INFO, "web", "Is  up").key == SaidEvent(Level.INFO, "web", "is up ").key
    assert SaidEvent(Level.INFO, "web", "is up").key != SaidEvent(Level.WARNING, "web", "is up").key
    assert SaidEvent(Level.INFO, None, "is up").key != SaidEvent(Level.INFO, "web", "is up").key
    assert SaidEvent(Level.INFO, "a", "b c").key != SaidEvent(Level.INFO, "a b", "c").key
    assert SaidMemory("timing", "web", "Slow").key == SaidMemory("timing", "web", "slow").key
    assert SaidCheck("web", "down", "x").key == SaidCheck("web", "healthy", None).key


# Structured output


def test_a_structured_output_says_the_same_things() -> None:
    output = {
        "summary": "x",
        "events": [{"level": "critical", "service": "web", "message": "down"}, {"level": "info", "message": "ok"}],
        "memories": [{"key": "web:timing", "value": "slow on Mondays"}, {"key": "maintenance", "value": "at night"}],
        "services_checked": [
            {"name": "web", "status": "down", "detail": "502"},
            {"name": "db", "status": "healthy"},
            {"name": "db", "status": "degraded", "detail": "slow"},
            {"name": "db", "status": "healthy"},
            {"name": "old", "status": "retired"},
        ],
        "escalation": {"needed": True},
    }
    assert list(read_structured(output)) == [
        SaidEvent(Level.CRITICAL, "web", "down"),
        SaidEvent(Level.INFO, None, "ok"),
        SaidMemory("timing", "web", "slow on Mondays"),
        SaidMemory("maintenance", None, "at night"),
        SaidCheck("web", "down", "502"),
        SaidCheck("db", "degraded", "slow"),
    ]


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("web:timing", ("web", "timing")),
        ("timing", ("", "timing")),
        ("host:8080:dependency", ("host:8080", "dependency")),
        ("timing:web", ("web", "timing")),
        ("timing:timing", ("timing", "timing")),
        ("web", ("", "behavior")),
        ("web:port", ("web", "behavior")),
        (" web : Timing ", ("web", "timing")),
        ("", ("", "behavior")),
        (":", ("", "behavior")),
    ],
)
def test_a_memorys_key_names_service_and_category(key: str, found: tuple[str, str]) -> None:
    assert read_key(key) == found


# Hostile input

WILD = st.text(st.characters(exclude_categories=()), max_size=60)
PIECES = st.sampled_from(
    [
        *("[EVENT:", "[MEMORY:", "[COOLDOWN:", "restart", "redeployment", "timing", "info", "web", ":", "]", "[", " "),
        *("success", "failure", "-", "—", "\n", "\r", "\0", "\x85", "\u2028", "\u202e", "\ud800", "é", "x" * 3000),
    ]
)
LINES = st.one_of(WILD, st.lists(st.one_of(PIECES, WILD), max_size=25).map("".join))


def assert_fit_to_store(what: Saying) -> None:
    for field in what:
        if isinstance(field, str):
            field.encode()
            assert len(field) <= TEXT_MAX
            assert not set(field) & set("\0\n\r\x1b\u2028\u202e")
    if isinstance(what, SaidEvent):
        assert what.level in Level
        assert what.message
    if isinstance(what, SaidMemory):
        assert what.category in CATEGORIES
        assert what.observation
    if not isinstance(what, SaidCooldown):
        assert what.service is None or 0 < len(what.service) <= NAME_MAX
    assert len(what.key) == 32


@given(LINES)
def test_whatever_words_say_can_be_stored(text: str) -> None:
    for what in read_text(text):
        assert_fit_to_store(what)


@given(LINES, st.sampled_from(["[EVENT:warn:web] it is slow", "[MEMORY:timing:web] it is slow"]))
def test_a_marker_is_found_on_its_line_whatever_stands_around_it(noise: str, marker: str) -> None:
    assert said(marker)[0] in said(f"{noise}\n{marker}\n{noise}")


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), WILD),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(
                WILD, st.sampled_from(["level", "service", "message", "key", "value", "name", "status", "detail"])
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["events", "memories", "services_checked", "summary"]), JSON))
def test_whatever_a_structured_output_holds_can_be_stored(output: dict[str, Any]) -> None:
    for what in read_structured(output):
        assert_fit_to_store(what)


def test_a_text_of_many_megabytes_is_read_in_linear_time() -> None:
    text = "\n".join(["[EVENT:info:web] [EVENT:" + "a" * 2000, "[COOLDOWN:restart:web] success" + " " * 2000] * 500)
    assert len(said(text)) == 500
    assert json.dumps(text)
