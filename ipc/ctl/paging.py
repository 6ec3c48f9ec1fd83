"""Lists that come in pages: as many rows as wanted, in as many answers as it takes.

Used by every `list`, and by what exports all rows without holding them.
"""

from collections.abc import Callable, Iterator

from ipc.ctl.connection import Body
from ipc.ctl.errors import CtlError

PAGE = 100
Ask = Callable[[str, Body], Body]


def pages(
    ask: Ask, subject: str, name: str, filters: Body, *, limit: int, before: int = 0, above: int = 0
) -> list[Body]:
    """At most `limit` rows, newest first, with ids below `before` (0: from the newest) and above `above`.

    Texts in rows may be long, and an answer is bounded: where it would be too large, less is asked for at a time.
    `filters` without what is None or empty goes along with each request; `name` is the reply's field with the rows.
    """
    body = {key: value for key, value in filters.items() if value not in (None, "")}
    found: list[Body] = []
    size = PAGE
    while len(found) < limit:
        wanted = min(size, limit - len(found))
        try:
            page = ask(subject, {**body, "before": before, "limit": wanted})[name]
        except CtlError as error:
            if error.code != "too_large" or wanted == 1:
                raise
            size = wanted // 2
            continue
        found += [row for row in page if row["id"] > above]
        if len(page) < wanted or page[-1]["id"] <= above:
            break
        before = page[-1]["id"]
    return found


def each(ask: Ask, subject: str, name: str, filters: Body) -> Iterator[Body]:
    """Every row there is, by its id, one page in memory at a time; for a request that knows `above`."""
    body = {key: value for key, value in filters.items() if value not in (None, "")}
    size, above = PAGE, 0
    while True:
        try:
            page = ask(subject, {**body, "above": above, "limit": size})[name]
        except CtlError as error:
            if error.code != "too_large" or size == 1:
                raise
            size //= 2
            continue
        yield from page
        if len(page) < size:
            return
        above = page[-1]["id"]
