"""Tool calls as people read them: whole, in a line, and never as a line of ours."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ipc.ctl.calls import MARGIN, call_line, call_whole, found_table
from ipc.ctl.memories import markdown

WILD = st.text(alphabet="\x00\x07\x1b\x7f\x9b\u202e\u2028\r\n\t |`ab", max_size=40)
VALUES = st.recursive(
    st.one_of(WILD, st.integers(), st.none()), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)


def call(given_: object, tool: str = "Bash") -> dict[str, Any]:
    return {"tool": tool, "input": given_ if isinstance(given_, str) else json.dumps(given_)}


@given(st.one_of(WILD, st.dictionaries(WILD, VALUES, max_size=3)))
def test_whatever_a_call_was_given_stands_behind_the_margin_or_is_a_name(given_: object) -> None:
    text = call_whole(call(given_))
    assert all(sign.isprintable() or sign in "\n\t" for sign in text)
    names = [line for line in text.split("\n") if not line.startswith(MARGIN)]
    assert len(names) == (len(given_) if isinstance(given_, dict) else 0)
    assert all(line.startswith("  ") for line in names)


@given(WILD, st.sampled_from(["Bash", "Write"]))
def test_a_call_is_one_line(command: str, tool: str) -> None:
    for shown in (call_line(call({"command": command}, tool)), call_line(call(command, tool))):
        assert all(sign.isprintable() for sign in shown)


def test_a_command_is_shown_without_its_wrapping_and_cut_only_where_asked() -> None:
    long = "echo " + "x" * 500
    assert call_line(call({"command": "docker  restart\nweb"})) == "docker restart web"
    assert call_line(call({"command": long})) == long
    assert call_line(call({"command": long}), 20) == long[:19] + "…"
    assert f"{MARGIN}{long}" in call_whole(call({"command": long}))
    assert call_line(call({"command": 7})) == 'Bash {"command": 7}'
    assert call_line(call("[1")) == "Bash [1"


@given(
    st.lists(st.fixed_dictionaries({"kind": WILD, "text": WILD, "target": st.none() | WILD, "through": st.just([])}))
)
def test_what_the_rules_saw_is_a_line_each(found: list[dict[str, Any]]) -> None:
    assert "\x1b" not in found_table(found)


def test_memories_as_a_document_have_a_section_for_each_service() -> None:
    rows = [
        {"service": service, "category": "timing", "observation": "a\n\x1bb", "confidence": 0.5, "active": active}
        for service, active in (("web", True), (None, False), ("db", True), ("web", False))
    ]

    def ask(filters: dict[str, Any]) -> list[dict[str, Any]]:
        return [row for row in rows if filters.get("service", "") in ("", row["service"])]

    assert "".join(markdown(ask, {})).split("\n") == [
        "# Memories", "",
        "## General", "", "- [timing] a \\x1bb (confidence 0.50, inactive)", "",
        "## db", "", "- [timing] a \\x1bb (confidence 0.50)", "",
        "## web", "", "- [timing] a \\x1bb (confidence 0.50)", "- [timing] a \\x1bb (confidence 0.50, inactive)",
        "",
    ]  # fmt: skip
    assert "".join(markdown(ask, {"service": "nothing"})) == "# Memories\n"
