"""Terminal output: colours stay, everything that could do harm goes."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webui.pages import ansi

ESCAPES = st.text(alphabet=st.sampled_from("\x1b[]0123456789;:mKHJP\\\x07\r\n\t<>&\"' ab\0é"))


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain <b> & 'q'", "plain &lt;b&gt; &amp; &#39;q&#39;"),
        ("\x1b[31mred\x1b[0m", '<span class="ansi-red">red</span>'),
        (
            "\x1b[1;92mb\x1b[22mg\x1b[39mn",
            '<span class="ansi-bold ansi-bright-green">b</span><span class="ansi-bright-green">g</span>n',
        ),
        ("\x1b[41mx", '<span class="ansi-on-red">x</span>'),
        ("\x1b[mx", "x"),
        ("\x1b[38;5;9mx", '<span class="ansi-red">x</span>'),
        ("\x1b[38;2;0;200;0mx", '<span class="ansi-green">x</span>'),
        ("\x1b[38:5:21mx", '<span class="ansi-blue">x</span>'),
        ("\x1b[38;5mx", "x"),
        ("\x1b[2J\x1b[1;1Hx\x1b[K", "x"),
        ("\x1b]0;title\x07x\x1b]8;;http://evil\x1b\\y", "xy"),
        ("10%\r20%\r30%\r\ndone", "30%\ndone"),
        ("a\0b\x08c", "a\ufffdb\ufffdc"),
        ("\u202eevil\u2066", "\ufffdevil\ufffd"),
    ],
)
def test_text_becomes_spans(text: str, html: str) -> None:
    assert ansi.html(text) == html


@settings(deadline=None)
@given(ESCAPES)
def test_nothing_but_our_spans_comes_out(text: str) -> None:
    found = str(ansi.html(text))
    inside = re.sub(r'<span class="[a-z -]+">|</span>', "", found)
    assert "<" not in inside
    assert '"' not in inside
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", found)
    assert found.count("<span") == found.count("</span>")


@settings(deadline=None)
@given(ESCAPES)
def test_plain_words_hold_no_control_character(text: str) -> None:
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", ansi.plain(text))
