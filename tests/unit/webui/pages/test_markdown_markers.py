"""Event markers in Claude's words become badges, and nothing else changes."""

import pytest

from webui.pages.markdown import html


@pytest.mark.parametrize(("level", "tone"), [("info", "info"), ("warning", "warn"), ("critical", "bad")])
def test_a_marker_is_a_badge_with_its_level_in_words(level: str, tone: str) -> None:
    assert html(f"[EVENT:{level}:my_pay-1] down") == (
        f'<p><span class="event tone-{tone}">{level} · my_pay-1</span> down</p>\n'
    )
    assert html(f"[EVENT:{level}] x") == f'<p><span class="event tone-{tone}">{level}</span> x</p>\n'


def test_markers_on_lines_of_their_own_stay_so() -> None:
    said = html("before\n[EVENT:info:a] x\n[EVENT:critical:b] y")
    assert said.count("<br>") == 2
    assert "before\n<br>" in said


@pytest.mark.parametrize("text", ["[EVENT:fatal:a]", "[EVENT:info:<b>]", "[event:info:a]", "`[EVENT:info:a]`"])
def test_what_is_no_marker_or_is_code_stays_as_it_is(text: str) -> None:
    assert 'class="event' not in html(text)


def test_words_around_a_marker_stay_escaped() -> None:
    said = html('[EVENT:info:a] <script>alert(1)</script> & "q"')
    assert "<script>" not in said
    assert "&lt;script&gt;" in said
    assert "&amp;amp;" not in said


@pytest.mark.parametrize(
    ("marker", "badge"),
    [
        ("[MEMORY:timing:search]", '<span class="event tone-neutral">memory · timing · search</span>'),
        ("[MEMORY:timing]", '<span class="event tone-neutral">memory · timing</span>'),
        ("[COOLDOWN:restart:payments]", '<span class="event tone-plan">restart · payments</span>'),
    ],
)
def test_what_is_remembered_and_counted_is_marked_too(marker: str, badge: str) -> None:
    assert html(f"done\n{marker} words") == f"<p>done\n<br>{badge} words</p>\n"


@pytest.mark.parametrize("words", ["[MEMORY:]", "[COOLDOWN:stop:web]", "[MEMORY:Timing:web]"])
def test_what_only_looks_like_a_marker_stays_as_it_is(words: str) -> None:
    assert "event" not in html(words)
