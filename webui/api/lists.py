"""Reading pages of rows for the API's lists. Called by the handlers of each noun."""

from collections.abc import Callable
from typing import Any, TypeVar

from aiohttp import web
from msgspec import UNSET

from webui.parts import parts

T = TypeVar("T")
FAR = 1 << 62


async def rows(
    request: web.Request, name: str, make: Callable[[dict[str, Any]], T], *, limit: int, offset: int, **values: Any
) -> list[T]:
    """The rows of a named query, each as `make` makes it. Of `values`, what is empty or not set is any."""
    given = {key: None if value in ("", UNSET) else value for key, value in values.items()}
    if "before" in given:
        given["before"] = given["before"] or FAR
    found = await parts(request).state.read(lambda database: database.rows(name, limit=limit, offset=offset, **given))
    return [make(row) for row in found]
