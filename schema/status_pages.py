"""Status pages: what their authors wrote, as every process passes them on. Built from `queries/status_pages.sql`."""

from collections.abc import Iterable
from typing import Any

import msgspec

PAGES_MAX = 200


class Page(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A status page as its author describes it. `services` are names; `slug` is the end of its address.

    It shows the services that are named, those with one of `tags`, and those in one of `groups`; with
    `latency` also how fast they answer.
    """

    slug: str
    title: str
    description: str = ""
    published: bool = False
    latency: bool = False
    services: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


class StatusPage(msgspec.Struct, frozen=True, kw_only=True):
    """A status page that is stored."""

    id: int
    page: Page
    version: int = 1
    updated_at: str = ""
    updated_by: str = ""


def from_row(row: dict[str, Any], chosen: Iterable[dict[str, Any]]) -> StatusPage:
    """A row of `status_pages.all` as a value, with those of `status_pages.chosen`."""
    page = Page(
        slug=row["slug"],
        title=row["title"],
        description=row["description"],
        published=bool(row["published"]),
        latency=bool(row["latency"]),
        services=tuple(sorted((one["name"] for one in chosen), key=str.casefold)),
        tags=tuple(msgspec.json.decode(row["tags"], type=list[str])),
        groups=tuple(msgspec.json.decode(row["groups"], type=list[str])),
    )
    return StatusPage(
        id=row["id"], page=page, version=row["version"], updated_at=row["updated_at"], updated_by=row["updated_by"]
    )
