"""What a call does is shown whole, and nothing in it can hide."""

import html
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webui.pages import found


def test_hosts_and_sudo_are_marked_and_the_rest_stays_as_it_is() -> None:
    shown = found.marked("ssh db-2 'sudo reboot' && echo <b> pseudo db-20", ["db-2"])
    assert shown == ("ssh <mark>db-2</mark> &#39;<mark>sudo</mark> reboot&#39; &amp;&amp; echo &lt;b&gt; pseudo db-20")


def test_what_does_not_print_is_shown_by_its_number() -> None:
    shown = found.marked("rm\u202e -rf\x1b[8m /\u200b\nsecond\tline", [])
    assert "\u202e" not in shown
    assert "\x1b" not in shown
    for code in (r"<mark>\u202e</mark>", r"<mark>\x1b</mark>", r"<mark>\u200b</mark>"):
        assert code in shown
    assert "\nsecond\tline" in shown


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_nothing_of_a_call_is_lost_or_becomes_html(text: str) -> None:
    shown = str(found.marked(text, ["db-2"])).replace("<mark>", "").replace("</mark>", "")
    assert "<" not in shown
    assert html.unescape(shown) == found.visible_text(text)


def test_a_command_is_shown_with_its_other_fields_but_not_the_agents_words() -> None:
    given_ = json.dumps({"command": "docker restart web", "description": "harmless", "timeout": 5000})
    assert found.call_text("Bash", given_) == "docker restart web\ntimeout: 5000"
    assert found.said_of(given_) == "harmless"


@pytest.mark.parametrize("given_", ["{", "[1]", "null", '"x"', '{"command": 7}'])
def test_an_input_of_another_shape_is_shown_all_the_same(given_: str) -> None:
    assert found.call_text("Bash", given_).strip()
    assert found.said_of(given_) == ""


def test_another_tools_input_is_json_whole() -> None:
    assert found.call_text("mcp__k8s__scale", '{"name":"web","to":0}') == '{\n  "name": "web",\n  "to": 0\n}'


def test_what_changes_something_stands_before_what_reads() -> None:
    commands = found.read('[{"kind":"read","text":"docker ps"},{"kind":"restart","text":"x","target":"web"}]')
    assert [one.does for one in found.saw(commands)] == ["restarts", "reads"]
    assert found.saw(commands)[0].action == "restart"


@pytest.mark.parametrize("stored", ["", "{", "{}", "[1]", '[{"kind":"read"}]'])
def test_what_was_not_understood_shows_nothing_rather_than_failing(stored: str) -> None:
    assert found.read(stored) == []


def test_a_new_kind_is_shown_by_its_name() -> None:
    assert found.saw(found.read('[{"kind":"teleport","text":"x"}]'))[0].does == "teleport"
