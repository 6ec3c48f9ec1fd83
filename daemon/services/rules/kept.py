"""What of a definition is a password, and what becomes of it: taken out, put back, carried over. Pure.

Called by `daemon.services.catalogue`, by `daemon.services.taking` for files, and by tests by hand.
"""

import msgspec

from daemon.services.rules import definitions, variables
from daemon.services.rules.definitions import MASK, Problem
from schema.definitions import Definition

AGAIN = f"write it again: {MASK} stands for what was given for another address, or is not known here"


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of one service is not stored elsewhere."""

    url: str = ""
    proxy: str = ""
    headers: dict[str, str] = {}


NOTHING = Kept()
# Before a service is there: nothing of it can be carried over.
NOBODY = Definition(name="", url="")


def split(definition: Definition) -> tuple[Definition, Kept]:
    """A definition as it may be stored and shown, and what was taken out of it."""
    url, proxy = definitions.masked(definition.url), definitions.masked(definition.proxy)
    secret = {name: value for name, value in definition.headers.items() if _is_secret(name, value)}
    kept = Kept(
        definition.url if url != definition.url else "", definition.proxy if proxy != definition.proxy else "", secret
    )
    headers = {name: MASK if name in secret else value for name, value in definition.headers.items()}
    return msgspec.structs.replace(definition, url=url, proxy=proxy, headers=headers), kept


def joined(definition: Definition, kept: Kept) -> Definition:
    """A stored definition with what was taken out of it, as far as it is still about the same place."""
    return msgspec.structs.replace(
        definition,
        url=kept.url if kept.url and definitions.masked(kept.url) == definition.url else definition.url,
        proxy=kept.proxy if kept.proxy and definitions.masked(kept.proxy) == definition.proxy else definition.proxy,
        headers={
            name: kept.headers.get(name, value) if value == MASK else value
            for name, value in definition.headers.items()
        },
    )


def carried_over(new: Definition, before: Definition, kept: Kept) -> tuple[Definition, list[Problem]]:
    """A changed definition in which what was left masked is as it was.

    What is kept goes to the place that it was given for, and nowhere else: for another it has to be given again.
    """
    url = kept.url if kept.url and new.url == before.url else new.url
    proxy = kept.proxy if kept.proxy and new.proxy == before.proxy else new.proxy
    same = definitions.origin(new.url) == definitions.origin(before.url)
    headers = {
        name: kept.headers.get(name, value) if value == MASK and same else value for name, value in new.headers.items()
    }
    found = msgspec.structs.replace(new, url=url, proxy=proxy, headers=headers)
    problems = [Problem("headers", f"{name}: {AGAIN}") for name, value in headers.items() if value == MASK]
    if f"{MASK}@" in found.url or f"={MASK}" in found.url:
        problems.append(Problem("url", AGAIN))
    if f"{MASK}@" in found.proxy:
        problems.append(Problem("proxy", AGAIN))
    return found, problems


def _is_secret(name: str, value: str) -> bool:
    # A variable is no secret: it only names one.
    return bool(value) and value != MASK and not variables.named(value) and bool(definitions.SECRETIVE.search(name))
