"""Words of people as they wrote them, with the addresses in them as links: a runbook is one tap away at night.

Used for a service's description and for notes on incidents. Pure. What programs said gets no links: nobody vouches for
it.
"""

import re

from markupsafe import Markup, escape

ADDRESS = re.compile(r"https?://[^\s<>\"]+")
BEHIND = ".,;:!?'"  # ends the sentence that an address stands in, not the address


def linked(text: str) -> Markup:
    """The same words, escaped."""
    parts, shown = [], 0
    for found in ADDRESS.finditer(text):
        address = found[0].rstrip(BEHIND)
        if address.endswith(")") and "(" not in address:
            address = address[:-1].rstrip(BEHIND)
        end = found.start() + len(address)
        link = Markup('<a class="textlink" href="{0}" rel="noopener noreferrer">{0}</a>').format(address)
        parts += [escape(text[shown : found.start()]), link]
        shown = end
    return Markup("").join([*parts, escape(text[shown:])])
