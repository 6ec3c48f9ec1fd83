"""Which services belong to no watched file any more, and what becomes of them. Pure; called by `watched_files`."""

from collections.abc import Collection, Iterable
from typing import NamedTuple


class Orphans(NamedTuple):
    """Files that are not read any more: the services of `gone` are removed, those of `released` become people's."""

    gone: tuple[str, ...]
    released: tuple[str, ...]


def orphans(place: str, listed: Collection[str] | None, owners: Iterable[str]) -> Orphans:
    """What becomes of the services of `owners`, files that once described some.

    `place` is the file or directory that is watched, empty for none; `listed` the files of it, None where it can't be
    read. A file that went from a directory takes its services with it. Where another place is watched, or none, nobody
    said that services should go: people can change them from then on.
    """
    gone, released = [], []
    for owner in owners:
        if not place or not (owner == place or owner.startswith(f"{place.rstrip('/')}/")):
            released.append(owner)
        elif listed is not None and owner not in listed:
            gone.append(owner)
    return Orphans(tuple(gone), tuple(released))
