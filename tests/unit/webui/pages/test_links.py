"""Words of people keep what they say, harm nothing, and lead where their addresses lead."""

import pytest

from webui.pages.links import linked


def link(address: str) -> str:
    return f'<a class="textlink" href="{address}" rel="noopener noreferrer">{address}</a>'


RUNBOOK = "https://wiki.example.org/runbooks/shop"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("<b>no</b> address\nhere", "&lt;b&gt;no&lt;/b&gt; address\nhere"),
        (f"Runbook: {RUNBOOK}.", f"Runbook: {link(RUNBOOK)}."),
        (f"(see {RUNBOOK}), then call", f"(see {link(RUNBOOK)}), then call"),
        (f"{RUNBOOK}_(old) {RUNBOOK}", f"{link(RUNBOOK + '_(old)')} {link(RUNBOOK)}"),
        (f"{RUNBOOK}?a=1&b=2", link(f"{RUNBOOK}?a=1&amp;b=2")),
        (f'{RUNBOOK}"onclick="x()', f"{link(RUNBOOK)}&#34;onclick=&#34;x()"),
        ("javascript:alert(1) ftp://x/y", "javascript:alert(1) ftp://x/y"),
    ],
)
def test_what_people_wrote_is_shown_with_its_addresses_as_links(text: str, shown: str) -> None:
    assert linked(text) == shown
