"""Who gets JSON and who a page, by what the request accepts."""

import pytest

from webui.negotiation import prefers_json

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "json"),
    [
        ("application/json", True),
        ("application/json, text/plain, */*", True),
        ("Application/JSON;q=0.8", True),
        ("application/json, text/html;q=0.5", True),
        ("text/html;q=0.2, application/json;q=0.9", True),
        ("application/json;q=x", True),
        (BROWSER, False),
        ("*/*", False),
        ("", False),
        ("text/html, application/json", False),
        ("application/json;q=0", False),
        ("application/json;q=0.5, text/html", False),
        ("text/event-stream", False),
        (",;,q=1;;", False),
    ],
)
def test_json_comes_where_it_is_named_and_weighs_more(accept: str, json: bool) -> None:
    assert prefers_json(accept) is json
