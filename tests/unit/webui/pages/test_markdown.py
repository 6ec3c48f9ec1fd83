"""Claude's Markdown: useful HTML, and nothing that loads, runs or misleads."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.examples import part
from webui.pages import markdown


def test_the_usual_markdown_is_rendered() -> None:
    html = markdown.html("# A\n\n- **b** `c`\n\n| d |\n|---|\n| e |\n\n```sh\nls\n```\n~~f~~")
    for tag in ("<h1>A</h1>", "<strong>b</strong>", "<code>c</code>", "<td>e</td>", "<pre><code>ls", "<s>f</s>"):
        assert tag in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](http://evil.example/pixel.png)",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>)",
        "<a href='javascript:x'>y</a>",
        "<svg onload=x>",
        '[x](http://a" onmouseover="alert(1))',
    ],
)
def test_nothing_runs_and_nothing_is_loaded(text: str) -> None:
    html = markdown.html(text)
    assert not re.search(r"<(script|img|svg|iframe|style)", html)
    assert not re.search(r"<[^>]*(onerror|onload|onmouseover|javascript:|data:)", html)


def test_a_link_shows_where_it_leads_and_gives_nothing_away() -> None:
    html = markdown.html("[your bank](https://evil.example/login) and [evil.example](https://evil.example)")
    assert 'rel="noopener noreferrer nofollow"' in html
    assert html.count("(evil.example)") == 1


@settings(max_examples=part(0.6), deadline=None)
@given(st.text(alphabet=st.sampled_from("<>&\"'[]()!`*_~#|-\n abjs:/\0\\"), max_size=200))
def test_any_text_gives_only_the_tags_that_are_allowed(text: str) -> None:
    tags = set(re.findall(r"<\s*/?\s*([a-zA-Z0-9]+)", markdown.html(text)))
    assert tags <= markdown.TAGS


def test_a_text_that_is_very_long_is_cut_and_says_so() -> None:
    html = markdown.html("x" * (markdown.LONGEST + 7))
    assert "7 more characters are in the log" in html
    assert len(html) < markdown.LONGEST + 200
