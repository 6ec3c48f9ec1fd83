"""Tags given to several services at once, and taken from them. Pure; called by `daemon.services.catalogue`."""

from collections.abc import Iterable


def tagged(before: Iterable[str], add: Iterable[str], remove: Iterable[str]) -> tuple[str, ...]:
    """The tags of a service afterwards, in their order, the new ones last; upper and lower case are alike."""
    gone = {tag.casefold() for tag in remove}
    found: dict[str, str] = {}
    for tag in (*before, *add):
        if tag.casefold() not in gone:
            found.setdefault(tag.casefold(), tag)
    return tuple(found.values())
