"""What a probe says, without what its service is signed in to with. Pure.

Called with every detail before anybody sees it or it is stored: by `daemon.services.probes.probe`, for what a library
puts into an error's text, such as the URL that it was given; by `daemon.services.monitor` and `daemon.services.trying`,
for the values that a condition shows: an answer may tell what it was asked with.
"""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

from daemon.services.rules.definitions import MASK, SECRETIVE, is_token
from daemon.services.rules.verdict import Verdict
from schema.definitions import Definition

SIGN_IN = re.compile(r"//[^/\s]+@")
# What is shorter would take letters out of words that have nothing to do with it.
SECRET_MIN = 4


def without_secrets(text: str, definition: Definition) -> str:
    """A text without the secrets of a service, and without what any URL in it is signed in to with."""
    for secret in sorted(set(_secrets(definition)), key=len, reverse=True):
        if len(secret) >= SECRET_MIN:
            text = text.replace(secret, MASK)
    return SIGN_IN.sub(f"//{MASK}@", text)


def verdict_without_secrets(found: Verdict, definition: Definition) -> Verdict:
    """What a probe's answer means, told without them."""
    if not found.detail:
        return found
    failing = tuple(without_secrets(text, definition) for text in found.failing)
    return found._replace(detail=without_secrets(found.detail, definition), failing=failing)


def _secrets(definition: Definition) -> Iterator[str]:
    """In each form in which it may be met."""
    for name, value in definition.headers.items():
        if SECRETIVE.search(name):
            yield value
            yield value.rpartition(" ")[2]  # what follows Basic, Bearer
    for url in (definition.url, definition.proxy):
        try:
            parts = urlsplit(url)
        except ValueError:  # it is none, and nothing is signed in to
            continue
        user, _, password = parts.netloc.rpartition("@")[0].partition(":")
        word = user if is_token(url, password) else password
        yield from (word, unquote(word))
        for name, value in parse_qsl(parts.query):
            if SECRETIVE.search(name):
                yield value
