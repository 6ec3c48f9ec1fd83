"""Claude's Markdown as HTML that can do no harm: no raw HTML, no images, links that show where they lead.

Markers such as [EVENT:critical:payments] and [MEMORY:timing:search] become small badges.

Used by transcript rows and results. markdown-it and nh3 are imported at the first use: an idle dashboard does without.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

LONGEST = 64 * 1024
TAGS = {
    "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol",
    "li", "a", "table", "thead", "tbody", "tr", "th", "td", "span",
}  # fmt: skip
ATTRIBUTES = {"a": {"href"}, "ol": {"start"}, "span": {"class"}}
SCHEMES = {"http", "https", "mailto"}
MARKER = re.compile(
    r"\[(?:EVENT:(?P<level>info|warning|critical)|MEMORY:(?P<memory>[a-z]{1,40})|COOLDOWN:(?P<action>restart|redeployment))"
    r"(?::(?P<service>[\w.@/-]{1,80}))?\]"
)
TONES = {"info": "info", "warning": "warn", "critical": "bad"}


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": 20})
    parser.enable(["table", "strikethrough"]).disable("image")
    parser.add_render_rule("link_close", _link_close)
    parser.add_render_rule("text", _text)
    return parser


def _link_close(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    """Shows the host of a link whose words do not name it."""
    depth, at = 1, index
    while depth and at:
        at -= 1
        depth += (tokens[at].type == "link_close") - (tokens[at].type == "link_open")
    words = "".join(token.content for token in tokens[at + 1 : index])
    try:
        host = urlsplit(str(tokens[at].attrGet("href") or "")).hostname or ""
    except ValueError:
        host = ""
    shown = f' <span class="muted">({escape(host)})</span>' if host and host not in words else ""
    return f"</a>{shown}"


def _text(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    """Words, escaped; markers as badges, each on a line of its own. Code keeps them as they are."""
    said = MARKER.sub(_badge, str(escape(tokens[index].content)))
    follows = index > 0 and tokens[index - 1].type == "softbreak"
    return f"<br>{said}" if follows and MARKER.match(tokens[index].content) else said


def _badge(found: re.Match[str]) -> str:
    tone, word = "plan", found["action"]
    if found["level"]:
        tone, word = TONES[found["level"]], found["level"]
    elif found["memory"]:
        tone, word = "neutral", f"memory · {found['memory']}"
    service = f" · {found['service']}" if found["service"] else ""
    return f'<span class="event tone-{tone}">{word}{service}</span>'


def html(text: str) -> Markup:
    """The text as sanitised HTML; one that is very long stays plain, and is cut."""
    if len(text) > LONGEST:
        left_out = len(text) - LONGEST
        return Markup("<pre>{}</pre><p>{} more characters are in the log.</p>").format(text[:LONGEST], left_out)
    import nh3

    rendered = _parser().render(text.replace("\0", "\ufffd"))
    clean = nh3.clean(
        rendered, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="noopener noreferrer nofollow"
    )
    return Markup(clean)  # noqa: S704 - sanitised on the line above
